//! From a checked configuration to bound sockets, and from those to a process that serves, drains and ends.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::{Pin, pin};
use std::time::Duration;

use ::admin::Sources;
use anyhow::{Context, bail};
use controller::Live;
use lifecycle::{Phase, Readiness, Signals, Trigger, Waiting, Watch, drain::drain};
use proxy::Report;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};

use crate::config::Config;
use crate::metrics::Metrics;

/// Connections that may wait to be accepted: a burst, and all that come before the first table is published. The
/// kernel's `net.core.somaxconn` may hold it lower.
const BACKLOG: i32 = 4096;
/// From the hard stop until the workers must have ended; longer, and they hang.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);

/// A process whose sockets are bound and hold what comes; nothing is accepted before [`run`](Bound::run).
pub struct Bound {
    /// Where HTTP is served.
    pub http: Vec<SocketAddr>,
    /// Where operators and probes are answered.
    pub admin: SocketAddr,
    /// What the controller publishes.
    pub live: Live,
    http_listeners: Vec<TcpListener>,
    admin_listener: TcpListener,
    config: Config,
}

/// Binds all sockets.
///
/// # Errors
/// Names the address that cannot be had, and why.
pub fn build(config: Config) -> anyhow::Result<Bound> {
    let http_listeners = config.http.iter().map(|address| listen(*address, "--http"));
    let http_listeners = http_listeners.collect::<anyhow::Result<Vec<_>>>()?;
    let admin_listener = listen(config.admin, "--admin")?;
    let http = http_listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
    let admin = admin_listener.local_addr()?;
    let shown: Vec<String> = http.iter().map(SocketAddr::to_string).collect();
    tracing::info!("listening http={} admin={admin}", shown.join(","));
    Ok(Bound { http, admin, live: Live::default(), http_listeners, admin_listener, config })
}

fn listen(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    let bind = || -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A successor must not wait until the connections of its predecessor are forgotten.
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            // Else `[::]:80` and `0.0.0.0:80` exclude each other.
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    bind().with_context(|| {
        format!("cannot listen on {address}; name another address with {flag}, or allow this one")
    })
}

/// How a process ended that was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Requests that were in flight at the end and got no complete answer.
    pub cut: u64,
}

/// Asks a process to leave: the first time to drain, the second time to stop at once.
#[derive(Clone, Debug)]
pub struct Ask(mpsc::Sender<&'static str>);

impl Ask {
    /// Asks, in the name of `who`. More than two questions are one.
    pub fn leave(&self, who: &'static str) {
        let _ = self.0.try_send(who);
    }

    /// Asks at each SIGTERM and SIGINT from here on.
    ///
    /// # Errors
    /// If the runtime cannot install a handler.
    pub fn on_signals(self) -> io::Result<()> {
        let mut signals = Signals::install()?;
        tokio::spawn(async move {
            loop {
                self.leave(signals.next().await);
            }
        });
        Ok(())
    }
}

/// The end that is asked.
#[derive(Debug)]
pub struct Shutdown(mpsc::Receiver<&'static str>);

impl Shutdown {
    /// Nobody has asked yet.
    pub fn new() -> (Ask, Shutdown) {
        let (sender, receiver) = mpsc::channel(2);
        (Ask(sender), Shutdown(receiver))
    }

    /// Who asks next; waits for ever when nobody can any more.
    async fn asked(&mut self) -> &'static str {
        match self.0.recv().await {
            Some(who) => who,
            None => std::future::pending().await,
        }
    }
}

impl Bound {
    /// Serves until `shutdown` asks, then drains. Accepts nothing until the first table is published, so that nobody
    /// gets a 404 for a route that is about to be known. The control plane runs until the end of the drain.
    ///
    /// # Errors
    /// If the folder of manifests cannot be read, a thread cannot be had, or a part of the process fails.
    pub async fn run(self, mut shutdown: Shutdown) -> anyhow::Result<Outcome> {
        let (trigger, watch) = drain();
        let readiness = Readiness::new(watch.clone());
        let waiting = readiness.register("route table");
        let metrics = Metrics::new(self.live.clone());
        let mut tasks = JoinSet::new();
        serve_admin(&mut tasks, self.admin_listener, &self.live, readiness, metrics.clone())?;
        let synced = control(&mut tasks, self.config.controller, self.live.clone(), watch.clone());
        tokio::select! {
            Ok(()) = synced => {}
            ended = tasks.join_next() => return Err(failure(ended)),
            who = shutdown.asked() => {
                tracing::info!("{who} before the first route table was published: nothing to drain");
                return Ok(Outcome { cut: 0 });
            }
        }
        let grace = Grace::new(&self.config.proxy);
        let proxy = start(self.config.proxy, self.http_listeners, self.live, watch, metrics, waiting)?;
        let mut finished = pin!(proxy.finished());
        // Without its control plane the process would serve an ever older table: it drains, to be started anew.
        let failed = tokio::select! {
            ended = &mut finished => {
                ended.context("the data plane failed")?;
                bail!("the workers ended although nobody had asked them to");
            }
            ended = tasks.join_next() => Some(failure(ended)),
            who = shutdown.asked() => { grace.announce(who); None }
        };
        let report = leave(&trigger, grace, finished, shutdown).await?;
        tracing::info!(cut = report.cut, "drained");
        failed.map_or(Ok(Outcome { cut: report.cut }), Err)
    }
}

/// The parts of the control plane; none of them ends unless it fails.
type Tasks = JoinSet<anyhow::Error>;

fn serve_admin(
    tasks: &mut Tasks,
    listener: TcpListener,
    live: &Live,
    readiness: Readiness,
    metrics: Metrics,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (routes, problems) = (live.routes.clone(), live.problems.clone());
    let sources = Sources { readiness, routes, problems, metrics: Box::new(move || metrics.render()) };
    tasks.spawn(async move { match ::admin::serve(listener, sources).await {} });
    Ok(())
}

/// Starts the controller; the receiver hears of its first publication.
fn control(tasks: &mut Tasks, config: controller::Config, live: Live, drain: Watch) -> oneshot::Receiver<()> {
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
    synced
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
    listeners: Vec<TcpListener>,
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

/// How long a drain may take: until the last silent client is gone, and then as long as its last request may take.
#[derive(Clone, Copy)]
struct Grace(Duration);

impl Grace {
    fn new(config: &proxy::Config) -> Grace {
        Grace(config.idle_timeout + config.max_request_time)
    }

    fn announce(self, who: &str) {
        tracing::info!(
            "{who}: draining; clients are told to leave with their next answer; what is left is cut in {:?}, or at once \
             if asked again",
            self.0
        );
    }
}

async fn leave(
    trigger: &Trigger,
    grace: Grace,
    mut finished: Pin<&mut impl Future<Output = io::Result<Report>>>,
    mut shutdown: Shutdown,
) -> anyhow::Result<Report> {
    trigger.advance(Phase::Draining);
    tokio::select! {
        report = &mut finished => return report.context("the data plane failed"),
        who = shutdown.asked() => tracing::warn!("{who} again: stopping at once"),
        () = tokio::time::sleep(grace.0) => tracing::warn!("the drain has taken its full time: stopping"),
    }
    trigger.advance(Phase::Stopping);
    let stopped = tokio::time::timeout(STOP_TIME_MAX, finished).await;
    let report = stopped.with_context(|| format!("the workers did not end within {STOP_TIME_MAX:?}"))?;
    report.context("the data plane failed")
}
