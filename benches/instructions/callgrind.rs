//! Runs a program under callgrind, which counts the instructions of each of its threads.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// What callgrind calls its files, with `-` and the number of a thread behind.
const OUTPUT: &str = "callgrind.out";

/// Instructions by thread. Threads have the numbers in which they were started.
pub(crate) type Counts = BTreeMap<String, u64>;

/// A command that will run the program under callgrind and leave the counts in `folder` when it has ended.
///
/// # Errors
/// If there is no valgrind.
pub(crate) fn command(program: &Path, folder: &Path) -> Result<Command> {
    let found =
        Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    ensure!(
        found.is_ok_and(|status| status.success()),
        "there is no valgrind here, which counts the instructions; install it (Debian's package: valgrind)"
    );
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--separate-threads=yes", "--log-file=/dev/null"]);
    command.arg(format!("--callgrind-out-file={}", folder.join(OUTPUT).display())).arg(program);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Ok(command)
}

/// What callgrind has counted.
///
/// # Errors
/// If it has not ended well: then there is nothing.
pub(crate) fn counts(folder: &Path) -> Result<Counts> {
    let mut counts = Counts::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(thread) = name.strip_prefix(OUTPUT).and_then(|rest| rest.strip_prefix('-')) else {
            continue;
        };
        // Names of functions may be in any encoding.
        let text = fs::read(entry.path())?;
        let total = total(&String::from_utf8_lossy(&text)).with_context(|| format!("no total in {name}"))?;
        counts.insert(thread.to_owned(), total);
    }
    ensure!(!counts.is_empty(), "callgrind has written nothing into {}", folder.display());
    Ok(counts)
}

fn total(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("totals:"))?.trim().parse().ok()
}

/// How much the busiest thread has done more: the work is one thread's, what the others do meanwhile is a matter of time.
pub(crate) fn growth(once: &Counts, twice: &Counts) -> u64 {
    let more = |(thread, count): (&String, &u64)| count.saturating_sub(*once.get(thread).unwrap_or(&0));
    twice.iter().map(more).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_from_the_line_that_names_it() {
        assert_eq!(total("events: Ir\nfn=(1) totals\n1 2\ntotals: 41495070\n"), Some(41_495_070));
        assert_eq!(total("events: Ir\n"), None);
    }

    #[test]
    fn the_thread_that_works_counts_and_not_those_that_wait() {
        let counts = |numbers: [u64; 2]| ["01", "02"].map(String::from).into_iter().zip(numbers).collect();
        assert_eq!(growth(&counts([900, 100]), &counts([910, 180])), 80);
    }
}
