//! What the command line means: every value checked, every default resolved.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::thread::available_parallelism;
use std::time::Duration;

use compile::Settings;
use controller::{Namespaces, OwnPod, Source};
use ipnet::IpNet;

use crate::cli::{ClassArgs, LeaveArgs, RunArgs};
use crate::fd::FdLimit;

/// Everything [`build`](crate::build()) needs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to serve HTTP. Port 0 takes a free one.
    pub http: Vec<SocketAddr>,
    /// Where to serve HTTPS.
    pub https: Vec<SocketAddr>,
    /// The protocols that are spoken there.
    pub protocols: Protocols,
    /// Where to answer operators and probes.
    pub admin: SocketAddr,
    /// Where the health checks of load balancers are answered, if anywhere.
    pub health: Option<SocketAddr>,
    /// The control socket, at which only this process answers.
    pub control: Option<PathBuf>,
    /// The Unix socket by which listening sockets are handed over, if they are.
    pub handover: Option<PathBuf>,
    /// How it leaves.
    pub leave: Leave,
    /// The program to start for an upgrade.
    pub program: Option<Program>,
    /// Where the objects come from, and how soon a change is live.
    pub controller: controller::ControllerConfig,
    /// The data plane's settings.
    pub proxy: proxy::Config,
    /// The records of the hosts in Route 53, if they are to be kept.
    #[cfg(feature = "aws")]
    pub dns: Option<aws::dns::keeper::Config>,
    /// This node at the load balancers of AWS, if it is to be registered there.
    #[cfg(feature = "aws")]
    pub frontend: Option<aws::frontend::Settings>,
    /// Bytes of memory that this process may use; if none, as many as its control group.
    pub memory_max: Option<u64>,
}

/// Protocols beside plain HTTP/1.
#[derive(Clone, Debug, Default)]
pub struct Protocols {
    /// Peers that begin each connection with a PROXY header.
    pub proxy_header_from: Vec<IpNet>,
    /// Whether HTTP/2 is spoken without TLS.
    pub http2_cleartext: bool,
}

/// How the process leaves.
#[derive(Clone, Debug, Default)]
pub struct Leave {
    /// How long load balancers may need to notice that it is not ready any more.
    pub lame_duck_time: Duration,
    /// How long load balancers may need that say themselves when they have let go; none if there are none.
    pub balancers_max: Duration,
    /// Taints of our node that announce its removal.
    pub taints: Vec<Taint>,
    /// Whether a process that has handed over stays until it is asked to leave.
    pub stay: bool,
    /// How long it stays at least, even when drained, to serve again if its successor dies.
    pub guard_time: Duration,
}

impl Leave {
    /// The longest time that the process is a lame duck after it was asked to leave: twice its time while clients still
    /// connect, and at the same time as long as load balancers may need that say when they have let go.
    pub fn lame_duck_max(&self) -> Duration {
        (2 * self.lame_duck_time).max(self.balancers_max)
    }

    /// The longest time from the request to leave to the end of the process.
    pub fn stop_time(&self, proxy: &proxy::Config) -> Duration {
        self.lame_duck_max() + proxy.drain_time()
    }
}

/// The file that the process was started from, and its arguments. Taken at the start: the file may be replaced since.
#[derive(Clone, Debug)]
pub struct Program {
    /// The file.
    pub path: PathBuf,
    /// Without the program's own name.
    pub args: Vec<OsString>,
}

impl Program {
    /// The program that this process runs.
    pub(crate) fn current() -> Option<Program> {
        let path = std::env::current_exe().ok()?;
        Some(Program { path, args: std::env::args_os().skip(1).collect() })
    }
}

/// The key of a taint, or its beginning and a `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taint(String);

impl Taint {
    /// Whether it matches a node's taint, written as `key:effect`.
    pub fn matches(&self, taint: &str) -> bool {
        let key = taint.split(':').next().unwrap_or(taint);
        match self.0.strip_suffix('*') {
            Some(start) => key.starts_with(start),
            None => key == self.0,
        }
    }
}

impl FromStr for Taint {
    type Err = &'static str;

    fn from_str(raw: &str) -> Result<Taint, Self::Err> {
        match raw {
            "" | "*" => Err("write the key of a taint, as example.org/going-away, or its beginning and a *"),
            key if key.contains([':', '=', ' ']) => {
                Err("write only the key of the taint, without value and effect")
            }
            key => Ok(Taint(key.into())),
        }
    }
}

/// A command line that cannot be used, and what to write instead.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConfigError(&'static str);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Checks a command line.
    ///
    /// # Errors
    /// Names the flag that cannot be used and what to use instead.
    pub(crate) fn new(args: RunArgs, files: FdLimit) -> Result<Config, ConfigError> {
        if args.https.iter().any(|https| https.port() != 0 && args.http.contains(https)) {
            return Err(ConfigError("--https: name another address than --http; none can serve both"));
        }
        let reserved_ports = reserved_ports(&args);
        let settings = Settings {
            balance: args.balance,
            reference_timeout: args.reference_timeout.0,
            ssl_passthrough: args.tls.enable_ssl_passthrough,
            default_certificate: args.tls.default_certificate,
            ticket_keys: args.tls.ticket_keys,
            tcp_services_max: files.ports_max(&args.http).min(args.classes.tcp_services_max),
            reserved_ports,
            ..settings(&args.classes)
        };
        let memory_max = args.downstream.memory_max.map(|max| max.0);
        let proxy = proxy::Config {
            workers: args.workers.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get),
            idle_timeout: args.idle_timeout.0,
            max_request_time: args.max_request_time.0,
            trusted_proxies: args.trusted_proxies,
            downstream: args.protocols.limits(args.downstream.limits(files.connections_max())),
            upstream: args.upstream.limits(),
            access_log: args.access_log,
        };
        #[cfg(feature = "aws")]
        let dns = args.dns.config(args.aws.settings()).map_err(ConfigError)?;
        #[cfg(feature = "aws")]
        let has_dns = dns.is_some();
        #[cfg(not(feature = "aws"))]
        let has_dns = false;
        #[cfg(feature = "aws")]
        let frontend = args.frontend.settings(args.aws.settings(), &settings.class).map_err(ConfigError)?;
        #[cfg(feature = "aws")]
        let balancers_max = frontend.as_ref().map(|frontend| frontend.drain_max).unwrap_or_default();
        #[cfg(not(feature = "aws"))]
        let balancers_max = Duration::ZERO;
        let leave = args.leave.leave(balancers_max);
        let own_pod = |namespace, name| OwnPod {
            namespace,
            name,
            stop_time: leave.stop_time(&proxy),
            lame_duck_time: leave.lame_duck_time,
            handover: args.leave.handover.as_ref().map(|path| path.display().to_string()),
        };
        let (source, settings) = match args.manifests {
            Some(manifests) => (Source::Folder(manifests), of_folder(settings)),
            None => {
                let mut cluster = args.cluster.cluster(&settings.class, own_pod);
                cluster.report.others_write = has_dns;
                let only_namespaces = match &cluster.namespaces {
                    Namespaces::Named(names) => names.clone(),
                    Namespaces::All | Namespaces::Labelled(_) => Vec::new(),
                };
                (Source::Cluster(Box::new(cluster)), Settings { only_namespaces, ..settings })
            }
        };
        let controller = controller::ControllerConfig {
            dns_server: args.dns_server,
            ..controller::ControllerConfig::new(source, settings)
        };
        let LeaveArgs { health, control, handover, .. } = args.leave;
        Ok(Config {
            http: args.http,
            https: args.https,
            protocols: args.protocols.protocols(),
            admin: args.admin,
            health,
            control,
            handover,
            leave,
            program: None,
            controller,
            proxy,
            #[cfg(feature = "aws")]
            dns,
            #[cfg(feature = "aws")]
            frontend,
            memory_max,
        })
    }
}

/// The ports that this process needs for itself. Of port 0 it is not known yet which it will be.
fn reserved_ports(args: &RunArgs) -> Vec<(u16, &'static str)> {
    let of = |flag, addresses: &[SocketAddr]| {
        let ports = addresses.iter().map(SocketAddr::port).filter(|port| *port != 0);
        ports.map(|port| (port, flag)).collect::<Vec<_>>()
    };
    let health: Vec<SocketAddr> = args.leave.health.into_iter().collect();
    [("--http", &*args.http), ("--https", &args.https), ("--admin", &[args.admin]), ("--health", &health)]
        .into_iter()
        .flat_map(|(flag, addresses)| of(flag, addresses))
        .collect()
}

/// Which Ingresses are ours.
pub(crate) fn settings(classes: &ClassArgs) -> Settings {
    let default = Settings::default();
    Settings {
        controller_name: classes.controller_name.clone(),
        class: classes.class.clone().unwrap_or(default.class),
        class_is_given: classes.class.is_some(),
        profile: classes.profile,
        config_map: classes.configmap.clone(),
        tcp_services: classes.tcp_services_configmap.clone(),
        tcp_services_max: classes.tcp_services_max,
        without_class: classes.watch_ingress_without_class,
        annotations_prefix: classes.annotations_prefix.clone(),
        no_catch_all: classes.disable_catch_all,
        no_external_names: classes.disable_svc_external_name,
        default_backend: classes.default_backend_service.clone(),
        ..Settings::default()
    }
}

/// The same for objects that come from a folder: only the operator writes there, so loopback endpoints are allowed.
pub(crate) fn of_folder(settings: Settings) -> Settings {
    Settings { allow_loopback: true, ..settings }
}

#[cfg(test)]
mod tests;
