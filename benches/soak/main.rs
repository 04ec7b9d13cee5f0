//! Sluicegate, nginx, haproxy and Envoy under the same load while their routes, their endpoints and they themselves are
//! changed: which requests are lost? `cargo xtask bench soak` builds and starts it.
//!
//! Two cores: the proxy has the first one to itself, clients and upstream share the second. Latency is told beside, and
//! is not what this is about.
//!
//! Owns: clients that never send a request twice and class each loss; the changes; how each proxy takes them; the tables.
//! Never: a judgement of the others. It fails if sluicegate has lost a request or a process of it did not end well.
//! Start at [`run`]; then [`clients`] for what asks, [`changes`] for what happens meanwhile.

mod answer;
mod certificates;
mod connection;
mod door;
mod failure;
mod http2;
mod request;

mod histogram;
mod tally;

mod clients;
mod upstream;
mod world;

mod brood;
mod changes;
mod proxy;

mod envoy;
mod haproxy;
mod nginx;
mod sluicegate;

mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::{Result, bail};
use clap::{Parser, ValueEnum};

use brood::{Brood, Cores, INTERRUPTED};
use changes::{Course, Plan, Stage};
use clients::{Clients, Load};
use proxy::{Programs, Variant, version};
use tally::Shared;
use world::World;

#[derive(Parser)]
#[command(name = "cargo xtask bench soak")]
/// Counts the requests that are lost while routes, endpoints and processes change, here and with other proxies. Exit code
/// 1 if sluicegate has lost one.
struct Options {
    /// Proxies to run, one after the other
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = Variant::value_variants().to_vec())]
    proxies: Vec<Variant>,
    #[command(flatten)]
    plan: Plan,
    #[command(flatten)]
    load: Load,
    #[command(flatten)]
    programs: Programs,
    /// Threads that serve (nginx: processes), for all proxies. They have one core, so more than one is for what only
    /// several can do to each other
    #[arg(long, default_value_t = 1)]
    workers: u32,
    /// Keep what the processes have said, and sluicegate's access log, in a folder below this one
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// What came of one proxy's run.
struct Outcome {
    variant: Variant,
    version: String,
    tally: Option<Shared>,
    courses: Vec<Course>,
    faults: Vec<String>,
    /// Why it did not run to its end.
    failed: Option<String>,
}

impl Outcome {
    /// Whether this is ours and has broken the promise.
    fn is_our_failure(&self) -> bool {
        let lost = self.tally.as_ref().is_none_or(|tally| tally.lock().total().losses() > 0);
        let unseen = self.courses.iter().any(|course| course.unseen > 0);
        let failed = lost || unseen || !self.faults.is_empty() || self.failed.is_some();
        self.variant == Variant::Sluicegate && failed
    }
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether sluicegate has kept its promise.
fn run(options: &Options) -> Result<bool> {
    brood::raise_open_files()?;
    end_on_signals()?;
    let cores = Cores::take()?;
    let mut outcomes = Vec::new();
    for variant in &options.proxies {
        if INTERRUPTED.load(Ordering::Relaxed) {
            break;
        }
        let outcome = soak(*variant, options, cores);
        let all = outcome.tally.as_ref().map(|tally| tally.lock().total()).unwrap_or_default();
        eprintln!("{variant}: {} requests, {} lost", all.requests, all.losses());
        outcomes.push(outcome);
    }
    report::print(&outcomes);
    Ok(!INTERRUPTED.load(Ordering::Relaxed) && !outcomes.iter().any(Outcome::is_our_failure))
}

/// One proxy's run, whatever comes of it.
fn soak(variant: Variant, options: &Options, cores: Cores) -> Outcome {
    let (version_text, tally, courses, faults) = (String::new(), None, Vec::new(), Vec::new());
    let mut outcome = Outcome { variant, version: version_text, tally, courses, faults, failed: None };
    match variant.program(&options.programs) {
        Err(why) => outcome.failed = Some(why),
        Ok(program) => {
            outcome.version = version(&program);
            let done =
                in_folder(options, variant, |folder| play(&mut outcome, &program, options, cores, folder));
            outcome.failed = done.err().map(|why| format!("{why:#}"));
        }
    }
    outcome
}

/// Gives it a folder, which is kept or not.
fn in_folder(options: &Options, variant: Variant, play: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let Some(kept) = &options.keep else { return play(tempfile::tempdir()?.path()) };
    let folder = std::path::absolute(kept)?.join(variant.to_string());
    if folder.exists() {
        bail!("{} is there already: choose another folder for --keep", folder.display());
    }
    std::fs::create_dir_all(&folder)?;
    play(&folder)
}

fn play(outcome: &mut Outcome, program: &Path, options: &Options, cores: Cores, folder: &Path) -> Result<()> {
    let mut world = World::start()?;
    let mut brood = Brood::new(cores, folder, options.workers)?;
    let mut proxy = outcome.variant.start(program, &mut brood, &world, options.keep.is_some())?;
    let clients = Clients::start(proxy.addresses(), &world.authority, &options.load)?;
    let (plan, brood, world) = (&options.plan, &mut brood, &mut world);
    let mut stage = Stage { plan, clients: &clients, proxy: &mut *proxy, brood, world };
    let done = stage.run(&mut outcome.courses);
    outcome.faults = proxy.faults(brood);
    let left = proxy.former(brood);
    if left > 0 {
        outcome.faults.push(format!("{left} former processes had not ended when the clients did"));
    }
    outcome.tally = Some(clients.end()?);
    done
}

/// Ctrl-C and SIGTERM end the run as its end does, so that no process is left behind.
fn end_on_signals() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            let kind = tokio::signal::unix::SignalKind::terminate();
            let mut term = tokio::signal::unix::signal(kind).expect("SIGTERM can be handled");
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = term.recv() => {}
            }
            INTERRUPTED.store(true, Ordering::Relaxed);
        });
    })?;
    Ok(())
}
