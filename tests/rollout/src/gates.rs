//! The gate's processes, as they are on the nodes: which there are, what sockets they have, and their end.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use nodes::{Node, signal};
use rustix::process::Signal;

use crate::balancer::TRAFFIC;

/// What it is called in the image.
const PROGRAM: &str = "sluicegate";

/// The command that serves.
const COMMAND: &[u8] = b"run";

/// What a gate leaves beside its control socket when it hands over.
const MARK: &str = "run/sluicegate/own/handed-over";

/// How the kernel's tables call a socket that listens.
const LISTEN: &str = "0A";

/// How long the kernel may take to end a process that was killed.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// A gate's process 1, by its id on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Gate(u32);

/// All gates of a node, those that drain too.
pub(crate) fn on(node: &Node) -> BTreeSet<Gate> {
    node.containers(PROGRAM).into_iter().filter(|process| serves(*process)).map(Gate).collect()
}

/// An init container runs the same program with another command.
fn serves(process: u32) -> bool {
    let arguments = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    arguments.split(|byte| *byte == 0).nth(1) == Some(COMMAND)
}

/// A row of the kernel's table.
struct Row {
    port: u16,
    remote: SocketAddr,
    is_listening: bool,
    inode: u64,
}

impl Gate {
    /// Whether it is still there. Its sockets are, until the last of its threads has ended.
    pub(crate) fn runs(self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0));
        let threads = fs::read_dir(format!("/proc/{}/task", self.0)).map_or(0, Iterator::count);
        stat.is_ok_and(|stat| !stat.contains(") Z ") || threads > 1)
    }

    /// SIGTERM, as the kubelet or a machine that is shut down sends it.
    pub(crate) fn terminate(self) -> Result<()> {
        Ok(signal(self.0, Signal::TERM)?)
    }

    /// Waits for its end.
    pub(crate) fn wait(self, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        while self.runs() {
            ensure!(
                Instant::now() < deadline,
                "a gate that was told to leave was still there after {limit:?}"
            );
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    pub(crate) fn stop(self) -> Result<()> {
        Ok(signal(self.0, Signal::STOP)?)
    }

    /// Kills it and returns when it is gone.
    pub(crate) fn kill(self) -> Result<()> {
        signal(self.0, Signal::KILL)?;
        self.wait(KILL_LIMIT)
    }

    /// Whose connections it has accepted.
    pub(crate) fn clients(self) -> Vec<SocketAddr> {
        let own = self.inodes();
        let is_client = |row: &Row| row.port == TRAFFIC && !row.is_listening && own.contains(&row.inode);
        self.rows().into_iter().filter(is_client).map(|row| row.remote).collect()
    }

    /// The listening sockets for traffic that it holds.
    pub(crate) fn listeners(self) -> BTreeSet<u64> {
        let own = self.inodes();
        let is_for_traffic = |row: &Row| row.port == TRAFFIC && row.is_listening && own.contains(&row.inode);
        self.rows().into_iter().filter(is_for_traffic).map(|row| row.inode).collect()
    }

    /// Whether another one serves in its place. It holds the listening sockets as long as it would take them back.
    pub(crate) fn has_handed_over(self) -> bool {
        Path::new("/proc").join(self.0.to_string()).join("root").join(MARK).exists()
    }

    fn inodes(self) -> BTreeSet<u64> {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.0)).into_iter().flatten().flatten();
        let links = descriptors.filter_map(|entry| fs::read_link(entry.path()).ok());
        links
            .filter_map(|link| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
            .collect()
    }

    fn rows(self) -> Vec<Row> {
        let table = fs::read_to_string(Path::new("/proc").join(self.0.to_string()).join("net/tcp"));
        table.unwrap_or_default().lines().skip(1).filter_map(row).collect()
    }
}

fn row(line: &str) -> Option<Row> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (local, remote) = (address(fields.get(1)?)?, address(fields.get(2)?)?);
    let is_listening = *fields.get(3)? == LISTEN;
    Some(Row { port: local.port(), remote, is_listening, inode: fields.get(9)?.parse().ok()? })
}

/// The kernel prints the four bytes of the address as a number of this machine, and the port as one of the network.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let ip = Ipv4Addr::from(u32::from_str_radix(ip, 16).ok()?.to_ne_bytes());
    Some(SocketAddr::from((ip, u16::from_str_radix(port, 16).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_the_kernels_table_is_read() {
        let line = "   1: 0B00800A:0050 0100800A:D431 01 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0";
        let row = row(line).unwrap();
        assert_eq!((row.port, row.inode), (80, 4242));
        assert_eq!(row.remote, "10.128.0.1:54321".parse().unwrap());
        assert!(!row.is_listening);
    }
}
