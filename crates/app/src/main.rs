//! `sluicegate`: see the library of the same name.

use std::process::ExitCode;

use clap::Parser;

/// Each worker has a cache of its own, and it is a stack: what one request gives back, the next one gets while it is
/// still warm. With 512 busy connections that is a tenth of the CPU time of a request, and a third of the memory.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    sluicegate::main(sluicegate::Cli::parse())
}
