//! Sluicegate beside a real API server: how soon a change of endpoints is served, and what many objects cost.
//! `cargo xtask bench cluster` builds and starts it.
//!
//! Owns: the objects, the changes, what is measured, the lines that come out.
//! Never: a verdict. It fails when a request is answered wrongly, not when something is slow.
//! Start at [`run`].

mod api;
mod gate;
mod probe;

mod latency;
mod outage;
mod scale;

mod figures;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use control_plane::{Binaries, ControlPlane};

use api::Api;

#[derive(Parser)]
#[command(name = "cargo xtask bench cluster")]
/// Measures sluicegate beside a real API server on this machine.
struct Command {
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// From an endpoint change that the API server has accepted to the first request routed by it
    Latency {
        /// How many changes
        #[arg(long, default_value_t = 500)]
        changes: usize,
    },
    /// Many objects: first sync, memory, the CPU time of a change, and the latency while many change at once
    Scale {
        /// Ingresses, and as many Services with a slice each
        #[arg(long, default_value_t = 5_000)]
        services: usize,
        /// Endpoints of each slice
        #[arg(long, default_value_t = 10)]
        endpoints: usize,
        /// Endpoint changes a second, for the last part
        #[arg(long, default_value_t = 500)]
        rate: u32,
        /// How long they go on, in seconds
        #[arg(long, default_value_t = 20)]
        seconds: u64,
    },
    /// The API server away under load while upstream pods change; and how soon all is current after its return
    Outage {
        /// How long it is away, in seconds
        #[arg(long, default_value_t = 600)]
        seconds: u64,
    },
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let plane = ControlPlane::start(&Binaries::find()?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let api = runtime.block_on(Api::new(plane.kubeconfig())).context("cannot use the API server")?;
    match command.part {
        Some(Part::Latency { changes }) => runtime.block_on(latency::run(&plane, &api, changes)),
        Some(Part::Scale { services, endpoints, rate, seconds }) => {
            let size = scale::Size { services, endpoints };
            runtime.block_on(scale::run(&plane, &api, size, rate, Duration::from_secs(seconds)))
        }
        Some(Part::Outage { seconds }) => {
            runtime.block_on(outage::run(&plane, &api, Duration::from_secs(seconds)))
        }
        None => {
            runtime.block_on(latency::run(&plane, &api, 500))?;
            let size = scale::Size { services: 5_000, endpoints: 10 };
            runtime.block_on(scale::run(&plane, &api, size, 500, Duration::from_secs(20)))
        }
    }
}
