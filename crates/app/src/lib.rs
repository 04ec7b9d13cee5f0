//! The program: from the command line to a running process and its exit code.
//!
//! ```text
//! Cli ─► Config ─► build(config) ─► Bound ─► run(shutdown) ─► Outcome ─► exit code
//! ```
//!
//! Owns: flags and their meaning, the order of start and stop, the wiring between the crates, exit codes, and the
//! commands `run`, `check`, `explain`, `lint`, `diff`, `demo`, `chown-dir`, and those that talk to a running process:
//! `probe`, `drain`, `upgrade`, or to AWS: `dns` and `frontend`. Never: logic of its own about routes or requests; that is `compile`'s, `model`'s and
//! `proxy`'s. Start at [`main`], then [`build`](build()).

mod cli;
mod config;
mod units;

mod build;
mod fd;
mod log;
mod metrics;
mod run;

mod ask;
mod check;
mod chown_dir;
mod demo;
mod diff;
#[cfg(feature = "aws")]
mod dns;
mod explain;
#[cfg(feature = "aws")]
mod frontend;
mod lint;
mod source;

use std::process::ExitCode;

pub use build::{Bound, Outcome, Shutdown, ShutdownHandle, build};
pub use cli::Cli;
pub use config::Config;

use cli::Subcommand;

/// Something failed: it could not start, or a check found errors, or the demo lost a request.
const FAILED: u8 = 1;
/// The command line, the environment or the folder it names cannot be used. Also what clap ends with.
const USAGE: u8 = 2;
/// The process stopped while requests were in flight, and cut them.
const CUT: u8 = 3;

/// Does what the command line says.
pub fn main(cli: Cli) -> ExitCode {
    let code = match cli.command {
        Subcommand::Run(args) => run::run(*args, &cli.told),
        Subcommand::Check(args) => check::run(&args),
        Subcommand::Explain(args) => explain::run(&args),
        Subcommand::Lint(args) => lint::run(args),
        Subcommand::Diff(args) => diff::run(&args),
        Subcommand::Probe(args) => ask::probe(&args),
        Subcommand::Drain(args) => ask::drain(&args),
        Subcommand::Upgrade(args) => ask::upgrade(&args),
        #[cfg(feature = "aws")]
        Subcommand::Dns(command) => dns::run(&command),
        #[cfg(feature = "aws")]
        Subcommand::Frontend(command) => frontend::run(&command),
        Subcommand::ChownDir(args) => chown_dir::run(&args),
        Subcommand::Demo(args) => demo::run(&args),
    };
    ExitCode::from(code)
}
