//! What connects nodes: a bridge on this machine, which is its gateway, and the numbers that addresses are made of.

use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::process::{ChildStdout, Command};

use crate::{Error, Programs};

/// The second number of addresses (`10.N.…`), above what offices and clouds like to take.
const NUMBERS: std::ops::Range<u8> = 128..250;

/// A bridge that is ours; its name says which addresses are.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    number: u8,
}

impl Network {
    /// Takes the first number that is not taken: of two processes that make a bridge of the same name, one fails. The family
    /// of the cluster removes it; see [`removal`](Self::removal).
    pub(crate) fn claim(programs: &Programs) -> Result<Self, Error> {
        let claim = |number: &u8| ip(programs, &["link", "add", &name(*number), "type", "bridge"]).is_ok();
        let number = NUMBERS.into_iter().find(claim).ok_or(Error::NoBridge)?;
        let network = Self { number };
        let (bridge, address) = (network.name(), format!("{}/24", network.gateway()));
        ip(programs, &["address", "add", &address, "dev", &bridge])?;
        ip(programs, &["link", "set", &bridge, "up"])?;
        Ok(network)
    }

    /// The bridge's name, and that of the cgroup of all nodes.
    pub(crate) fn name(&self) -> String {
        name(self.number)
    }

    /// The shell command that removes it, and the other ends of its cables with it.
    pub(crate) fn removal(&self) -> String {
        let name = self.name();
        format!(
            "for cable in /sys/class/net/{name}/brif/*; do ip link delete \"${{cable##*/}}\"; done\nip link delete {name}\n"
        )
    }

    /// The machine's own address on the bridge.
    pub(crate) fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, self.number, 0, 1)
    }

    /// Of the namespace in which the API server's relay listens.
    pub(crate) fn api_address(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, self.number, 0, 2)
    }

    pub(crate) fn node_address(&self, node: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, self.number, 0, node + 10)
    }

    /// The addresses of a node's pods.
    pub(crate) fn pods(&self, node: u8) -> String {
        format!("10.{}.{node}.0/24", self.number)
    }

    /// What all addresses begin with.
    pub(crate) fn prefix(&self) -> String {
        format!("10.{}", self.number)
    }

    /// Plugs a cable in: one end into the bridge, the other into the namespace of this process, where it is `eth0`. The
    /// relay's number is 0.
    pub(crate) fn connect(&self, programs: &Programs, number: u8, process: u32) -> Result<(), Error> {
        let (bridge, cable, process) = (self.name(), self.cable(number), process.to_string());
        let peer = ["link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns", &process];
        ip(programs, &peer)?;
        ip(programs, &["link", "set", &cable, "master", &bridge, "up"])
    }

    /// Tells this machine where a node's pods are.
    pub(crate) fn route(&self, programs: &Programs, node: u8) -> Result<(), Error> {
        let (pods, address) = (self.pods(node), self.node_address(node).to_string());
        ip(programs, &["route", "replace", &pods, "via", &address, "dev", &self.name()])
    }

    /// Undoes both. The cable goes with the node, but not before the last socket in the node's namespace has gone.
    pub(crate) fn disconnect(&self, programs: &Programs, node: u8) {
        let _ = ip(programs, &["link", "delete", &self.cable(node)]);
        let _ = ip(programs, &["route", "delete", &self.pods(node)]);
    }

    fn cable(&self, node: u8) -> String {
        format!("sluice-{}-{node}", self.number)
    }
}

/// Reads one line of what a namespace's script says, which must be this.
pub(crate) fn hear(says: &mut BufReader<ChildStdout>, wanted: &str) -> Option<()> {
    let mut line = String::new();
    says.read_line(&mut line).ok()?;
    (line.trim_end() == wanted).then_some(())
}

fn name(number: u8) -> String {
    format!("sluice-{number}")
}

fn ip(programs: &Programs, args: &[&str]) -> Result<(), Error> {
    output(programs.command("ip").args(args)).map(drop)
}

/// Runs a command to its end and returns what it has printed.
pub(crate) fn output(command: &mut Command) -> Result<String, Error> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let shown = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let output = command.output().map_err(Error::io(format!("start `{shown}`")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Error::Command { command: shown, stderr: String::from_utf8_lossy(&output.stderr).into_owned() })
}
