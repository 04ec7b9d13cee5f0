//! From a checked configuration to bound sockets, and from those to a process that serves, drains and ends.

mod allocator;
mod listen;
mod low_ports;
mod memory;
mod process;
mod protocols;

mod admin;
mod control;
#[cfg(feature = "aws")]
mod dns;
#[cfg(feature = "aws")]
mod frontend;
mod state;

mod ports;
mod standby;
mod succession;
mod upgrade;

mod lame_duck;
mod leave;
mod shutdown;

use std::io;
use std::net::SocketAddr;

use controller::Live;

use crate::config::Config;

use listen::{BoundSocket, Listeners, listeners};
use process::Process;
pub use shutdown::{Shutdown, ShutdownHandle};
pub(crate) use standby::stand_by;

/// A process whose sockets are bound, and queue connections; it accepts none before [`run`](Bound::run).
pub struct Bound {
    /// Where HTTP is served.
    pub http: Vec<SocketAddr>,
    /// Where HTTPS is served.
    pub https: Vec<SocketAddr>,
    /// Where operators and probes are answered.
    pub admin: SocketAddr,
    /// What the controller publishes.
    pub live: Live,
    listeners: Listeners,
    config: Config,
}

/// Takes the sockets of a predecessor, where the configuration names one, and binds all others.
///
/// # Errors
/// Names the address that cannot be had, and why.
pub async fn build(config: Config) -> anyhow::Result<Bound> {
    let listeners = listeners(&config).await?;
    let (http, https) = (addresses(&listeners.http)?, addresses(&listeners.https)?);
    let admin = listeners.admin.listener.local_addr()?;
    if let Some(health) = &listeners.health {
        tracing::info!("load balancers are answered at http://{}/ready", health.listener.local_addr()?);
    }
    let shown =
        |addresses: &[SocketAddr]| addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(",");
    if !https.is_empty() {
        tracing::info!("listening https={}", shown(&https));
    }
    tracing::info!("listening http={} admin={admin}", shown(&http));
    Ok(Bound { http, https, admin, live: Live::default(), listeners, config })
}

fn addresses(sockets: &[BoundSocket]) -> io::Result<Vec<SocketAddr>> {
    sockets.iter().map(|socket| socket.listener.local_addr()).collect()
}

/// How a process ended after it was asked to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Requests that were in flight at the end and got no complete answer.
    pub cut: u64,
}

impl Bound {
    /// Serves until `shutdown` asks or a successor does, then leaves. Accepts nothing until the first table is published,
    /// so that no client gets a 404 for a route that is about to be known. The control plane runs until the drain ends.
    ///
    /// # Errors
    /// If the folder of manifests cannot be read, a thread cannot be had, or a part of the process fails.
    pub async fn run(self, mut shutdown: Shutdown) -> anyhow::Result<Outcome> {
        let mut process = Process::new(self, &shutdown);
        if let Some(cause) = process.first_table(&mut shutdown).await? {
            tracing::info!("{cause} before the first route table was published: nothing to drain");
            return Ok(Outcome { cut: 0 });
        }
        process.serve(shutdown).await
    }
}
