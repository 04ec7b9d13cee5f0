//! The life of a process: it waits for its first route table, serves, and leaves.

use std::pin::pin;
use std::sync::Arc;

use ::admin::CommandRequest;
use anyhow::Context;
use controller::Live;
use lifecycle::drain::drain;
use lifecycle::handover::Owner;
use lifecycle::{Balancers, Readiness, Trigger, Waiting, Watch};
use proxy::{Listener, Proxy};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};

use super::admin::Admin;
use super::allocator;
use super::control::ControlSocket;
#[cfg(feature = "aws")]
use super::dns::Dns;
#[cfg(feature = "aws")]
use super::frontend::Frontend;
use super::lame_duck::LameDuck;
use super::leave::{LeaveState, Leaving};
use super::listen::BoundSocket;
use super::memory::Memory;
use super::ports::Ports;
use super::protocols;
use super::standby::Mark;
use super::state::Standing;
use super::succession::Succession;
use super::upgrade::{self, Upgrade};
use super::{Bound, Listeners, Outcome, Shutdown};
use crate::config::Config;

/// The parts of the control plane; none of them ends unless it fails.
pub(super) type Tasks = JoinSet<anyhow::Error>;

/// A process: everything that is needed to serve, and to stop again.
pub(super) struct Process {
    live: Live,
    config: Config,
    http: Vec<BoundSocket>,
    https: Vec<BoundSocket>,
    /// None once they are followed.
    ports: Option<Ports>,
    succession: Succession,
    admin: Admin,
    control: ControlSocket,
    /// For a process that is started in this one's place.
    mark: Option<Mark>,
    tasks: Tasks,
    trigger: Arc<Trigger>,
    watch: Watch,
    waiting: Option<Waiting>,
    standing: Standing,
    /// Keeps the DNS records of what it serves.
    #[cfg(feature = "aws")]
    dns: Option<Dns>,
    /// Keeps this node registered at its load balancers, once it serves.
    #[cfg(feature = "aws")]
    frontend: Option<Frontend>,
}

impl Process {
    /// Starts nothing yet.
    pub(super) fn new(bound: Bound, shutdown: &Shutdown) -> Process {
        let Bound { live, mut config, listeners, .. } = bound;
        let Listeners { http, https, admin, health, inherited, offers, predecessor } = listeners;
        let (trigger, watch) = drain();
        let trigger = Arc::new(trigger);
        let readiness = Readiness::new(watch.clone());
        let waiting = Some(readiness.register("route table"));
        let balancers = Balancers::default();
        let duck = LameDuck::new(Arc::clone(&trigger), config.leave.clone(), balancers.clone());
        let upgrade = Upgrade::new(config.program.take(), config.handover.is_some());
        #[cfg_attr(not(feature = "aws"), expect(unused_mut, reason = "it has no load balancers to tell of"))]
        let mut standing = Standing::new(watch.clone(), duck, upgrade);
        #[cfg(feature = "aws")]
        let frontend = config.frontend.take().map(|settings| {
            let frontend = Frontend::new(settings, watch.clone(), &balancers, &readiness);
            standing.frontend = Some(frontend.state());
            frontend
        });
        #[cfg(feature = "aws")]
        let dns = config.dns.take().map(|settings| {
            let dns = Dns::new(settings);
            standing.dns = Some(dns.state());
            dns
        });
        let admin = Admin::new(admin, health, standing.sources(&live, readiness));
        let config_map = config.controller.settings.tcp_services.clone();
        let ports = standing.ports.clone();
        let ports = Some(Ports::new(&config.http, config_map, inherited, offers.clone(), ports));
        let mark = Mark::of(&config);
        let control = ControlSocket::new(config.control.take(), shutdown.commands(), admin.sources());
        let succession = Succession { path: config.handover.take(), offers, predecessor };
        let tasks = JoinSet::new();
        Process {
            live,
            config,
            http,
            https,
            ports,
            succession,
            admin,
            control,
            mark,
            tasks,
            trigger,
            watch,
            waiting,
            standing,
            #[cfg(feature = "aws")]
            dns,
            #[cfg(feature = "aws")]
            frontend,
        }
    }

    /// Waits for the first table, or until the process is asked to leave, and returns the cause of that.
    pub(super) async fn first_table(
        &mut self,
        shutdown: &mut Shutdown,
    ) -> anyhow::Result<Option<&'static str>> {
        // Where a predecessor answers it goes on until we are ready: a probe is about the address, not about a process.
        self.admin.serve_new(&mut self.tasks)?;
        self.control.serve_if_free(&mut self.tasks)?;
        let synced =
            follow(&mut self.tasks, self.config.controller.clone(), self.live.clone(), self.watch.clone());
        let mut synced = pin!(synced);
        loop {
            tokio::select! {
                () = &mut synced => return Ok(None),
                ended = self.tasks.join_next() => return Err(failure(ended)),
                cause = shutdown.asked_to_leave() => return Ok(Some(cause)),
                ended = self.succession.predecessor_ended() => {
                    ended?;
                    if self.succession.is_alone() {
                        // No other process can answer the probes now.
                        self.admin.serve(&mut self.tasks)?;
                    }
                }
            }
        }
    }

    /// Serves until it is asked to leave, and leaves.
    pub(super) async fn serve(mut self, mut shutdown: Shutdown) -> anyhow::Result<Outcome> {
        let mut listeners = Vec::new();
        if let Some(ports) = &mut self.ports {
            listeners = ports.open_first(&self.live.routes.load(), &mut self.succession).await?;
        }
        let mut owner = self.succession.claim().await?;
        let proxy = self.start(listeners)?;
        self.admin.serve(&mut self.tasks)?;
        self.control.serve(&mut self.tasks)?;
        self.succession.confirm(owner.as_mut()).await;
        self.watch_over(proxy.metrics(), shutdown.take_commands());
        self.leave(proxy, owner, shutdown).await
    }

    /// Starts the data plane, with these listeners beside those of HTTP.
    fn start(&mut self, ports: Vec<Listener>) -> anyhow::Result<Proxy> {
        let (http, https) = (std::mem::take(&mut self.http), std::mem::take(&mut self.https));
        let mut listeners = protocols::listeners(&self.config.protocols, &self.live, http, https);
        listeners.extend(ports);
        let mut config = self.config.proxy.clone();
        config.upstream.credentials = self.live.credentials.clone();
        let proxy = proxy::start(config, listeners, self.live.routes.clone(), self.watch.clone());
        let proxy = proxy.context("cannot start the workers")?;
        self.standing.serves(proxy.metrics());
        if let Some(waiting) = self.waiting.take() {
            waiting.done();
        }
        allocator::give_back();
        if let Some(ports) = self.ports.take() {
            let (routes, drain, listen) = (self.live.routes.clone(), self.watch.clone(), proxy.listen());
            self.tasks.spawn(async move { match ports.run(routes, drain, listen).await {} });
        }
        if let Some(memory) = Memory::find(self.config.memory_max) {
            let overload = proxy.overload();
            self.tasks.spawn(async move { match memory.watch(overload).await {} });
        }
        tracing::info!(routes = self.live.routes.load().routes().len(), "serving");
        Ok(proxy)
    }

    /// Follows what may make the process a lame duck, and the commands of its operators.
    fn watch_over(&mut self, metrics: proxy::Metrics, commands: mpsc::Receiver<CommandRequest>) {
        let (duck, upgrade) = (self.standing.duck.clone(), self.standing.upgrade.clone());
        self.tasks.spawn(async move { match upgrade::run_commands(commands, duck, upgrade).await {} });
        let (duck, node) = (self.standing.duck.clone(), self.live.node.clone());
        self.tasks.spawn(async move { match duck.follow(node).await {} });
        let duck = self.standing.duck.clone();
        self.tasks.spawn(async move { match duck.count(move || metrics.accepted()).await {} });
        #[cfg(feature = "aws")]
        self.in_front();
    }

    /// Keeps what stands in front of this node as it should be: DNS reads which load balancers are found.
    #[cfg(feature = "aws")]
    fn in_front(&mut self) {
        let mut frontends = model::Published::new(aws::target::Frontends::default());
        if let Some(frontend) = self.frontend.take() {
            frontends = frontend.found();
            self.tasks.spawn(async move { match frontend.run().await {} });
        }
        if let Some(dns) = self.dns.take() {
            let live = self.live.clone();
            self.tasks.spawn(async move { match dns.run(live, frontends).await {} });
        }
    }

    /// Serves until something makes the process leave, and lets it leave.
    async fn leave(
        mut self,
        proxy: Proxy,
        owner: Option<Owner>,
        mut shutdown: Shutdown,
    ) -> anyhow::Result<Outcome> {
        let mut leaving = Leaving {
            trigger: self.trigger,
            duck: self.standing.duck,
            upgrade: self.standing.upgrade,
            grace: self.config.proxy.drain_time(),
            guard_time: self.config.leave.guard_time,
            stays: self.config.leave.stay,
            admin: &mut self.admin,
            control: &mut self.control,
            tasks: &mut self.tasks,
            owner,
            mark: self.mark,
            deserted: proxy.deserted(),
            state: LeaveState::default(),
        };
        let report = leaving.drain(&mut shutdown, pin!(proxy.finished())).await?;
        tracing::info!(cut = report.cut, "drained");
        leaving.stay(&mut shutdown).await;
        let failed = leaving.state.failed();
        self.control.close();
        self.admin.finished().await;
        failed.map_or(Ok(Outcome { cut: report.cut }), Err)
    }
}

/// Starts the controller; the returned future ends with its first publication.
fn follow(
    tasks: &mut Tasks,
    config: controller::ControllerConfig,
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

pub(super) fn failure(ended: Option<Result<anyhow::Error, JoinError>>) -> anyhow::Error {
    match ended {
        Some(Ok(error)) => error,
        Some(Err(panic)) => anyhow::Error::from(panic).context("a part of the control plane failed"),
        None => anyhow::anyhow!("the control plane is gone"),
    }
}
