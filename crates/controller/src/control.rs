//! The loop: something changed, compile, publish; what comes in a burst is gathered first. There is one for each source.

mod cluster;
mod folder;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use compile::Settings;
use lifecycle::Watch;
use model::Problem;

use crate::cluster::{Cluster, ConnectError};
use crate::index::Index;
use crate::manifests::ReadError;
use crate::publish::Live;

/// How long a start waits for DNS and for Secrets. Longer than one DNS server's time out, so that a second one is asked.
const FIRST_ANSWERS_TIME_MAX: Duration = Duration::from_secs(3);

/// What the controller reads, and how soon a change is live.
#[derive(Clone, Debug)]
pub struct ControllerConfig {
    /// Where the objects come from.
    pub source: Source,
    /// What bears on the table.
    pub settings: Settings,
    /// Changes are taken once nothing has changed for this long, so that a burst gives one publication.
    pub quiet: Duration,
    /// A change waits for quiet at most this long.
    pub at_most: Duration,
    /// Asked about ExternalName Services instead of the servers in `/etc/resolv.conf`.
    pub dns_server: Option<SocketAddr>,
}

/// Where the objects come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A folder of manifests.
    Folder(PathBuf),
    /// The API server of a cluster.
    Cluster(Box<Cluster>),
}

impl ControllerConfig {
    /// This source, with a quiet time of 10 ms and at most 100 ms.
    pub fn new(source: Source, settings: Settings) -> ControllerConfig {
        let (quiet, at_most) = (Duration::from_millis(10), Duration::from_millis(100));
        ControllerConfig { source, settings, quiet, at_most, dns_server: None }
    }
}

/// Why [`run`] ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder could not be read at the start. Later, that is a problem, and the last good state stays.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is not known which cluster to follow. An API server that is away is waited for.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The cluster did not say all within the time that there was.
    #[error("the cluster cannot be read: {0}")]
    Unread(String),
}

/// Follows the source, compiles and publishes until it is dropped. `synced` is called once, after the first
/// publication; nothing is published before everything was read once. What is written into a cluster ends when the
/// drain begins.
///
/// # Errors
/// If the source cannot be used at the start.
pub async fn run(
    config: ControllerConfig,
    live: Live,
    drain: Watch,
    synced: impl FnOnce(),
) -> Result<Infallible, Error> {
    match config.source.clone() {
        Source::Folder(manifests) => {
            let writes = folder::write_until_drain(live.writes.clone(), drain);
            tokio::select! {
                ended = folder::run(config, manifests, live, synced) => ended,
                never = writes => match never {},
            }
        }
        Source::Cluster(cluster) => cluster::run(config, *cluster, live, drain, synced).await,
    }
}

/// Reads a cluster once: what there is, and what is wrong with reading it.
///
/// # Errors
/// If it is not known which cluster is meant, or not all is read within this time.
pub(crate) async fn read_cluster(
    config: ControllerConfig,
    cluster: Cluster,
    within: Duration,
) -> Result<(Index, Vec<Problem>), Error> {
    cluster::read_once(config, cluster, within).await
}

/// Reading and compiling may take longer than others on this runtime should wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}
