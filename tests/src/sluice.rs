//! The data plane in this process, with a route table that the test publishes.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lifecycle::{Phase, Trigger};
use model::Protocol as UpstreamProtocol;
use model::{
    Backend, BackendKey, Condition, Conditions, Endpoint, EndpointKey, HostMatch, ObjectRef, Origin,
    PathMatch, Policy, Published, Route, RouteTable, RouteTableBuilder, Target, Transport,
};
use proxy::{AccessLog, Config, Listener, Metrics, Overload, Protocol, Proxy, Report};

/// A running data plane.
#[derive(Debug)]
pub struct Sluice {
    /// Where it accepts.
    pub address: SocketAddr,
    routes: Routes,
    trigger: Trigger,
    proxy: Option<Proxy>,
    metrics: Metrics,
    overload: Overload,
}

struct Routes {
    live: Published<RouteTable>,
    generation: AtomicU64,
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Routes").field(&self.generation).finish()
    }
}

impl Sluice {
    /// Starts with the default settings and one worker, every request going to these endpoints.
    pub fn start(endpoints: &[SocketAddr]) -> Sluice {
        Sluice::with(|_| {}, endpoints)
    }

    /// Starts with settings of the test's own.
    ///
    /// # Panics
    /// If loopback has no port left, or a thread cannot be had.
    pub fn with(change: impl FnOnce(&mut Config), endpoints: &[SocketAddr]) -> Sluice {
        Sluice::speaking(Protocol::default(), change, endpoints)
    }

    /// Starts with something to be spoken before HTTP.
    ///
    /// # Panics
    /// If loopback has no port left, or a thread cannot be had.
    pub fn speaking(
        protocol: Protocol,
        change: impl FnOnce(&mut Config),
        endpoints: &[SocketAddr],
    ) -> Sluice {
        let mut config = Config { access_log: AccessLog::Off, ..Config::default() };
        // Tests need not wait for what only keeps clients from coming back all at once.
        config.downstream.http2.goodbye_spread = Duration::from_millis(500);
        change(&mut config);
        let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = socket.local_addr().expect("a bound socket");
        let listener = Listener { protocol: Arc::new(protocol), ..Listener::from(socket) };
        let live = Published::new(table(1, &endpoints.iter().copied().map(ready).collect::<Vec<_>>()));
        let (trigger, watch) = lifecycle::drain::drain();
        let proxy = proxy::start(config, vec![listener], live.clone(), watch).expect("the workers start");
        let (metrics, overload) = (proxy.metrics(), proxy.overload());
        let routes = Routes { live, generation: AtomicU64::new(1) };
        Sluice { address, routes, trigger, proxy: Some(proxy), metrics, overload }
    }

    /// From now on every request goes to these endpoints.
    pub fn publish(&self, endpoints: &[Endpoint]) {
        let generation = self.routes.generation.fetch_add(1, Ordering::SeqCst) + 1;
        self.routes.live.publish(table(generation, endpoints));
    }

    /// From now on this is spoken with these endpoints, to which every request goes.
    pub fn publish_speaking(&self, protocol: UpstreamProtocol, endpoints: &[SocketAddr]) {
        self.publish_over(Transport { protocol: Some(protocol), ..Transport::default() }, endpoints);
    }

    /// From now on these endpoints, to which every request goes, are spoken to in this way.
    pub fn publish_over(&self, transport: Transport, endpoints: &[SocketAddr]) {
        let generation = self.routes.generation.fetch_add(1, Ordering::SeqCst) + 1;
        let endpoints: Vec<_> = endpoints.iter().copied().map(ready).collect();
        let mut builder = RouteTableBuilder::default();
        add_route_to(&mut builder, "", "/", "web", transport, Policy::default(), &endpoints);
        self.routes.live.publish(builder.build(generation));
    }

    /// Makes any table live.
    pub fn publish_table(&self, table: RouteTable) {
        self.routes.live.publish(table);
    }

    /// Starts the drain.
    pub fn drain(&self) {
        self.trigger.advance(Phase::Draining);
    }

    /// Cuts what is left.
    pub fn stop(&self) {
        self.trigger.advance(Phase::Stopping);
    }

    /// What the workers count.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Where the workers are told that memory is short.
    pub fn overload(&self) -> &Overload {
        &self.overload
    }

    /// One of the counters and gauges that the workers export, summed over them.
    ///
    /// # Panics
    /// If there is none of this name.
    pub fn count(&self, name: &str) -> u64 {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || self.metrics.export());
        let text = recorder.handle().render();
        let values = text.lines().filter_map(|line| line.split_once(' '));
        let value = values.filter(|(key, _)| *key == name).find_map(|(_, value)| value.parse::<f64>().ok());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts are small and positive"
        )]
        value.map(|value| value as u64).expect("a metric of this name")
    }

    /// Whether the drain comes to its end within this time, and what it came to.
    ///
    /// # Panics
    /// If it is asked twice.
    pub fn finished_within(&mut self, time: std::time::Duration) -> Option<Report> {
        let proxy = self.proxy.take().expect("asked for the first time");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            tokio::time::timeout(time, proxy.finished())
                .await
                .ok()
                .map(|ended| ended.expect("no worker panics"))
        })
    }
}

/// An endpoint that takes requests; its identity follows from its address.
pub fn ready(address: SocketAddr) -> Endpoint {
    endpoint(address, &address.to_string(), Condition::Ready)
}

/// An endpoint with this identity and condition.
pub fn endpoint(address: SocketAddr, uid: &str, condition: Condition) -> Endpoint {
    Endpoint { key: EndpointKey { address, uid: uid.into() }, condition }
}

/// A table in which every request of every host goes to these endpoints.
pub fn table(generation: u64, endpoints: &[Endpoint]) -> RouteTable {
    let mut builder = RouteTableBuilder::default();
    add_route(&mut builder, "", "/", "web", endpoints);
    builder.build(generation)
}

/// The same, with a policy of the test's own.
pub fn table_with(generation: u64, policy: Policy, endpoints: &[Endpoint]) -> RouteTable {
    let mut builder = RouteTableBuilder::default();
    add_route_to(&mut builder, "", "/", "web", Transport::default(), policy, endpoints);
    builder.build(generation)
}

/// Adds a Prefix route for a host and a path to a backend of this name.
///
/// # Panics
/// If the host or the path is malformed.
pub fn add_route(
    builder: &mut RouteTableBuilder,
    host: &str,
    path: &str,
    service: &str,
    endpoints: &[Endpoint],
) {
    add_route_to(builder, host, path, service, Transport::default(), Policy::default(), endpoints);
}

/// The same, to a backend that is spoken to in this way, with a policy of the test's own.
///
/// # Panics
/// If the host or the path is malformed.
pub fn add_route_to(
    builder: &mut RouteTableBuilder,
    host: &str,
    path: &str,
    service: &str,
    transport: Transport,
    policy: Policy,
    endpoints: &[Endpoint],
) {
    let backend = add_backend(builder, service, transport, endpoints);
    builder.route(Route { policy: Arc::new(policy), ..route(host, path, service, Target::Backend(backend)) });
}

/// Adds a backend of this name and returns its place.
pub fn add_backend(
    builder: &mut RouteTableBuilder,
    service: &str,
    transport: Transport,
    endpoints: &[Endpoint],
) -> u32 {
    let key = BackendKey {
        namespace: "test".into(),
        service: service.into(),
        port: "80".into(),
        transport: Arc::new(transport),
    };
    builder.backend(&key, || Backend::new(key.clone(), endpoints.to_vec()))
}

/// A Prefix route for a host and a path, without conditions, from an Ingress of this name.
///
/// # Panics
/// If the host or the path is malformed.
pub fn route(host: &str, path: &str, ingress: &str, target: Target) -> Route {
    Route {
        host: HostMatch::parse(host).expect("a host"),
        path: PathMatch::prefix(path).expect("a path"),
        conditions: Conditions::default(),
        target,
        policy: Arc::default(),
        origin: Origin {
            created: 0,
            ..Origin::new(ObjectRef::new("Ingress", "test", ingress), "spec.rules[0].http.paths[0]")
        },
    }
}
