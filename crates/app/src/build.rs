//! From a checked configuration to bound sockets, and from those to a process that serves, drains and ends.

mod admin;
mod leave;
mod listen;
mod shutdown;
mod succession;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;

use anyhow::{Context, bail};
use controller::Live;
use lifecycle::{Readiness, Waiting, Watch, drain::drain};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};

use crate::config::Config;
use crate::metrics::Metrics;

use admin::Admin;
use leave::{Cause, Grace, Leaving};
use listen::{Listeners, listeners};
pub use shutdown::{Ask, Shutdown};
use succession::{Succession, handed_over};

/// A process whose sockets are bound and hold what comes; nothing is accepted before [`run`](Bound::run).
pub struct Bound {
    /// Where HTTP is served.
    pub http: Vec<SocketAddr>,
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
    let http = listeners.http.iter().map(|listener| listener.local_addr()).collect::<io::Result<Vec<_>>>()?;
    let admin = listeners.admin.local_addr()?;
    let shown: Vec<String> = http.iter().map(SocketAddr::to_string).collect();
    tracing::info!("listening http={} admin={admin}", shown.join(","));
    Ok(Bound { http, admin, live: Live::default(), listeners, config })
}

/// How a process ended that was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Requests that were in flight at the end and got no complete answer.
    pub cut: u64,
}

impl Bound {
    /// Serves until `shutdown` asks or a successor does, then drains. Accepts nothing until the first table is published,
    /// so that nobody gets a 404 for a route that is about to be known. The control plane runs until the end of the drain.
    ///
    /// # Errors
    /// If the folder of manifests cannot be read, a thread cannot be had, or a part of the process fails.
    pub async fn run(self, mut shutdown: Shutdown) -> anyhow::Result<Outcome> {
        let Listeners { http, admin, offers, predecessor, admin_is_answered } = self.listeners;
        let (trigger, watch) = drain();
        let readiness = Readiness::new(watch.clone());
        let waiting = readiness.register("route table");
        let metrics = Metrics::new(self.live.clone());
        let mut tasks = JoinSet::new();
        let mut admin = Admin::new(admin, &self.live, readiness, metrics.clone());
        let mut succession = Succession { path: self.config.handover, offers, predecessor };
        // Else the predecessor, which is ready, answers there until we are: who asks means the address.
        if !admin_is_answered {
            admin.serve(&mut tasks)?;
        }
        let synced = control(&mut tasks, self.config.controller, self.live.clone(), watch.clone());
        if let Some(who) = first_table(synced, &mut tasks, &mut admin, &mut succession, &mut shutdown).await?
        {
            tracing::info!("{who} before the first route table was published: nothing to drain");
            return Ok(Outcome { cut: 0 });
        }
        let grace = Grace::new(&self.config.proxy);
        let owner = succession.claim()?;
        let proxy = start(self.config.proxy, http, self.live, watch, metrics, waiting)?;
        admin.serve(&mut tasks)?;
        succession.confirm().await;
        let (mut finished, mut handed_over) = (pin!(proxy.finished()), pin!(handed_over(owner)));
        let cause = tokio::select! {
            ended = &mut finished => {
                ended.context("the data plane failed")?;
                bail!("the workers ended although nobody had asked them to");
            }
            ended = tasks.join_next() => Cause::Failed(failure(ended)),
            who = shutdown.asked() => Cause::Asked(who),
            successor = &mut handed_over => Cause::HandedOver(successor),
        };
        let leaving = Leaving { trigger: &trigger, grace, admin: &mut admin, shutdown };
        let report = leaving.drain(&cause, finished, handed_over).await?;
        tracing::info!(cut = report.cut, "drained");
        admin.finished().await;
        match cause {
            Cause::Failed(error) => Err(error),
            Cause::Asked(_) | Cause::HandedOver(_) => Ok(Outcome { cut: report.cut }),
        }
    }
}

/// Waits for the first table, or for somebody who asks the process to leave before.
async fn first_table(
    synced: impl Future<Output = ()>,
    tasks: &mut Tasks,
    admin: &mut Admin,
    succession: &mut Succession,
    shutdown: &mut Shutdown,
) -> anyhow::Result<Option<&'static str>> {
    let mut synced = pin!(synced);
    loop {
        tokio::select! {
            () = &mut synced => return Ok(None),
            ended = tasks.join_next() => return Err(failure(ended)),
            who = shutdown.asked() => return Ok(Some(who)),
            ended = succession.predecessor_ended() => {
                ended?;
                // Nobody else can answer the probes now.
                admin.serve(tasks)?;
            }
        }
    }
}

/// The parts of the control plane; none of them ends unless it fails.
type Tasks = JoinSet<anyhow::Error>;

/// Starts the controller; what is returned ends with its first publication.
fn control(
    tasks: &mut Tasks,
    config: controller::Config,
    live: Live,
    drain: Watch,
) -> impl Future<Output = ()> + use<> {
    let (sender, synced) = oneshot::channel();
    tasks.spawn(async move {
        let told = move || {
            let _ = sender.send(());
        };
        match controller::run(config, live, drain, told).await {
            Ok(never) => match never {},
            Err(error) => error.into(),
        }
    });
    async move {
        if synced.await.is_err() {
            // The controller has failed, and its task tells why.
            std::future::pending().await
        }
    }
}

fn failure(ended: Option<Result<anyhow::Error, JoinError>>) -> anyhow::Error {
    match ended {
        Some(Ok(error)) => error,
        Some(Err(panic)) => anyhow::Error::from(panic).context("a part of the control plane failed"),
        None => anyhow::anyhow!("the control plane is gone"),
    }
}

fn start(
    config: proxy::Config,
    listeners: Vec<Arc<TcpListener>>,
    live: Live,
    watch: Watch,
    metrics: Metrics,
    waiting: Waiting,
) -> anyhow::Result<proxy::Proxy> {
    let routes = live.routes.load().routes().len();
    let proxy = proxy::start(config, listeners, live.routes, watch).context("cannot start the workers")?;
    // Only this place sets it, once.
    let _ = metrics.proxy.set(proxy.metrics());
    waiting.done();
    tracing::info!(routes, "serving");
    Ok(proxy)
}
