//! What happens: each step, as it is played on the stage.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::gates::{self, Gate};
use crate::manifests::longest_leave;
use crate::options::Options;
use crate::stage::Stage;
use crate::steps::{Kill, Moment, Step, steps};
use crate::tally::Tally;
use crate::{kills, tally};

/// How long clients are left alone between steps, so that each step meets those that have come back.
const PAUSE: Duration = Duration::from_secs(3);

/// How long a predecessor drains before it is killed: some of its clients have left by then, others have not.
const DRAINS: Duration = Duration::from_secs(2);

/// What the cluster autoscaler puts on a node that it is about to take away.
const TAINT: &str = "ToBeDeletedByClusterAutoscaler=soon:NoSchedule";

/// A step that was played.
pub(crate) struct Played {
    pub(crate) step: Step,
    pub(crate) took: Duration,
    pub(crate) note: String,
    pub(crate) began: Instant,
}

/// All steps, and what came of them.
pub(crate) struct Scenario {
    steps: Vec<Step>,
    stage: Stage,
    tally: Arc<Tally>,
    is_over: Arc<AtomicBool>,
    longest_idle: Duration,
    longest_leave: Duration,
    pub(crate) played: Vec<Played>,
}

impl Scenario {
    pub(crate) fn new(options: &Options, stage: Stage, tally: Arc<Tally>, is_over: Arc<AtomicBool>) -> Self {
        let (longest_idle, longest_leave) = (options.longest_idle(), longest_leave(options));
        Self { steps: steps(options), stage, tally, is_over, longest_idle, longest_leave, played: Vec::new() }
    }

    /// Upstream rollouts so far.
    pub(crate) fn churned(&self) -> u64 {
        self.stage.churn.rolled()
    }

    /// What the gates have logged of a lost request.
    pub(crate) fn logged(&self, lost: &tally::Lost) -> Vec<String> {
        self.stage.logs.refused(&lost.target)
    }

    /// Plays all steps, and waits until no process drains any more.
    pub(crate) fn play(&mut self) -> Result<()> {
        thread::sleep(PAUSE);
        for (number, step) in self.steps.clone().into_iter().enumerate() {
            if self.is_over.load(Ordering::Relaxed) {
                return Ok(());
            }
            let began = Instant::now();
            let note = self.step(step).with_context(|| format!("step {}, {step}", number + 1))?;
            let took = began.elapsed();
            let (answered, lost) = (self.tally.answered(), self.tally.lost().len());
            eprintln!("{:3} {step}: {took:.1?}{note}; {answered} answered, {lost} lost", number + 1);
            self.played.push(Played { step, took, note, began });
            thread::sleep(PAUSE);
        }
        self.settle()
    }

    fn step(&mut self, step: Step) -> Result<String> {
        match step {
            Step::Rollout => self.roll_out(),
            Step::TaintedNodeAway => self.take_away(true),
            Step::DrainedNodeAway => self.take_away(false),
            Step::Kill(kill) => self.kill(kill),
        }
    }

    fn restart(&self) -> Result<()> {
        let restart = ["rollout", "restart", "--namespace=sluicegate", "daemonset/sluicegate"];
        self.stage.kubectl.run(&restart).map(drop)
    }

    /// Health must stay green all the while: the balancer counts failed checks of nodes that are in.
    fn roll_out(&mut self) -> Result<String> {
        let failed = self.failed_checks();
        self.restart()?;
        self.stage.wait_for_gates()?;
        Ok(match self.failed_checks() - failed {
            0 => String::new(),
            checks => format!(", {checks} health checks failed"),
        })
    }

    fn failed_checks(&self) -> u64 {
        let nodes = self.stage.cluster.nodes().iter();
        nodes.map(|node| self.stage.balancer().failed_checks(node.address())).sum()
    }

    /// The oldest node goes away and a fresh one comes.
    fn take_away(&mut self, by_taint: bool) -> Result<String> {
        let node = &self.stage.cluster.nodes()[0];
        let (name, address) = (node.name().to_owned(), node.address());
        if by_taint {
            self.stage.kubectl.run(&["taint", "node", &name, TAINT])?;
        }
        let drain = ["drain", &name, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s"];
        self.stage.kubectl.run(&drain)?;
        if by_taint {
            self.wait_until_let_go(address)?;
        }
        let term = Instant::now();
        self.shut_down(&name)?;
        let note = format!(", {:.1?} from SIGTERM to its end", term.elapsed());
        self.stage.balancer().deregister(address);
        self.stage.cluster.remove_node(&name)?;
        self.stage.cluster.add_node()?;
        self.stage.wait_for_gates()?;
        self.stage.admit(self.stage.cluster.nodes().last().context("a node was just added")?)?;
        Ok(note)
    }

    /// Health has said 503, the balancer has seen it, and no client is connected any more.
    fn wait_until_let_go(&self, address: std::net::Ipv4Addr) -> Result<()> {
        let balancer = self.stage.balancer();
        let is_out = || balancer.is_in(address) == Some(false);
        self.stage.wait_until(self.longest_leave, is_out).context("the balancer never let go of the node")?;
        let is_idle = || balancer.connections(address) == 0;
        let limit = 2 * self.longest_idle + self.longest_leave;
        self.stage.wait_until(limit, is_idle).context("clients never left the node")
    }

    /// What a kubelet with a graceful shutdown does: nothing is started any more, the pod gets SIGTERM and its grace period.
    fn shut_down(&self, name: &str) -> Result<()> {
        let node = self.stage.cluster.node(name)?;
        node.kill_kubelet()?;
        let gates = gates::on(node);
        gates.iter().try_for_each(|gate| gate.terminate())?;
        gates.iter().try_for_each(|gate| gate.wait(self.longest_leave))
    }

    fn all_gates(&self) -> BTreeSet<Gate> {
        self.stage.cluster.nodes().iter().flat_map(gates::on).collect()
    }

    /// `rollout status` waits for the end of those that drain, so the kill cannot wait for that.
    fn kill(&mut self, kill: Kill) -> Result<String> {
        let before = self.all_gates();
        self.restart()?;
        let nodes = self.stage.cluster.nodes();
        let (node, successor) = kills::newcomer(nodes, &before, self.longest_leave)?;
        let predecessor = gates::on(node).intersection(&before).next().copied();
        let predecessor = predecessor.context("a gate was started where there was none")?;
        let has_sockets = || !successor.listeners().is_empty();
        let has_handed_over = || predecessor.has_handed_over();
        let victim = match kill {
            Kill::Successor(Moment::AtStart) => successor,
            Kill::Successor(Moment::WithSockets) => {
                self.stage.wait_until(self.longest_leave, has_sockets).context("it was given no sockets")?;
                successor
            }
            Kill::Successor(Moment::AfterHandover) => {
                self.stage.wait_until(self.longest_leave, has_handed_over).context("it never took over")?;
                successor
            }
            Kill::Predecessor => {
                self.stage.wait_until(self.longest_leave, has_handed_over).context("it never handed over")?;
                thread::sleep(DRAINS);
                predecessor
            }
        };
        let told = told(&kills::strike(node, victim, &self.tally)?);
        self.stage.wait_for_gates()?;
        Ok(told)
    }

    /// One gate on each node, and no more.
    fn settle(&self) -> Result<()> {
        let nodes = self.stage.cluster.nodes();
        let is_settled = || nodes.iter().all(|node| gates::on(node).len() == 1);
        self.stage.wait_until(self.longest_leave, is_settled).context("gates that drain never ended")
    }
}

fn told(strike: &kills::Strike) -> String {
    let alone = if strike.was_alone { ", when it was the only one that listened" } else { "" };
    format!(", it held {} connections{alone}", strike.held)
}

/// Which step it was in which something happened.
pub(crate) fn step_at(played: &[Played], lost: &tally::Lost) -> Option<usize> {
    played.iter().rposition(|step| step.began <= lost.at)
}
