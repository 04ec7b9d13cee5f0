//! Which steps there are and in which order: rollouts, nodes that go away and kills, evenly mixed.

use std::fmt;

use crate::options::Options;

/// Kills, by turns. The first is the one that matters most: two processes have the sockets, and neither is alone.
const KILLS: [Kill; 5] = [
    Kill::Successor(Moment::WithSockets),
    Kill::Predecessor,
    Kill::Successor(Moment::AtStart),
    Kill::Predecessor,
    Kill::Successor(Moment::AfterHandover),
];

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Rollout,
    /// A taint tells that the node will go; it goes when the balancer has let go of it.
    TaintedNodeAway,
    /// Nothing tells but the SIGTERM of a machine that is shut down.
    DrainedNodeAway,
    /// In a rollout one of a node's two processes is killed.
    Kill(Kill),
}

/// Which process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kill {
    /// The one that takes over.
    Successor(Moment),
    /// The one that has handed over and drains.
    Predecessor,
}

/// How far a successor has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// It was just started.
    AtStart,
    /// It has the listening sockets, and the predecessor still accepts.
    WithSockets,
    /// It alone accepts, and its predecessor takes back what it has.
    AfterHandover,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rollout => f.write_str("rollout"),
            Self::TaintedNodeAway => f.write_str("node away (taint, then shutdown)"),
            Self::DrainedNodeAway => f.write_str("node away (drain, then shutdown)"),
            Self::Kill(Kill::Predecessor) => f.write_str("kill -9 of a predecessor that drains"),
            Self::Kill(Kill::Successor(Moment::AtStart)) => {
                f.write_str("kill -9 of a successor at its start")
            }
            Self::Kill(Kill::Successor(Moment::WithSockets)) => {
                f.write_str("kill -9 of a successor that has just been given the sockets")
            }
            Self::Kill(Kill::Successor(Moment::AfterHandover)) => {
                f.write_str("kill -9 of a successor that has taken over")
            }
        }
    }
}

/// Evenly mixed: of each kind, the one that is most behind comes next.
pub(crate) fn steps(options: &Options) -> Vec<Step> {
    let counts = [options.rollouts, options.nodes_away, options.kills];
    let total: u32 = counts.iter().sum();
    let mut played = [0; 3];
    let next = |number: u32| {
        let lag = |kind: usize| {
            let due = f64::from(counts[kind]) * f64::from(number + 1) / f64::from(total);
            if played[kind] < counts[kind] { due - f64::from(played[kind]) } else { f64::NEG_INFINITY }
        };
        let kind = (0..3).max_by(|a, b| lag(*a).total_cmp(&lag(*b))).unwrap_or(0);
        played[kind] += 1;
        (kind, played[kind] - 1)
    };
    (0..total).map(next).map(|(kind, number)| step(kind, number)).collect()
}

fn step(kind: usize, number: u32) -> Step {
    match (kind, number.is_multiple_of(2)) {
        (0, _) => Step::Rollout,
        (1, true) => Step::TaintedNodeAway,
        (1, false) => Step::DrainedNodeAway,
        _ => Step::Kill(KILLS[number as usize % KILLS.len()]),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn steps_are_all_there_and_mixed() {
        let options =
            Options::parse_from("rollout --image x --rollouts 4 --nodes-away 2 --kills 2".split(' '));
        let steps = steps(&options);
        assert_eq!(steps.len(), 8);
        assert_eq!(steps.iter().filter(|step| **step == Step::Rollout).count(), 4);
        assert!(steps[..4].iter().any(|step| *step != Step::Rollout), "{steps:?}");
        assert!(
            steps.contains(&Step::DrainedNodeAway) && steps.contains(&Step::Kill(Kill::Predecessor)),
            "{steps:?}"
        );
    }
}
