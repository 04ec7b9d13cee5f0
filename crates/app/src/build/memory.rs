//! Watches how much memory is in use, and tells the data plane when it is short.
//!
//! At the limit the kernel would kill the process, and with it every connection. Before that, new requests are answered
//! 503, so that those in flight can finish.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proxy::Overload;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::allocator;

/// Between two looks. Clients on a fast network fill some MiB in that time, and a look costs some microseconds.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Percent from which on memory is short. The rest is for what is in flight already, in the kernel's buffers too.
const SHORT_FROM: u64 = 80;
/// Percent below which it is no longer: far enough below that a few requests do not make the difference.
const ENOUGH_BELOW: u64 = 70;

/// Between two purges of the allocator, which delay every allocation for some milliseconds.
const PURGE_EVERY: Duration = Duration::from_secs(1);

/// Which files tell how much memory is in use, and how much may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Memory {
    max: u64,
    used: Used,
}

/// Which files tell how much memory is in use.
#[derive(Debug, PartialEq, Eq)]
enum Used {
    /// By this process: `RssAnon` of proc_pid_status(5), what it has allocated and the kernel cannot drop.
    Process,
    /// By all of its control group, without what the kernel could drop: files that it remembers.
    Group { usage: PathBuf, stat: PathBuf, droppable: &'static str },
}

/// A hierarchy of control groups: cgroups(7), version 2 and version 1.
struct Hierarchy {
    /// How its line in `/proc/self/cgroup` goes on after the number.
    line: &'static str,
    mount: &'static str,
    max: &'static str,
    usage: &'static str,
    droppable: &'static str,
}

const HIERARCHIES: [Hierarchy; 2] = [
    Hierarchy {
        line: "::",
        mount: "/sys/fs/cgroup",
        max: "memory.max",
        usage: "memory.current",
        droppable: "inactive_file",
    },
    Hierarchy {
        line: ":memory:",
        mount: "/sys/fs/cgroup/memory",
        max: "memory.limit_in_bytes",
        usage: "memory.usage_in_bytes",
        droppable: "total_inactive_file",
    },
];

impl Memory {
    /// What was typed, else what the control group says. `None` if nothing is limited.
    pub(super) fn find(max: Option<u64>) -> Option<Memory> {
        if let Some(max) = max {
            return Some(Memory { max, used: Used::Process });
        }
        let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
        HIERARCHIES.iter().find_map(|hierarchy| hierarchy.limit(&groups))
    }

    /// Follows it for ever.
    pub(super) async fn watch(self, overload: Overload) -> Infallible {
        tracing::info!(max = self.max, "memory is watched");
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut short, mut purged) = (false, None);
        loop {
            looks.tick().await;
            let Some(mut used) = self.used.bytes(self.max / 100 * ENOUGH_BELOW) else { continue };
            let purged_lately = purged.is_some_and(|at: Instant| at.elapsed() < PURGE_EVERY);
            if is_short(used, self.max, short) && !purged_lately {
                allocator::purge();
                purged = Some(Instant::now());
                used = self.used.bytes(0).unwrap_or(used);
            }
            let now = is_short(used, self.max, short);
            if now != short {
                short = now;
                overload.set_memory_short(short);
                tell(short, used, self.max);
            }
        }
    }
}

fn tell(short: bool, used: u64, max: u64) {
    if short {
        tracing::warn!(used, max, "memory is short; new connections and requests are answered 503");
    } else {
        tracing::info!(used, max, "there is enough memory again");
    }
}

fn is_short(used: u64, max: u64, before: bool) -> bool {
    let bound = if before { ENOUGH_BELOW } else { SHORT_FROM };
    used >= max / 100 * bound
}

impl Hierarchy {
    /// The limit of the own group, or of the next one above that has one.
    fn limit(&self, groups: &str) -> Option<Memory> {
        let path = groups.lines().find_map(|line| line.split_once(self.line).map(|(_, path)| path))?;
        // In a container that sees its own group as the root, the path outside of it leads nowhere.
        let own = Path::new(self.mount).join(path.trim_start_matches('/'));
        let folders = own.ancestors().take_while(|folder| folder.starts_with(self.mount));
        folders.into_iter().find_map(|folder| {
            let max: u64 = fs::read_to_string(folder.join(self.max)).ok()?.trim().parse().ok()?;
            let used = Used::Group {
                usage: folder.join(self.usage),
                stat: folder.join("memory.stat"),
                droppable: self.droppable,
            };
            // Version 1 writes "no limit" as the largest number of pages.
            (max < i64::MAX as u64 / 2).then_some(Memory { max, used })
        })
    }
}

impl Used {
    /// How much is in use. It is exact from `exact_from` on; below, what the kernel could drop is counted too, because that
    /// is not cheap to ask for.
    fn bytes(&self, exact_from: u64) -> Option<u64> {
        match self {
            Used::Process => {
                let status = fs::read_to_string("/proc/self/status").ok()?;
                Some(entry(&status, "RssAnon:")? << 10)
            }
            Used::Group { usage, stat, droppable } => {
                let used: u64 = fs::read_to_string(usage).ok()?.trim().parse().ok()?;
                if used < exact_from {
                    return Some(used);
                }
                let stat = fs::read_to_string(stat).ok()?;
                Some(used.saturating_sub(entry(&stat, droppable)?))
            }
        }
    }
}

/// The number that follows a name at the beginning of a line.
fn entry(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut words| (words.next()? == name).then(|| words.next()?.parse().ok())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_short_from_eight_tenths_until_below_seven() {
        let mut short = false;
        for (used, then) in [(700, false), (799, false), (800, true), (750, true), (700, true), (699, false)]
        {
            short = is_short(used, 1000, short);
            assert_eq!(short, then, "{used}");
        }
    }

    #[test]
    fn what_was_typed_is_compared_with_what_this_process_uses() {
        let memory = Memory::find(Some(1 << 40)).unwrap();
        let before = memory.used.bytes(0).unwrap();
        let more = std::hint::black_box(vec![1_u8; 64 << 20]);
        let after = memory.used.bytes(0).unwrap();
        assert!(after >= before + (48 << 20), "{before} {after}");
        drop(more);
    }
}
