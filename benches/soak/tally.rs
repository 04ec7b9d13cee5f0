//! What the clients have seen, by kind of client and by phase of the run.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::histogram::Histogram;

/// The kinds of clients. None of them ever sends a request twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Asks again at once, on the same connection.
    Busy,
    /// Thinks for up to a second before each request.
    Thinking,
    /// Asks at a fixed rate, whatever the answers do; takes the connection that became idle last.
    Steady,
    /// Asks at a fixed rate, each time on a new connection.
    Newcomer,
    /// A classic load balancer's pool: opened ahead, used at random, not looked at before it is used.
    Balancer,
    /// Thinks as well, and has TLS around it.
    Secure,
    /// One of several that think and share an HTTP/2 connection in TLS.
    Stream,
    /// Looks whether a change is live, each time on a new connection.
    Prober,
}

impl Kind {
    pub(crate) const ALL: [Kind; 8] = [
        Kind::Busy,
        Kind::Thinking,
        Kind::Steady,
        Kind::Newcomer,
        Kind::Balancer,
        Kind::Secure,
        Kind::Stream,
        Kind::Prober,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}").to_lowercase())
    }
}

/// A connection that its client would have used again, and could not.
#[derive(Clone, Copy)]
pub(crate) enum GivenUp {
    /// The answer said `Connection: close`.
    Told,
    /// It was found closed before anything was written.
    Cut,
}

/// What one kind of client has seen in one phase.
#[derive(Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) requests: u64,
    /// By class; first on a connection that was opened for the request, then on one that had waited.
    pub(crate) lost: [[u64; 2]; Failure::CLASSES.len()],
    pub(crate) told: u64,
    pub(crate) cut: u64,
}

impl Count {
    pub(crate) fn losses(&self) -> u64 {
        self.lost.iter().flatten().sum()
    }

    pub(crate) fn add(mut self, other: &Count) -> Count {
        self.requests += other.requests;
        let both = self.lost.iter_mut().flatten().zip(other.lost.iter().flatten());
        both.for_each(|(mine, other)| *mine += other);
        self.told += other.told;
        self.cut += other.cut;
        self
    }
}

/// All that was counted beside one proxy.
pub(crate) struct Tally {
    begun: Instant,
    /// The phases so far; the last one goes on.
    pub(crate) phases: Vec<(&'static str, [Count; Kind::ALL.len()])>,
    pub(crate) latency: [Histogram; Kind::ALL.len()],
    /// By how much a client was late with a request that it had to send at a fixed time. Where that is a matter of seconds
    /// the machine was overloaded, and timeouts tell nothing of the proxy.
    pub(crate) late: Duration,
    /// The first losses, for a reader who wants to know why.
    pub(crate) evidence: Vec<String>,
}

/// How many losses are described one by one.
const EVIDENCE_MAX: usize = 20;

impl Tally {
    pub(crate) fn new() -> Tally {
        let latency = std::array::from_fn(|_| Histogram::default());
        Tally {
            begun: Instant::now(),
            phases: vec![("start", Default::default())],
            latency,
            late: Duration::ZERO,
            evidence: Vec::new(),
        }
    }

    /// From here on is another phase.
    pub(crate) fn enter(&mut self, phase: &'static str) {
        self.phases.push((phase, Default::default()));
    }

    fn count(&mut self, kind: Kind) -> &mut Count {
        let (_, counts) = self.phases.last_mut().expect("there is always the first phase");
        &mut counts[kind as usize]
    }

    pub(crate) fn answered(&mut self, kind: Kind, took: Duration) {
        self.count(kind).requests += 1;
        self.latency[kind as usize].record(took);
    }

    pub(crate) fn lost(&mut self, kind: Kind, failure: Failure, waited: bool, story: &str) {
        let count = self.count(kind);
        count.requests += 1;
        count.lost[failure.class()][usize::from(waited)] += 1;
        if self.evidence.len() < EVIDENCE_MAX {
            let (phase, at) = (self.phases.last().map_or("", |(phase, _)| phase), self.begun.elapsed());
            let story = format!("{:.3} s, {phase}, {kind}: {failure}; {story}", at.as_secs_f64());
            self.evidence.push(story);
        }
    }

    pub(crate) fn was_late(&mut self, by: Duration) {
        self.late = self.late.max(by);
    }

    pub(crate) fn given_up(&mut self, kind: Kind, how: GivenUp) {
        match how {
            GivenUp::Told => self.count(kind).told += 1,
            GivenUp::Cut => self.count(kind).cut += 1,
        }
    }

    /// What one kind has seen in all phases.
    pub(crate) fn of_kind(&self, kind: Kind) -> Count {
        self.phases.iter().fold(Count::default(), |sum, (_, counts)| sum.add(&counts[kind as usize]))
    }

    /// What all have seen.
    pub(crate) fn total(&self) -> Count {
        Kind::ALL.iter().fold(Count::default(), |sum, kind| sum.add(&self.of_kind(*kind)))
    }
}

/// A tally that clients write and the driver of the changes reads.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Tally>>);

impl Shared {
    pub(crate) fn new() -> Shared {
        Shared(Arc::new(Mutex::new(Tally::new())))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().expect("counting does not panic")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_counts_as_a_request_of_its_phase_and_kind() {
        let mut tally = Tally::new();
        tally.answered(Kind::Busy, Duration::from_millis(1));
        tally.enter("routes");
        tally.lost(Kind::Busy, Failure::Eof, true, "");
        tally.given_up(Kind::Busy, GivenUp::Cut);
        let (_, counts) = tally.phases[1];
        let count = counts[Kind::Busy as usize];
        assert_eq!(
            (count.requests, count.losses(), count.lost[Failure::Eof.class()], count.cut),
            (1, 1, [0, 1], 1)
        );
        assert_eq!((tally.total().requests, tally.of_kind(Kind::Steady).requests), (2, 0));
    }
}
