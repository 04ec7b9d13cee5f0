//! Sluicegate under floods: what do good clients beside an attacker feel, and how much memory does an octet of his cost?
//! `cargo xtask bench floods` builds and starts it.
//!
//! Two cores: the proxy has the first one to itself; all others share the second, which the attackers and their
//! upstream have only while the good clients and theirs do not want it. Each flood has a process of its own to meet,
//! with the limits it has by itself.
//!
//! The same requests are also sent past the proxy, beside the same flood: what those feel is the machine's doing, with any
//! proxy.
//!
//! Owns: the floods, the good clients, the table. It fails if a good request has failed or the process has died; of the
//! latency it only tells, since a flood at full speed leaves no core idle.
//! Start at [`run`]; then [`attack`] for what is sent.

mod attack;
mod case;
mod gate;
mod good;
mod memory;
mod report;
mod upstream;

#[path = "../peers/cores.rs"]
mod cores;
#[path = "../soak/histogram.rs"]
mod histogram;
#[path = "../peers/manifests.rs"]
mod manifests;
#[path = "../peers/measure.rs"]
mod measure;
#[path = "../peers/process.rs"]
mod process;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};

use attack::wire::OPENING_TIME;
use attack::{Attack, Cost, Orders};
use case::Case;
use gate::Gate;
use good::{Course, Door};
use memory::Peak;
use upstream::Upstreams;

/// Files for everything that is neither an attacker's connection nor made for one.
const OTHER_FILES: u64 = 1000;
/// How long pools and caches are filled before anything counts.
const WARM_UP: Duration = Duration::from_secs(1);
/// From the end of the flood to the last look at the memory: the allocator gives back what has been idle for a while.
const AFTER: Duration = Duration::from_secs(12);

#[derive(Parser)]
#[command(name = "cargo xtask bench floods", args_conflicts_with_subcommands = true)]
/// Measures good clients and memory beside floods. Exit code 1 if a good request has failed or the process has died.
struct Command {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Args)]
struct Options {
    /// Floods to run, one after the other
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = Case::value_variants().to_vec())]
    cases: Vec<Case>,
    /// How long the good clients are measured without the flood, and how long with it, in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Good requests a second
    #[arg(long, default_value_t = 800, value_parser = clap::value_parser!(u32).range(16..=100_000))]
    rate: u32,
    /// Connections of the floods that are made of them; fewer where the files do not suffice
    #[arg(long, default_value_t = 10_000)]
    connections: u32,
    /// What all attackers together may send, in Mbit/s: those of frames would send as much as the memory bus carries
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    line: u32,
}

/// The processes that this one starts from its own program.
#[derive(Subcommand)]
enum Part {
    #[command(hide = true)]
    Attack(Orders),
    #[command(hide = true)]
    Upstream,
}

/// What one flood has done.
struct Outcome {
    case: Case,
    alone: Course,
    /// While the attackers open their connections.
    opening: Course,
    beside: Course,
    /// The same requests past the proxy, without the flood and with it: what the machine alone makes of it.
    past: [Course; 2],
    cost: Cost,
    before_kib: u64,
    peak_kib: u64,
    after_kib: u64,
    /// What the process has used beside the flood.
    cpu: Duration,
    /// What it said before it died.
    fault: Option<String>,
}

impl Outcome {
    fn ratio(&self) -> f64 {
        let [alone, beside] = [&self.alone, &self.beside].map(|course| course.latency.percentile(99));
        beside.as_secs_f64() / alone.as_secs_f64()
    }

    /// Octets that the process has grown by for each octet that was sent.
    #[expect(clippy::cast_precision_loss, reason = "it is told with two digits")]
    fn amplification(&self) -> f64 {
        let grown = self.peak_kib.saturating_sub(self.before_kib) << 10;
        grown as f64 / self.cost.sent.max(1) as f64
    }

    fn is_failure(&self) -> bool {
        self.fault.is_some() || self.alone.failed + self.opening.failed + self.beside.failed > 0
    }
}

fn main() -> ExitCode {
    let command = Command::parse();
    let done = match command.part {
        None => run(&command.options),
        Some(Part::Attack(orders)) => attack::run(&orders).map(|()| true),
        Some(Part::Upstream) => upstream::run().map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every good request was answered and the process is alive.
fn run(options: &Options) -> Result<bool> {
    cores::raise_open_files()?;
    let cores = cores::Cores::choose()?;
    // This process and those it starts, but for the proxy.
    cores::stay_on(cores.rest)?;
    let upstreams = Upstreams::start()?;
    report::head();
    let mut failures = 0;
    for case in &options.cases {
        let outcome = meet(*case, options, cores.proxy, &upstreams).with_context(|| case.to_string())?;
        report::line(&outcome);
        let whys = [&outcome.alone.why, &outcome.opening.why, &outcome.beside.why, &outcome.fault];
        whys.into_iter().flatten().for_each(|why| eprintln!("{case}: {why}"));
        failures += u32::from(outcome.is_failure());
    }
    Ok(failures == 0)
}

/// As many connections as the files of every process suffice for.
fn connections(case: Case, wanted: u32) -> Result<u32> {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let each = if case.reaches_upstream() { 2 } else { 1 };
    let most = files.unwrap_or(u64::MAX).saturating_sub(OTHER_FILES) / each;
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    ensure!(most > 0, "the system allows too few open files (ulimit -n)");
    if most < wanted {
        eprintln!("{case}: {most} connections, since there are no more files (ulimit -n)");
    }
    Ok(most.min(wanted))
}

fn meet(case: Case, options: &Options, core: usize, upstreams: &Upstreams) -> Result<Outcome> {
    let connections = connections(case, options.connections)?;
    let gate = Gate::start(core, upstreams, connections + u32::try_from(OTHER_FILES / 2)?)?;
    let (address, tls) = if case.is_secure() {
        (gate.https, Some(attack::tls::client(&gate.root())?))
    } else {
        (gate.http, None)
    };
    let (door, time) = (Door { address, tls }, Duration::from_secs(options.seconds.into()));
    good::run(&door, options.rate, WARM_UP);
    let alone = good::run(&door, options.rate, time);
    let endpoint = Door { address: upstreams.good, tls: None };
    let past_alone = good::run(&endpoint, options.rate, time);

    let (before_kib, cpu) = (measure::resident_kib(gate.id())?, measure::cpu_time(gate.id())?);
    let peak = Peak::watch(gate.id())?;
    let attack = Attack::start(case, address, &gate.root(), connections, options.line)?;
    let many = if case.is_of_many() { connections } else { 0 };
    let opening = good::run(&door, options.rate, OPENING_TIME * many + WARM_UP);
    let beside = good::run(&door, options.rate, time);
    let used = measure::cpu_time(gate.id()).unwrap_or(cpu).since(cpu).total;
    let past = [past_alone, good::run(&endpoint, options.rate, time)];
    let (cost, peak_kib) = (attack.end()?, peak.end());
    if cost.connections == 0 {
        bail!("no attacker has opened a connection");
    }

    std::thread::sleep(AFTER);
    let (after_kib, fault) = (measure::resident_kib(gate.id()).unwrap_or(0), gate.fault());
    Ok(Outcome {
        case,
        alone,
        opening,
        beside,
        past,
        cost,
        before_kib,
        peak_kib,
        after_kib,
        cpu: used,
        fault,
    })
}
