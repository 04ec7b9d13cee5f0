//! Everything that the scenario happens to: a cluster of two nodes with the gate on each, Deployments behind it, and a
//! balancer in front.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use control_plane::Binaries;
use nodes::{Cluster, Node, Programs};

use crate::balancer::Balancer;
use crate::logs::Logs;
use crate::manifests::Manifests;
use crate::options::Options;
use crate::upstreams::{self, Churn, Kubectl};

/// As many as it takes for one to go while another stays.
const NODES: usize = 2;

/// A bound for what takes seconds.
const LIMIT: Duration = Duration::from_secs(120);

/// Some of what is waited for lasts only milliseconds.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);

/// A cluster, and all that runs in and before it.
pub(crate) struct Stage {
    pub(crate) logs: Logs,
    // In the order in which they end.
    pub(crate) churn: Churn,
    pub(crate) cluster: Cluster,
    pub(crate) kubectl: Kubectl,
    balancer: Arc<Balancer>,
}

impl Stage {
    pub(crate) fn set(options: &Options) -> Result<Self> {
        let (image, manifests) = (options.image.canonicalize(), Manifests::new(options)?);
        let image = image.with_context(|| {
            format!("no image {}: `cargo xtask image --output FILE` writes it", options.image.display())
        })?;
        let binaries = Binaries::find()?;
        let mut cluster = Cluster::start(&binaries, &Programs::find()?, NODES)?;
        cluster.import(&image)?;
        let kubectl = Kubectl::new(&binaries, cluster.plane());
        let folder = manifests.folder().to_string_lossy().into_owned();
        kubectl.run(&["apply", "-k", &folder])?;
        cluster.plane().apply(&upstreams::manifests())?;
        upstreams::wait(&kubectl)?;

        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let balancer = Balancer::new(options.health_interval(), options.balancer_lag(), Arc::new(runtime));
        let churn = Churn::start(kubectl.clone());
        let stage = Self { logs: Logs::start(), churn, cluster, kubectl, balancer };
        stage.wait_for_gates()?;
        for node in stage.cluster.nodes() {
            stage.admit(node)?;
        }
        Ok(stage)
    }

    pub(crate) fn balancer(&self) -> &Arc<Balancer> {
        &self.balancer
    }

    /// Until each node has a gate that is ready, and none is waited for.
    pub(crate) fn wait_for_gates(&self) -> Result<()> {
        let status =
            ["rollout", "status", "--namespace=sluicegate", "daemonset/sluicegate", "--timeout=300s"];
        self.kubectl.run(&status).map(drop).or_else(|why| {
            let pods = self.kubectl.run(&["get", "pods", "--namespace=sluicegate", "--output=wide"]);
            let logs =
                ["logs", "--namespace=sluicegate", "daemonset/sluicegate", "--tail=20", "--all-containers"];
            bail!("{why:#}\n{}{}", pods.unwrap_or_default(), self.kubectl.run(&logs).unwrap_or_default())
        })
    }

    /// Registers a node with the balancer, waits until it gets connections, and follows what its gates log of them.
    pub(crate) fn admit(&self, node: &Node) -> Result<()> {
        self.logs.follow(node);
        self.balancer.register(node.address());
        self.wait_until(LIMIT, || self.balancer.is_in(node.address()) == Some(true))
            .with_context(|| format!("the balancer never found {} healthy", node.name()))
    }

    /// Waits until something is so.
    pub(crate) fn wait_until(&self, limit: Duration, is_so: impl Fn() -> bool) -> Result<()> {
        let deadline = Instant::now() + limit;
        while !is_so() {
            ensure!(Instant::now() < deadline, "it was not so within {limit:?}");
            thread::sleep(LOOK_INTERVAL);
        }
        Ok(())
    }
}
