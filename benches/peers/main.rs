//! Sluicegate beside nginx, haproxy and the floor: CPU time per request, requests per second, memory per idle
//! connection. `cargo xtask bench` builds and starts it.
//!
//! Two cores: the proxy has the first one to itself, the load and the upstream share the second. All proxies run side
//! by side and take turns, since a machine's speed drifts by more than the differences looked for; only ratios from
//! one such series mean anything.
//!
//! Owns: how each proxy is configured and started, the load, what is measured, the table that comes out.
//! Never: a verdict. It fails when a proxy answers wrongly, not when it is slow.
//! Start at [`run`].

mod scenario;

mod cores;
mod process;
mod upstream;

mod floor;
mod haproxy;
mod manifests;
mod nginx;
mod proxy;
mod sluicegate;

mod idle;
mod load;
mod measure;

mod report;

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Args, Parser, Subcommand};

use load::Run;
use proxy::{Proxy, Running};
use scenario::Scenario;
use upstream::Upstream;

#[derive(Parser)]
#[command(name = "cargo xtask bench", args_conflicts_with_subcommands = true)]
/// Compares sluicegate with nginx, haproxy and the floor (a byte shuttle without HTTP), one core each.
struct Command {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Args)]
struct Options {
    /// How often each proxy is measured in each scenario; medians are reported
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// How long one run lasts, in seconds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Scenarios to run, such as keepalive-64,idle; all by default
    #[arg(long, value_delimiter = ',', value_parser = Scenario::names())]
    only: Vec<String>,
    /// Proxies to run
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = Proxy::ALL)]
    proxies: Vec<Proxy>,
    /// Switch access logs off; by default nginx and sluicegate write one to a file
    #[arg(long)]
    no_access_log: bool,
    /// Connections of the scenario `idle`
    #[arg(long, default_value_t = 10_000)]
    idle_connections: u32,
}

/// Processes that the benchmark starts from its own program.
#[derive(Subcommand)]
enum Part {
    #[command(hide = true)]
    Floor { upstream: SocketAddr },
    #[command(hide = true)]
    IdleClient { proxy: SocketAddr, connections: u32 },
}

fn main() -> ExitCode {
    let command = Command::parse();
    let outcome = match command.part {
        None => run(&command.options),
        Some(Part::Floor { upstream }) => floor::run(upstream),
        Some(Part::IdleClient { proxy, connections }) => idle::run_client(proxy, connections),
    };
    if let Err(why) = outcome {
        eprintln!("error: {why:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run(options: &Options) -> Result<()> {
    cores::raise_open_files()?;
    let cores = cores::Cores::choose()?;
    let upstream = Upstream::start(cores)?;
    report::head(options);
    let chosen = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    for scenario in scenario::LOADS.iter().filter(|scenario| chosen(scenario.name)) {
        let series = load_in_turns(options, scenario, &upstream)?;
        report::loads(scenario, &series);
    }
    if chosen(scenario::IDLE) {
        let series = idle_in_turns(options, &upstream)?;
        report::idle(options.idle_connections, &series);
    }
    Ok(())
}

/// One proxy and what was measured of it, run by run.
type Series<T> = Vec<(Proxy, Vec<T>)>;

fn load_in_turns(options: &Options, scenario: &Scenario, upstream: &Upstream) -> Result<Series<Run>> {
    let runs_here = |proxy: &&Proxy| scenario.floor || **proxy != Proxy::Floor;
    let proxies: Vec<Running> = options
        .proxies
        .iter()
        .filter(runs_here)
        .map(|proxy| proxy.start(upstream, !options.no_access_log))
        .collect::<Result<_>>()?;
    for proxy in &proxies {
        // Fills pools, caches and buffers; not counted.
        load::run(proxy, scenario, 1, upstream.cores())?;
    }
    let mut series: Series<Run> = proxies.iter().map(|proxy| (proxy.proxy, Vec::new())).collect();
    for turn in 0..options.runs as usize {
        for place in 0..proxies.len() {
            // None always goes first.
            let place = (place + turn) % proxies.len();
            let run = load::run(&proxies[place], scenario, options.seconds, upstream.cores())?;
            report::progress(scenario.name, proxies[place].proxy, turn, &run.to_string());
            series[place].1.push(run);
        }
    }
    Ok(series)
}

fn idle_in_turns(options: &Options, upstream: &Upstream) -> Result<Series<idle::Growth>> {
    ensure!(options.idle_connections > 0, "--idle-connections must be at least 1");
    // The floor holds two sockets for each client: it is no measure of memory.
    let proxies = options.proxies.iter().filter(|proxy| **proxy != Proxy::Floor);
    let mut series: Series<idle::Growth> = proxies.map(|proxy| (*proxy, Vec::new())).collect();
    for turn in 0..options.runs as usize {
        for (proxy, growths) in &mut series {
            let running = proxy.start(upstream, !options.no_access_log)?;
            let growth = idle::measure(&running, options.idle_connections, upstream.cores())?;
            report::progress(scenario::IDLE, *proxy, turn, &growth.to_string());
            growths.push(growth);
        }
    }
    Ok(series)
}
