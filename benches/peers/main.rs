//! Sluicegate beside nginx, haproxy, Envoy, sozu and the floor: CPU time and system calls for each request, requests a
//! second, latencies, memory for each idle connection. `cargo xtask bench` gets the peers, builds and starts it.
//!
//! The proxy has a core to itself; the clients (this process) and the upstream have the others, or share one where there
//! are two. All proxies run side by side and take turns, since a machine's speed drifts by more than the differences looked
//! for; only ratios from one such series mean anything, and only on a machine that does nothing else.
//!
//! Owns: how each proxy is configured and started, the load, what is measured, the tables that come out.
//! Never: a verdict. It fails when a proxy answers wrongly, not when it is slow. (What an endpoint change costs among many
//! is told by `benches/cluster`, and what a request costs in instructions by `benches/instructions`.)
//! Start at [`run`], then [`row`].

mod cores;
mod frames;
mod message;
mod process;
mod wire;

mod client;
mod routes;
mod upstream;

mod envoy;
mod floor;
mod haproxy;
mod manifests;
mod nginx;
mod programs;
mod proxy;
mod sluicegate;
mod sozu;

mod calls;
mod idle;
mod latency;
mod load;
mod measure;
mod row;
mod series;

mod card;
mod report;
mod statistics;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};

use client::Trust;
use programs::Programs;
use proxy::{Proxy, Setup};
use report::Summary;
use row::{KEEPALIVE, QUICK, ROWS, Row, Work};
use series::Series;

#[derive(Parser)]
#[command(name = "cargo xtask bench", args_conflicts_with_subcommands = true)]
/// Compares sluicegate with nginx, haproxy, Envoy, sozu and the floor (a byte shuttle without HTTP), one core each.
/// All rows take about 20 minutes. `cargo xtask bench --sid` takes the nginx and haproxy of Debian sid (by root).
struct Command {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Args)]
struct Options {
    /// How often each proxy is measured in each row; medians are reported
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// How long one run lasts, in seconds
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Rows to run, such as keepalive-64,idle; all by default
    #[arg(long, value_delimiter = ',', value_parser = Row::names())]
    only: Vec<String>,
    /// A few rows, each at most three times
    #[arg(long, conflicts_with = "only")]
    quick: bool,
    /// Proxies to run
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = Proxy::ALL)]
    peers: Vec<Proxy>,
    /// Have nginx and sluicegate write an access log
    #[arg(long)]
    access_log: bool,
    /// Connections of the row `idle`; `idle-tls` has a quarter of them
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(4..=14_000))]
    idle_connections: u32,
    #[command(flatten)]
    programs: Programs,
}

/// Processes that the benchmark starts from its own program.
#[derive(Subcommand)]
enum Part {
    #[command(hide = true)]
    Floor { upstream: SocketAddr },
    #[command(hide = true)]
    Upstream,
}

impl Options {
    fn turns(&self) -> usize {
        if self.quick { self.runs.min(3) as usize } else { self.runs as usize }
    }

    fn has(&self, row: &Row) -> bool {
        let named = self.only.is_empty() || self.only.iter().any(|only| only == row.name);
        if self.quick { QUICK.contains(&row.name) } else { named }
    }

    fn time(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

fn main() -> ExitCode {
    let command = Command::parse();
    let outcome = match command.part {
        None => run(command.options),
        Some(Part::Floor { upstream }) => floor::run(upstream),
        Some(Part::Upstream) => upstream::run(),
    };
    if let Err(why) = outcome {
        eprintln!("error: {why:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run(options: Options) -> Result<()> {
    cores::raise_open_files()?;
    let (cores, all) = (cores::Cores::choose()?, cores::allowed()?);
    let proxies = card::write(&options, &options.peers, &options.programs, cores.proxy);
    cores::stay_on(cores.rest)?;
    let (_upstream, address) = upstream::start(*all.get(2).unwrap_or(&cores.rest))?;
    let setup = Setup {
        upstream: address,
        core: cores.proxy,
        trust: Trust::new()?,
        programs: options.programs.clone(),
        access_log: options.access_log,
    };
    let (mut summary, mut failed) = (Summary::default(), 0);
    for row in ROWS.iter().filter(|row| options.has(row)) {
        let proxies: Vec<Proxy> = row.proxies(&proxies);
        failed += measure(&options, &setup, row, &proxies, &mut summary).with_context(|| row.name)?;
    }
    summary.write(&proxies);
    ensure!(failed == 0, "proxies that are there have failed in {failed} rows");
    Ok(())
}

/// Measures one row and reports it; returns how many proxies have failed.
fn measure(
    options: &Options,
    setup: &Setup,
    row: &Row,
    proxies: &[Proxy],
    summary: &mut Summary,
) -> Result<usize> {
    let (name, turns, time, trust) = (row.name, options.turns(), options.time(), &setup.trust);
    Ok(match row.work {
        Work::Load(shape) => {
            let run = |proxy: &_| load::run(proxy, shape.of(proxy, trust), time);
            let series = Series::side_by_side(name, setup, proxies, turns, run);
            report::loads(row, &series, summary);
            series.failed.len()
        }
        Work::Latency(share) => {
            let Some(first) = proxies.iter().find(|proxy| **proxy == Proxy::Nginx).or(proxies.first()) else {
                return Ok(0);
            };
            let running = first.start(setup)?;
            let rate = latency::capacity(&running, KEEPALIVE.of(&running, trust))? * f64::from(share) / 100.0;
            drop(running);
            let run = |proxy: &_| latency::measure(proxy, KEEPALIVE.of(proxy, trust), rate, time);
            let series = Series::side_by_side(name, setup, proxies, turns, run);
            report::latencies(row, (*first, rate), &series, summary);
            series.failed.len()
        }
        Work::Calls(shape) => {
            let run = |proxy: &proxy::Running| calls::measure(proxy.id(), shape.of(proxy, trust));
            let series = Series::side_by_side(name, setup, proxies, 1, run);
            report::calls(row, &series, summary);
            series.failed.len()
        }
        Work::Idle(shape, share) => {
            let connections = options.idle_connections as usize / share;
            let run =
                |proxy: &_| idle::measure(proxy, client::Load { connections, ..shape.of(proxy, trust) });
            let series = Series::one_by_one(name, setup, proxies, turns.min(IDLE_TURNS), run);
            report::idle(row, connections, &series, summary);
            series.failed.len()
        }
    })
}

/// Memory is nearly the same each time.
const IDLE_TURNS: usize = 2;
