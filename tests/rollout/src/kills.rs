//! A kill without warning (SIGKILL) of one of two gates on a node, and which of its consequences could not be prevented.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use nodes::Node;

use crate::balancer::TRAFFIC;
use crate::gates::{self, Gate};
use crate::tally::Tally;

/// How often the nodes are looked at for a new process: it takes over within some tens of milliseconds of its start.
const LOOK_INTERVAL: Duration = Duration::from_millis(3);

/// How long a kubelet may take to start another in place of one that was killed: it backs off for ten seconds.
const RETURN_LIMIT: Duration = Duration::from_secs(60);

/// What a kill met.
pub(crate) struct Strike {
    /// Connections that the process held: these could not be saved.
    pub(crate) held: usize,
    /// It was the only one that listened: no connection could be accepted until another was started.
    pub(crate) was_alone: bool,
}

/// Kills it, after a look at what it holds. It is stopped for the look, so that nothing changes meanwhile.
pub(crate) fn strike(node: &Node, victim: Gate, tally: &Tally) -> Result<Strike> {
    victim.stop()?;
    let (clients, listeners) = (victim.clients(), victim.listeners());
    let others = gates::on(node).into_iter().filter(|gate| *gate != victim);
    let held_by_others: BTreeSet<u64> = others.flat_map(Gate::listeners).collect();
    let was_alone = !listeners.is_empty() && listeners.is_disjoint(&held_by_others);
    tally.excuse(clients.iter().copied());
    let began = Instant::now();
    victim.kill()?;
    if was_alone {
        let ended = wait_for_return(node.address())?;
        tally.excuse_outage(node.address(), began, ended);
    }
    Ok(Strike { held: clients.len(), was_alone })
}

/// The first gate on any of these nodes that was not there before, just when it was started.
pub(crate) fn newcomer<'a>(
    nodes: &'a [Node],
    before: &BTreeSet<Gate>,
    limit: Duration,
) -> Result<(&'a Node, Gate)> {
    let deadline = Instant::now() + limit;
    loop {
        for node in nodes {
            if let Some(gate) = gates::on(node).difference(before).next() {
                return Ok((node, *gate));
            }
        }
        ensure!(Instant::now() < deadline, "no new gate was started within {limit:?}");
        thread::sleep(LOOK_INTERVAL);
    }
}

fn wait_for_return(node: Ipv4Addr) -> Result<Instant> {
    let deadline = Instant::now() + RETURN_LIMIT;
    let address = SocketAddr::from((node, TRAFFIC));
    while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
        ensure!(Instant::now() < deadline, "nothing listened on {node} again within {RETURN_LIMIT:?}");
        thread::sleep(Duration::from_millis(20));
    }
    Ok(Instant::now())
}
