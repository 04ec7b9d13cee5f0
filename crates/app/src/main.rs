//! `sluicegate`: see the library of the same name.

use std::process::ExitCode;

use clap::Parser;

/// Connections come and go on every worker; the allocator must not make them wait for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sluicegate::main(sluicegate::Cli::parse())
}
