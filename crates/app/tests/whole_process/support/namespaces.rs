//! A network of two machines, as far as the kernel is concerned: this test in one, the program in the other, and a wire
//! between them that loses what a test wants to be lost, in either direction.

use std::env;
use std::fs;
use std::process::{Child, Command, Stdio};

use super::eventually;

const INSIDE: &str = "INSIDE_A_NAMESPACE";
/// No interface has this address: what is sent there is lost.
const NOWHERE: &str = "02:00:00:00:00:99";

/// The two ends of the wire.
#[derive(Clone, Copy)]
struct End {
    device: &'static str,
    address: &'static str,
    mac: &'static str,
}

const HERE: End = End { device: "here", address: "10.9.0.1", mac: "02:00:00:00:00:01" };
const THERE: End = End { device: "there", address: "10.9.0.2", mac: "02:00:00:00:00:02" };

/// Whether this test runs in a network namespace of its own. If not, runs it there, to its end.
///
/// # Panics
/// If it fails, or there can be no namespaces here.
pub(crate) fn in_a_namespace(test: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let mut again = Command::new("unshare");
    again.arg("-rn").arg(env::current_exe().unwrap()).args(["--exact", test, "--nocapture"]);
    let output = again.env(INSIDE, "yes").output().expect("unshare, of util-linux");
    let text = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat();
    assert!(output.status.success() && text.contains("1 passed"), "in a namespace:\n{text}");
    false
}

/// The other machine, and the wire to it.
pub(crate) struct Link {
    /// Holds the other namespace for as long as this process lives.
    holder: Child,
}

impl Link {
    /// The address of the other machine.
    pub(crate) const THERE: &'static str = THERE.address;
    /// Our address, as the other machine sees it.
    pub(crate) const HERE: &'static str = HERE.address;

    pub(crate) fn new() -> Link {
        let mut holder = Command::new("unshare");
        // It ends when its input does.
        let holder =
            holder.args(["-n", "cat"]).stdin(Stdio::piped()).spawn().expect("unshare, of util-linux");
        let link = Link { holder };
        let network = |of: &str| fs::read_link(format!("/proc/{of}/ns/net")).unwrap();
        let pid = link.holder.id().to_string();
        eventually("the other namespace", || (network(&pid) != network("self")).then_some(()));
        run(Command::new("ip")
            .args(["link", "add", HERE.device, "address", HERE.mac, "type", "veth"])
            .args(["peer", "name", THERE.device, "address", THERE.mac, "netns", &pid]));
        for (end, there) in [(HERE, false), (THERE, true)] {
            link.ip(there, &["link", "set", "lo", "up"]);
            link.ip(there, &["address", "add", &format!("{}/24", end.address), "dev", end.device]);
            link.ip(there, &["link", "set", end.device, "up"]);
        }
        link.carry_from_here(true);
        link.carry_from_there(true);
        link
    }

    /// Makes a program run there.
    pub(crate) fn there(&self, program: &Command) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.holder.id().to_string(), "-n"]).arg(program.get_program());
        command.args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Whether the wire carries what we send, or loses it.
    pub(crate) fn carry_from_here(&self, carries: bool) {
        self.neighbour(false, HERE, THERE, carries);
    }

    /// Whether the wire carries what the other machine sends, or loses it.
    pub(crate) fn carry_from_there(&self, carries: bool) {
        self.neighbour(true, THERE, HERE, carries);
    }

    fn neighbour(&self, there: bool, from: End, to: End, carries: bool) {
        let mac = if carries { to.mac } else { NOWHERE };
        let known = ["neighbour", "replace", to.address, "lladdr", mac, "dev", from.device];
        self.ip(there, &[&known[..], &["nud", "permanent"]].concat());
    }

    /// Connections to this port of the other machine in the middle of their handshake, as that one sees them.
    pub(crate) fn half_open(&self, port: u16) -> usize {
        let table = fs::read_to_string(format!("/proc/{}/net/tcp", self.holder.id())).unwrap();
        let port = format!(":{port:04X}");
        let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.filter(|it| it[1].ends_with(&port) && it[3] == "03").count()
    }

    fn ip(&self, there: bool, args: &[&str]) {
        let mut ip = Command::new("ip");
        ip.args(args);
        run(&mut if there { self.there(&ip) } else { ip });
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|why| panic!("{command:?}: {why}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
