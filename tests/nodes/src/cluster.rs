//! A control plane, a scheduler and nodes, as one thing.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use control_plane::{Binaries, ControlPlane, Family};

use crate::network::Network;
use crate::node::Surroundings;
use crate::relay::{API, Relay};
use crate::{Error, Node, Programs, cgroups};

/// A running cluster with real nodes. Dropping it ends it, and so does the end of this process, however that comes.
pub struct Cluster {
    // In the order in which they end.
    nodes: Vec<Node>,
    _scheduler: Scheduler,
    _relay: Relay,
    family: Family,
    plane: ControlPlane,
    programs: Programs,
    network: Network,
    kubeconfig: String,
    images: Vec<PathBuf>,
    next: u8,
}

impl Cluster {
    /// Starts a control plane and so many nodes, and returns when all are Ready.
    ///
    /// # Errors
    /// If it is not run by root, or something is missing or does not start; the error shows the end of a log.
    pub fn start(binaries: &Binaries, programs: &Programs, nodes: usize) -> Result<Self, Error> {
        let network = Network::claim(programs)?;
        let cleanup = format!(
            "PATH=$PATH:/usr/sbin:/sbin\n{}{}",
            cgroups::removal(&network.name())?,
            network.removal()
        );
        let family = Family::start_with(&cleanup)?;
        let plane = ControlPlane::start_for_nodes(binaries)?;
        let server = plane.server().trim_start_matches("https://").parse();
        let server = server.expect("it is an address and a port of loopback");
        let kubeconfig = std::fs::read_to_string(plane.kubeconfig());
        let kubeconfig = kubeconfig.map_err(Error::io(format!("read {}", plane.kubeconfig().display())))?;
        let kubeconfig = kubeconfig.replace(plane.server(), &format!("https://{}:{}", API.0, API.1));
        let relay = Relay::start(programs, &network, family.group(), server)?;
        let scheduler = Scheduler::start(programs, &plane, &family)?;
        let programs = programs.clone();
        let mut cluster = Self {
            nodes: Vec::new(),
            _scheduler: scheduler,
            _relay: relay,
            family,
            plane,
            programs,
            network,
            kubeconfig,
            images: Vec::new(),
            next: 1,
        };
        let launched: Result<Vec<Node>, Error> = (0..nodes).map(|_| cluster.launch()).collect();
        for mut node in launched? {
            node.wait_until_ready(&cluster.plane)?;
            cluster.nodes.push(node);
        }
        Ok(cluster)
    }

    /// The control plane: its kubectl, its kubeconfig and its faults.
    pub fn plane(&self) -> &ControlPlane {
        &self.plane
    }

    /// The nodes that there are.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One of them.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn node(&self, name: &str) -> Result<&Node, Error> {
        self.nodes.iter().find(|node| node.name() == name).ok_or_else(|| Error::NoNode(name.to_owned()))
    }

    /// This machine's address on the network of the nodes.
    pub fn gateway(&self) -> std::net::Ipv4Addr {
        self.network.gateway()
    }

    /// Gives every node, and those that come, the images of an archive (docker-archive, as `docker save` writes it).
    ///
    /// # Errors
    /// With what containerd said.
    pub fn import(&mut self, archive: &Path) -> Result<(), Error> {
        self.nodes.iter().try_for_each(|node| node.import(archive))?;
        self.images.push(archive.to_owned());
        Ok(())
    }

    /// Adds a node and returns when it is Ready. It has a name and an address that no other had.
    ///
    /// # Errors
    /// If it does not start; the error shows the end of a log.
    pub fn add_node(&mut self) -> Result<&Node, Error> {
        let mut node = self.launch()?;
        node.wait_until_ready(&self.plane)?;
        self.nodes.push(node);
        Ok(self.nodes.last().expect("it was just added"))
    }

    /// Takes a node away without warning: all of it is killed, and then its object is deleted, as a cloud does it. What
    /// is to go gracefully must have gone before.
    ///
    /// # Errors
    /// If there is none of this name, or it cannot be deleted.
    pub fn remove_node(&mut self, name: &str) -> Result<(), Error> {
        let place = self.nodes.iter().position(|node| node.name() == name);
        drop(self.nodes.remove(place.ok_or_else(|| Error::NoNode(name.to_owned()))?));
        Ok(self.plane.run(&["delete", "node", name, "--wait=false"], "")?)
    }

    fn launch(&mut self) -> Result<Node, Error> {
        let number = self.next;
        self.next += 1;
        let around = Surroundings {
            programs: &self.programs,
            network: &self.network,
            images: &self.images,
            kubeconfig: &self.kubeconfig,
            folder: self.family.folder(),
            group: self.family.group(),
        };
        Node::launch(number, &around)
    }
}

/// kube-scheduler. Only pods wait for it.
struct Scheduler(Child);

impl Scheduler {
    fn start(programs: &Programs, plane: &ControlPlane, family: &Family) -> Result<Self, Error> {
        let log = family.folder().join("kube-scheduler.log");
        let log = File::create(&log).map_err(Error::io(format!("create {}", log.display())))?;
        let mut scheduler = programs.command("kube-scheduler");
        scheduler.arg(format!("--kubeconfig={}", plane.kubeconfig().display()));
        // No port: no client asks it anything.
        scheduler.args(["--leader-elect=false", "--secure-port=0"]).process_group(family.group());
        scheduler.stdout(Stdio::null()).stderr(log);
        Ok(Self(scheduler.spawn().map_err(Error::io("start kube-scheduler"))?))
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
