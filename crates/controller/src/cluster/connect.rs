//! From a kubeconfig, or the pod we run in, to a client of the API server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tower::timeout::TimeoutLayer;

use super::pace::PaceLayer;

use super::error::text;

/// An API server that has not taken a connection by then is away; the next try may find another one.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(2);

/// Until the head of a response has come. That of a watch comes at once, that of a list when the list is made.
pub(super) const HEAD_TIME_MAX: Duration = Duration::from_secs(15);

/// A connection that is silent for longer is dead: the server ends each watch before (see `watch.rs`).
const SILENCE_MAX: Duration = Duration::from_secs(50);

/// Why there is no client. None of it mends itself: the process cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The kubeconfig cannot be read or makes no sense.
    #[error("{path}: {why}; name another file with --kubeconfig")]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is no kubeconfig, and this is no pod.
    #[error(
        "this is no pod of a cluster ({0}); name a cluster with --kubeconfig FILE, or a folder with --manifests DIR"
    )]
    NoPod(String),
    /// The certificates or keys cannot be used.
    #[error(
        "cannot set up a client of the API server: {0}; see to the certificates and keys that --kubeconfig names"
    )]
    Client(String),
}

/// A client, and the namespace that is ours where none is named.
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

/// Sets up a client. Whether the API server can be reached shows later, and then it is waited for.
pub(crate) async fn connect(kubeconfig: Option<&Path>) -> Result<Connection, ConnectError> {
    let mut config = match kubeconfig {
        Some(path) => read(path).await?,
        None => Config::incluster().map_err(|error| ConnectError::NoPod(text(&error)))?,
    };
    config.connect_timeout = Some(CONNECT_TIME_MAX);
    config.read_timeout = Some(SILENCE_MAX);
    // Else the time that a pooled connection was idle would count.
    config.reset_reader_on_write = true;
    // Its waits would be hidden in a request that hangs; ours are told, and shorter.
    config.default_retry = false;
    let namespace = config.default_namespace.clone();
    tracing::info!(server = %config.cluster_url, "following the cluster");
    let builder = ClientBuilder::try_from(config).map_err(|error| ConnectError::Client(text(&error)))?;
    let client =
        builder.with_layer(&TimeoutLayer::new(HEAD_TIME_MAX)).with_layer(&PaceLayer::default()).build();
    Ok(Connection { client, namespace })
}

async fn read(path: &Path) -> Result<Config, ConnectError> {
    let wrong =
        |error: KubeconfigError| ConnectError::Kubeconfig { path: path.to_owned(), why: text(&error) };
    let kubeconfig = Kubeconfig::read_from(path).map_err(wrong)?;
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.map_err(wrong)
}
