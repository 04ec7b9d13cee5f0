//! HTTP clients as people use them, through the goodbyes of sluicegate and of nginx: which of their requests are lost?
//! `cargo xtask bench clients` builds and starts it.
//!
//! The libraries are what the registries have (`programs`): each in a small program that asks in one of four ways and never
//! twice. They are fetched into the cache; one whose tool-chain is missing is told as not run. A goodbye is a handover
//! here, and a reload with nginx.
//!
//! Owns: the programs, both proxies' settings, the table. Never: a judgement. It fails if a client that pauses between
//! requests loses one through sluicegate. Start at [`run`].

mod library;
mod proxy;
mod report;
mod upstream;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, ValueEnum};

use library::LIBRARIES;
use proxy::{Kind, Proxy, Site};
use report::{Outcome, Row};
use upstream::Upstream;

#[derive(Parser)]
#[command(name = "cargo xtask bench clients")]
/// Counts the requests that real HTTP client libraries lose when a proxy says goodbye.
struct Options {
    /// Proxies to run, one after the other
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = [Kind::Sluicegate, Kind::Nginx])]
    proxies: Vec<Kind>,
    /// Libraries to run; all of them by default
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    libraries: Vec<String>,
    /// Ways to ask, one after the other
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = Mode::value_variants().to_vec())]
    modes: Vec<Mode>,
    /// How often each proxy says goodbye to all in each mode
    #[arg(long, default_value_t = 10)]
    goodbyes: u32,
    /// Seconds between two of them. Ours are spread over ten
    #[arg(long, default_value_t = 12)]
    every: u64,
    /// The sluicegate to run; by default the one beside this program
    #[arg(long, value_name = "PROGRAM")]
    sluicegate: Option<PathBuf>,
    /// The nginx to run
    #[arg(long, value_name = "PROGRAM", default_value = "nginx")]
    nginx: PathBuf,
}

/// How a program asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// One request after the other, with 50 to 500 ms between them
    Pause,
    /// One request after the other
    Busy,
    /// Eight at a time
    Parallel,
    /// One upload after the other, each of 200 ms
    Upload,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_possible_value().expect("none is skipped").get_name())
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

/// Whether no client that pauses has lost anything through sluicegate.
fn run(options: &Options) -> Result<bool> {
    let is_asked =
        |name: &str| options.libraries.is_empty() || options.libraries.iter().any(|asked| asked == name);
    let mut rows: Vec<Row> = Vec::new();
    for library in LIBRARIES.iter().filter(|library| is_asked(library.name)) {
        eprintln!("{}: installing", library.name);
        rows.push(Row::new(library.install()));
    }
    for kind in &options.proxies {
        for mode in &options.modes {
            play(options, *kind, *mode, &mut rows)?;
        }
    }
    report::print(&options.proxies, &options.modes, &rows);
    Ok(!rows.iter().any(|row| row.has_lost(Kind::Sluicegate, Mode::Pause)))
}

/// All programs at the same time, through all goodbyes of one proxy.
fn play(options: &Options, kind: Kind, mode: Mode, rows: &mut [Row]) -> Result<()> {
    let (upstream, folder) = (Upstream::start()?, tempfile::tempdir()?);
    let site = Site::new(folder.path(), &upstream)?;
    let program = match kind {
        Kind::Sluicegate => options.sluicegate.clone().map_or_else(beside, Ok)?,
        Kind::Nginx => options.nginx.clone(),
    };
    let mut proxy = Proxy::start(kind, &program, &site)?;
    let time = Duration::from_secs(options.every) * options.goodbyes + Duration::from_secs(5);
    let mut running = Vec::new();
    for row in rows.iter_mut() {
        if let Ok(library) = &row.library {
            running.push((library.start(&site, mode, time), &mut row.outcomes));
        }
    }
    std::thread::sleep(Duration::from_secs(5));
    for said in 1..=options.goodbyes {
        proxy.say_goodbye()?;
        eprintln!("{kind}, {mode}: goodbye {said} of {}", options.goodbyes);
        std::thread::sleep(Duration::from_secs(options.every));
    }
    for (program, outcomes) in running {
        let tally = program.and_then(|program| program.end(&upstream));
        outcomes.push(Outcome { kind, mode, tally: tally.map_err(|why| format!("{why:#}")) });
    }
    Ok(())
}

fn beside() -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("sluicegate"))
}
