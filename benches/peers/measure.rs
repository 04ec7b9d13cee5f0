//! What a process and its descendants have used, as Linux counts it (proc(5)).

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// CPU time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    /// To the nanosecond.
    pub(crate) total: Duration,
    /// How it is divided, to the clock tick (10 ms).
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

impl Cpu {
    /// What was used since then.
    pub(crate) fn since(self, before: Cpu) -> Cpu {
        let less = |now: Duration, before| now.saturating_sub(before);
        Cpu {
            total: less(self.total, before.total),
            user: less(self.user, before.user),
            system: less(self.system, before.system),
        }
    }
}

/// CPU time of a process and its descendants that are alive.
pub(crate) fn cpu_time(root: u32) -> Result<Cpu> {
    let stats = family(root)?;
    let per_second = u32::try_from(rustix::param::clock_ticks_per_second())?;
    let time = |ticks: u64| Duration::from_secs(ticks) / per_second;
    let user = time(stats.iter().map(|stat| stat.user).sum());
    let system = time(stats.iter().map(|stat| stat.system).sum());
    let total = stats.iter().map(|stat| run_time(stat.id)).sum::<Option<Duration>>();
    // Not every kernel counts it.
    Ok(Cpu { total: total.unwrap_or(user + system), user, system })
}

/// How long the threads of a process have run.
fn run_time(id: u32) -> Option<Duration> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).ok()?;
    let run = |thread: fs::DirEntry| {
        let stat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
    };
    threads.flatten().map(run).sum()
}

/// Resident memory of a process and its descendants, in KiB. What they share counts for each: look at growth only.
pub(crate) fn resident_kib(root: u32) -> Result<u64> {
    family(root)?.iter().map(|stat| resident_kib_of(stat.id)).sum()
}

fn resident_kib_of(id: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
    Ok(number.parse()?)
}

/// The part of `/proc/<id>/stat` that counts here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) id: u32,
    parent: u32,
    user: u64,
    system: u64,
}

impl Stat {
    /// The program's name is in brackets and may have any character; what counts comes after it.
    fn parse(line: &str) -> Option<Stat> {
        let (id, _) = line.split_once(' ')?;
        let (_, rest) = line.rsplit_once(')')?;
        let mut fields = rest.split_whitespace();
        let parent = fields.nth(1)?.parse().ok()?;
        let (user, system): (u64, u64) = (fields.nth(9)?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(Stat { id: id.parse().ok()?, parent, user, system })
    }
}

/// A process and its descendants that are alive.
pub(crate) fn family(root: u32) -> Result<Vec<Stat>> {
    let mut all: Vec<Stat> = fs::read_dir("/proc")?
        // A process may end while one looks.
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok())
        .filter_map(|line| Stat::parse(&line))
        .collect();
    let place = all.iter().position(|stat| stat.id == root).context("the proxy has ended")?;
    let mut family = vec![all.swap_remove(place)];
    let mut next = 0;
    while let Some(parent) = family.get(next).map(|stat| stat.id) {
        family.extend(all.extract_if(.., |stat| stat.parent == parent));
        next += 1;
    }
    Ok(family)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_brackets_and_blanks_does_not_shift_the_fields() {
        let line = "42 (a) b) S 7 42 42 0 -1 4194560 1 2 3 4 100 23 5 6 20 0 1 0 9 9 9";
        assert_eq!(Stat::parse(line), Some(Stat { id: 42, parent: 7, user: 100, system: 23 }));
    }

    #[test]
    fn this_process_has_used_memory() {
        assert!(resident_kib(std::process::id()).unwrap() > 0);
    }
}
