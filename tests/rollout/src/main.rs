//! The proof on real nodes: `deploy/base` as it is shipped, rolled out again and again, nodes that go away with notice,
//! and processes that are killed, under clients that never retry and count every request they lose.
//!
//! Owns: the scenario ([`scenario`]), the clients ([`client`]), what a balancer in front does and when ([`balancer`]), and
//! the verdict: exit code 1 if a request was lost that need not be.
//! Never: the product's own code; it knows the product by its image and its manifests. Nor nodes: crate `nodes` has them.
//! Start at [`run`]. It needs root.

mod balancer;
mod client;
mod exchange;
mod gates;
mod kills;
mod logs;
mod manifests;
mod options;
mod report;
mod scenario;
mod stage;
mod steps;
mod tally;
mod upstreams;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};
use clap::Parser;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::options::Options;
use crate::scenario::Scenario;
use crate::stage::Stage;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Not by returning it: with RUST_BACKTRACE=1 the message would drown in the backtrace.
        Err(why) => {
            eprintln!("error: {why:#}");
            ExitCode::FAILURE
        }
    }
}

/// Sets the stage, lets clients in, plays the scenario, and says whether nothing was lost that need not be.
fn run(options: &Options) -> Result<bool> {
    let is_over = end_at_signals()?;
    let stage = Stage::set(options)?;
    let clients = client::Crowd::start(options, stage.balancer())?;
    let mut scenario = Scenario::new(options, stage, clients.tally(), is_over);
    let played = scenario.play();
    let tally = clients.leave();
    report::print(options, &scenario, &tally);
    played.context("the scenario could not be played to its end")?;
    Ok(tally.lost().is_empty())
}

/// The scenario looks at it between its steps, so that at Ctrl-C there is still a report.
fn end_at_signals() -> Result<Arc<AtomicBool>> {
    let is_over = Arc::new(AtomicBool::new(false));
    let (told, mut signals) = (is_over.clone(), Signals::new([SIGHUP, SIGINT, SIGTERM])?);
    thread::spawn(move || {
        for _ in signals.forever() {
            eprintln!("ending after this step");
            told.store(true, Ordering::Relaxed);
        }
    });
    Ok(is_over)
}
