//! How many instructions the gate spends on a request, counted by callgrind: a number that is nearly the same on a busy
//! machine, so that one in a hundred more is seen. `cargo xtask bench instructions` builds and starts it.
//!
//! A row is counted twice, the second time with twice as much to do, and the difference is divided: what comes once falls out.
//! Only user space counts, and an instruction may take long: for time see `benches/peers`.
//!
//! Owns: what is sent, how it is counted, `benches/instructions.toml`. It fails if a row costs more than stands there.
//! Never: anything about time.
//! Start at [`run`], then [`row`].

mod callgrind;
mod client;
mod gate;
mod recorded;
mod row;
mod table;
mod upstream;
mod worker;

#[path = "../peers/manifests.rs"]
mod manifests;
#[path = "../peers/process.rs"]
mod process;
#[path = "../shops.rs"]
mod shops;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};

use recorded::{Recorded, Verdict};
use row::{ROWS, Row};

#[derive(Parser)]
#[command(name = "cargo xtask bench instructions", args_conflicts_with_subcommands = true)]
/// Counts the instructions of a request and compares them with benches/instructions.toml. Exit code 1 if one costs more.
struct Command {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Args)]
struct Options {
    /// How often each row is counted; the median is compared, and how far the others are from it is told
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Rows to count; all by default
    #[arg(long, value_delimiter = ',', value_parser = Row::names())]
    only: Vec<String>,
    /// Another build of sluicegate, such as that of an earlier commit. (find and publish are always of this one)
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Write the numbers into benches/instructions.toml, for a change that is worth what it costs
    #[arg(long)]
    write: bool,
}

/// What the benchmark starts from its own program.
#[derive(Subcommand)]
enum Part {
    #[command(hide = true)]
    Table { work: table::Work, times: u32 },
}

fn main() -> ExitCode {
    let command = Command::parse();
    let outcome = match command.part {
        Some(Part::Table { work, times }) => {
            work.run(times);
            Ok(())
        }
        None => run(&command.options),
    };
    if let Err(why) = outcome {
        eprintln!("error: {why:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run(options: &Options) -> Result<()> {
    // Cargo puts all programs of the workspace into one folder.
    let own = std::env::current_exe()?.with_file_name("sluicegate");
    let program = options.program.as_ref().unwrap_or(&own);
    ensure!(
        program.is_file(),
        "{} is not there; start me with `cargo xtask bench instructions`",
        program.display()
    );
    let mut recorded = Recorded::read()?;
    let chosen = |row: &&Row| options.only.is_empty() || options.only.iter().any(|only| only == row.name);
    println!("| what | instructions | spread | before | |\n|---|---|---|---|---|");
    let mut more = Vec::new();
    for row in ROWS.iter().filter(chosen) {
        let counted: Result<Vec<u64>> = (0..options.runs).map(|_| row.instructions(program)).collect();
        let counted = Counted::from(counted.with_context(|| row.name)?);
        let before = recorded.get(row.name);
        let verdict = Verdict::of(counted.median, before);
        report(row, &counted, before, verdict);
        if options.write {
            recorded.set(row.name, counted.median)?;
        } else if verdict == Verdict::More {
            more.push(row.name);
        }
    }
    ensure!(
        more.is_empty(),
        "more instructions than benches/instructions.toml allows: {}. If the change is worth it: --write",
        more.join(", ")
    );
    Ok(())
}

/// What the runs of one row came to.
struct Counted {
    median: u64,
    /// From the least to the most.
    spread: u64,
}

impl From<Vec<u64>> for Counted {
    fn from(mut runs: Vec<u64>) -> Counted {
        runs.sort_unstable();
        let (least, most) = (runs.first().copied().unwrap_or(0), runs.last().copied().unwrap_or(0));
        Counted { median: runs[runs.len() / 2], spread: most - least }
    }
}

fn report(row: &Row, counted: &Counted, before: Option<u64>, verdict: Verdict) {
    let Counted { median, spread } = counted;
    let before = before.map_or_else(|| "none".to_owned(), |before| before.to_string());
    let verdict = match verdict {
        Verdict::New => "new: write it down with --write",
        Verdict::Same => "",
        Verdict::Less => "less: write it down with --write",
        Verdict::More => "more",
    };
    println!("| {}: {} | {median} | {spread} | {before} | {verdict} |", row.name, row.about);
}
