//! One node: process 1 of its namespaces, what it has started, and its end, which is that of process 1.

use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use control_plane::{ControlPlane, Tail};
use rustix::process::{Pid, Signal, kill_process};

use crate::network::{Network, hear, output};
use crate::{Error, Programs, cgroups, settings};

/// What process 1 does.
const SCRIPT: &str = include_str!("node.sh");

/// Alone on two cores a node is Ready eight seconds after its start; tests are not alone.
const READY_LIMIT: Duration = Duration::from_secs(120);

/// How long one kubectl waits, so that a new node whose object is not there yet is asked for again.
const READY_INTERVAL: Duration = Duration::from_millis(200);

/// What a node takes from its cluster.
pub(crate) struct Surroundings<'a> {
    pub(crate) programs: &'a Programs,
    pub(crate) network: &'a Network,
    pub(crate) images: &'a [PathBuf],
    pub(crate) kubeconfig: &'a str,
    pub(crate) folder: &'a Path,
    pub(crate) group: i32,
}

/// A node of a [`Cluster`](crate::Cluster).
pub struct Node {
    name: String,
    number: u8,
    address: Ipv4Addr,
    folder: PathBuf,
    cgroup: PathBuf,
    init: u32,
    says: BufReader<ChildStdout>,
    process: Child,
    programs: Programs,
    network: Network,
}

impl Node {
    /// Starts it and does not wait.
    pub(crate) fn launch(number: u8, around: &Surroundings<'_>) -> Result<Self, Error> {
        let name = format!("node-{number}");
        let (folder, address) = (around.folder.join(&name), around.network.node_address(number));
        let cgroup = Path::new(&around.network.name()).join(&name);
        fs::create_dir_all(&folder).map_err(Error::io(format!("create {}", folder.display())))?;
        settings::write(&folder, around.kubeconfig, &cgroup, &around.network.pods(number))?;

        let mut process = start(number, around, &folder)?;
        let mut says = BufReader::new(process.stdout.take().expect("it is a pipe"));
        hear(&mut says, "prepared").ok_or_else(|| not_set_up(&name, &folder))?;
        let init = children(process.id()).first().copied().ok_or_else(|| not_set_up(&name, &folder))?;
        around.network.connect(around.programs, number, init)?;
        around.network.route(around.programs, number)?;
        let told = process.stdin.as_mut().expect("it is a pipe").write_all(b"connected\n");
        told.map_err(Error::io(format!("tell {name} that it is connected")))?;
        let (programs, network) = (around.programs.clone(), around.network.clone());
        Ok(Self { name, number, address, folder, cgroup, init, says, process, programs, network })
    }

    /// Waits until pods may run on it.
    pub(crate) fn wait_until_ready(&mut self, plane: &ControlPlane) -> Result<(), Error> {
        hear(&mut self.says, "started").ok_or_else(|| not_set_up(&self.name, &self.folder))?;
        let deadline = Instant::now() + READY_LIMIT;
        let node = format!("node/{}", self.name);
        while plane.run(&["wait", "--for=condition=Ready", &node, "--timeout=1s"], "").is_err() {
            if Instant::now() > deadline {
                let log = Tail::of(&self.folder.join("kubelet.log"));
                return Err(Error::NotReady { name: self.name.clone(), limit: READY_LIMIT, log });
            }
            thread::sleep(READY_INTERVAL);
        }
        Ok(())
    }

    /// As Kubernetes knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where pods in the host's network listen; reachable from this machine.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Its programs' logs: `kubelet.log`, `containerd.log`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its own root folder, as it is seen from this machine.
    pub fn files(&self) -> PathBuf {
        format!("/proc/{}/root", self.init).into()
    }

    /// A command that runs on the node, with its network, its files and its processes.
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.programs.command("nsenter");
        command.args(["--target", &self.init.to_string(), "--net", "--mount", "--pid", "--", program]);
        command
    }

    /// Puts the images of an archive (docker-archive, as `docker save` writes it) where kubelet finds them.
    pub(crate) fn import(&self, archive: &Path) -> Result<(), Error> {
        let mut import = self.command("ctr");
        // Without --local what kubelet asks does not always hear of it.
        import.args(["--namespace", "k8s.io", "images", "import", "--local"]).arg(archive);
        output(&mut import).map(drop)
    }

    /// Process 1 of each container whose process 1 has this name, by its id on this machine.
    pub fn containers(&self, name: &str) -> Vec<u32> {
        let hierarchies = cgroups::hierarchies().unwrap_or_default();
        let all =
            hierarchies.first().map_or_else(Vec::new, |hierarchy| members(&hierarchy.join(&self.cgroup)));
        all.into_iter().filter(|pid| is_called(*pid, name) && is_first(*pid)).collect()
    }

    /// Ends kubelet without warning: what runs goes on, and nothing is started again. So a machine looks to its
    /// containers once it is being shut down.
    ///
    /// # Errors
    /// If it does not run.
    pub fn kill_kubelet(&self) -> Result<(), Error> {
        let kubelet = children(self.init).into_iter().find(|pid| is_called(*pid, "kubelet"));
        let kubelet = kubelet.ok_or_else(|| Error::NoNode(format!("kubelet on {}", self.name)))?;
        signal(kubelet, Signal::KILL).map_err(Error::io(format!("kill kubelet of {}", self.name)))
    }
}

impl Drop for Node {
    /// Everything on it is killed at once, as by a loss of power.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.network.disconnect(&self.programs, self.number);
        cgroups::remove(&self.cgroup);
    }
}

/// Sends a signal to a process of a container.
///
/// # Errors
/// If it is gone.
pub fn signal(process: u32, signal: Signal) -> std::io::Result<()> {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| std::io::Error::other("not a process"))?;
    Ok(kill_process(pid, signal)?)
}

/// In namespaces of its own. `unshare` stays in ours, and takes process 1 with it when it is killed.
fn start(number: u8, around: &Surroundings<'_>, folder: &Path) -> Result<Child, Error> {
    let network = around.network;
    let log = folder.join("node.log");
    let log = File::create(&log).map_err(Error::io(format!("create {}", log.display())))?;
    let mut unshare = around.programs.command("unshare");
    unshare.args(["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]);
    unshare.args(["sh", "-c", SCRIPT, "node.sh"]).arg(folder);
    let addresses = [network.node_address(number), network.gateway(), network.api_address()];
    unshare.args(addresses.map(|address| address.to_string()));
    unshare.args([&number.to_string(), &network.prefix()]).arg(around.programs.image()).args(around.images);
    unshare.process_group(around.group).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
    unshare.spawn().map_err(Error::io(format!("start `unshare` for node-{number}")))
}

fn not_set_up(name: &str, folder: &Path) -> Error {
    Error::NotSetUp { name: name.to_owned(), log: Tail::of(&folder.join("node.log")) }
}

fn children(process: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    children.unwrap_or_default().split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// All processes in a tree of cgroups.
fn members(folder: &Path) -> Vec<u32> {
    let own = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    let own = own.lines().filter_map(|line| line.parse().ok()).collect();
    let below = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    below.filter(|path| path.is_dir()).fold(own, |own, path| [own, members(&path)].concat())
}

fn is_called(process: u32, name: &str) -> bool {
    fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|comm| comm.trim_end() == name)
}

/// Whether it is process 1 in the innermost of its namespaces; probes run in the same cgroup.
fn is_first(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    ids.and_then(|ids| ids.split_whitespace().last()).is_some_and(|id| id == "1")
}
