//! The attackers. They are a process of their own, which has the core only while the good clients and their upstream do not
//! want it: what a flood takes from those is not the proxy's doing.

mod frames;
mod slow;
pub(crate) mod tls;
pub(crate) mod wire;

use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::sync::oneshot;

use crate::case::Case;
pub(crate) use slow::STREAMS;

/// The host that they ask for. It has an endpoint of its own: what work they make for that is not the proxy's doing either.
pub(crate) const HOST: &str = "flooded.example";
/// Connections that flood with frames or handshakes: enough that the proxy always has one to read from.
const FEW: u32 = 8;

/// What the process of the attackers is told.
#[derive(Args)]
pub(crate) struct Orders {
    case: Case,
    to: SocketAddr,
    root: PathBuf,
    connections: u32,
    line: u32,
}

/// Attacks until standard input ends, and then says what that has cost.
pub(crate) fn run(orders: &Orders) -> Result<()> {
    crate::cores::raise_open_files()?;
    let (tell, told) = oneshot::channel();
    std::thread::Builder::new().name("orders".into()).spawn(|| {
        // However standard input ends, it is over.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = tell.send(());
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        start(orders)?;
        told.await?;
        let (connections, sent) = wire::counted();
        println!("{connections} {sent}");
        Ok(())
    })
}

/// Starts all attackers.
fn start(orders: &Orders) -> Result<()> {
    let to = orders.to;
    let few = |kind| (0..FEW).for_each(|_| drop(tokio::spawn(frames::flood(kind, to, orders.line))));
    let many = |kind: slow::Kind, connections| {
        (0..connections).for_each(|_| drop(tokio::spawn(slow::flood(kind.clone(), to))));
    };
    match orders.case {
        Case::RapidReset => few(frames::Kind::RapidReset),
        Case::Continuation => few(frames::Kind::Continuation),
        Case::Ping => few(frames::Kind::Ping),
        Case::Settings => few(frames::Kind::Settings),
        Case::Priority => few(frames::Kind::Priority),
        Case::HpackFields => few(frames::Kind::HpackFields),
        Case::HpackValues => few(frames::Kind::HpackValues),
        Case::ZeroWindow => many(slow::Kind::Window, orders.connections / STREAMS),
        Case::SlowRead => many(slow::Kind::Read, orders.connections),
        Case::SlowHead => many(slow::Kind::Head, orders.connections),
        Case::SlowBody => many(slow::Kind::Body, orders.connections),
        Case::HandshakeStall => {
            many(slow::Kind::Handshake(tls::hello(&tls::client(&orders.root)?)?), orders.connections);
        }
        Case::Handshakes => {
            let config = tls::client(&orders.root)?;
            (0..FEW).for_each(|_| drop(tokio::spawn(tls::flood(config.clone(), to))));
        }
    }
    Ok(())
}

/// This program in another part, which runs where this process does, while no other process wants the core (SCHED_IDLE in
/// sched(7)). Niceness would not do: a nice one still ends its slice before one that wakes up runs.
pub(crate) fn yielding(part: &str) -> Result<Command> {
    let mut command = Command::new("chrt");
    command.args(["--idle", "0"]).arg(std::env::current_exe()?).arg(part);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    Ok(command)
}

/// The process of the attackers, seen from outside.
pub(crate) struct Attack {
    child: Child,
    input: Option<ChildStdin>,
}

/// What an attack has cost its owner.
pub(crate) struct Cost {
    pub(crate) connections: u64,
    /// Bytes on the wire, with those of IP and TCP.
    pub(crate) sent: u64,
}

impl Attack {
    /// Starts it.
    pub(crate) fn start(
        case: Case,
        to: SocketAddr,
        root: &Path,
        connections: u32,
        line: u32,
    ) -> Result<Attack> {
        let mut command = yielding("attack")?;
        command
            .args([case.to_string(), to.to_string()])
            .arg(root)
            .args([connections, line].map(|n| n.to_string()));
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        Ok(Attack { child, input })
    }

    /// Ends it.
    ///
    /// # Errors
    /// If it has ended before.
    pub(crate) fn end(mut self) -> Result<Cost> {
        drop(self.input.take());
        let mut said = String::new();
        self.child.stdout.take().context("its output is piped")?.read_to_string(&mut said)?;
        let Some((connections, sent)) = said.trim().split_once(' ') else {
            bail!("the attackers have ended too early");
        };
        Ok(Cost { connections: connections.parse()?, sent: sent.parse()? })
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
