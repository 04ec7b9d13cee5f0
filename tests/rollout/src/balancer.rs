//! The balancer in front, as one of layer 4 is: it chooses a node for each new connection and never moves one.
//!
//! Like a cloud's it is late. A node is out only after two failed checks and some seconds more, gets new connections until
//! then, and keeps those that it has. A new one is in after two checks that succeed. When none is in, all are (fail open).
//! Packets go straight from client to node, as they do behind a balancer that keeps addresses, so that a client sees
//! just what the node does to it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};

/// Checks in a row until a node is out, and until it is in.
const THRESHOLD: u32 = 2;

/// The gate's listeners in deploy/base: traffic, and health for balancers.
pub(crate) const TRAFFIC: u16 = 80;
const HEALTH: u16 = 9902;

/// One check, from connecting to the answer's first bytes; the least that a cloud's balancer takes.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// A node as the balancer knows it.
struct Target {
    address: Ipv4Addr,
    is_in: bool,
    /// Checks in a row that said otherwise than `is_in`.
    against: u32,
    /// When it was last put in or out.
    since: Instant,
    /// Connections that clients have to it now.
    connections: Arc<AtomicUsize>,
    /// Checks that failed while it was in. Of a rollout there may be none.
    failed: u64,
}

/// Shared by all clients.
pub(crate) struct Balancer {
    targets: Mutex<Vec<Target>>,
    interval: Duration,
    lag: Duration,
    runtime: Arc<Runtime>,
}

/// A place on a node, for as long as the connection lives.
pub(crate) struct Place {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Balancer {
    pub(crate) fn new(interval: Duration, lag: Duration, runtime: Arc<Runtime>) -> Arc<Self> {
        Arc::new(Self { targets: Mutex::default(), interval, lag, runtime })
    }

    /// Registers a node, which is out until its checks succeed.
    pub(crate) fn register(self: &Arc<Self>, address: Ipv4Addr) {
        let (since, connections) = (Instant::now(), Arc::default());
        self.targets().push(Target { address, is_in: false, against: 0, since, connections, failed: 0 });
        self.runtime.spawn(self.clone().check_for_ever(address));
    }

    /// Forgets a node; its connections are not counted any more.
    pub(crate) fn deregister(&self, address: Ipv4Addr) {
        self.targets().retain(|target| target.address != address);
    }

    /// Where the next new connection goes.
    pub(crate) fn choose(&self) -> Option<Place> {
        let targets = self.targets();
        let mut open: Vec<&Target> = targets.iter().filter(|target| target.is_in).collect();
        if open.is_empty() {
            open = targets.iter().collect();
        }
        let target = *open.get(fastrand::usize(..open.len().max(1)))?;
        target.connections.fetch_add(1, Ordering::Relaxed);
        let connections = target.connections.clone();
        Some(Place { address: SocketAddr::from((target.address, TRAFFIC)), connections })
    }

    /// Whether a node gets new connections. None for one that is not registered.
    pub(crate) fn is_in(&self, address: Ipv4Addr) -> Option<bool> {
        self.targets().iter().find(|target| target.address == address).map(|target| target.is_in)
    }

    /// How many connections clients have to a node.
    pub(crate) fn connections(&self, address: Ipv4Addr) -> usize {
        let targets = self.targets();
        let target = targets.iter().find(|target| target.address == address);
        target.map_or(0, |target| target.connections.load(Ordering::Relaxed))
    }

    /// Checks that failed at nodes that were in and are still registered.
    pub(crate) fn failed_checks(&self, address: Ipv4Addr) -> u64 {
        self.targets().iter().find(|target| target.address == address).map_or(0, |target| target.failed)
    }

    async fn check_for_ever(self: Arc<Self>, address: Ipv4Addr) {
        loop {
            let is_healthy = timeout(CHECK_TIMEOUT, check(address)).await == Ok(Some(()));
            let Some(turns) = self.count(address, is_healthy) else { return };
            if turns {
                let (balancer, lag) = (self.clone(), self.lag);
                tokio::spawn(async move {
                    sleep(lag).await;
                    balancer.put(address, is_healthy);
                });
            }
            sleep(self.interval).await;
        }
    }

    /// Counts a check; whether it is the one that decides. None if the node is not registered any more.
    fn count(&self, address: Ipv4Addr, is_healthy: bool) -> Option<bool> {
        let mut targets = self.targets();
        let target = targets.iter_mut().find(|target| target.address == address)?;
        if target.is_in && !is_healthy {
            target.failed += 1;
        }
        target.against = if target.is_in == is_healthy { 0 } else { target.against + 1 };
        Some(target.against == THRESHOLD)
    }

    fn put(&self, address: Ipv4Addr, is_in: bool) {
        for target in self.targets().iter_mut().filter(|target| target.address == address) {
            (target.is_in, target.against, target.since) = (is_in, 0, Instant::now());
        }
    }

    fn targets(&self) -> MutexGuard<'_, Vec<Target>> {
        // Nothing in here panics half-way through a change.
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One check, on a connection of its own.
async fn check(address: Ipv4Addr) -> Option<()> {
    let mut stream = TcpStream::connect((address, HEALTH)).await.ok()?;
    stream.write_all(b"GET /ready HTTP/1.1\r\nHost: health\r\nConnection: close\r\n\r\n").await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    answer.starts_with(b"HTTP/1.1 200 ").then_some(())
}
