//! The command line, exactly as typed. What it means is decided in [`config`](crate::config).
//!
//! Each flag of `run` can also be set as an environment variable: `--idle-timeout` as `SLUICEGATE_IDLE_TIMEOUT`.
//! No flag may be called `--port` or `--service-host`, or end like that: Kubernetes sets `SLUICEGATE_PORT` and the like
//! in every pod beside a Service called `sluicegate`.

#[cfg(feature = "aws")]
mod aws;
mod before;
mod classes;
mod cluster;
mod control;
mod ingress_nginx;
mod leave;
mod limits;
mod names;
mod protocols;
mod source;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser};
use ipnet::IpNet;
use model::Balance;
use proxy::AccessLog;

#[cfg(feature = "aws")]
pub(crate) use self::aws::{
    AwsArgs, DnsArgs, DnsCommand, DnsPlanArgs, FrontendArgs, FrontendCommand, StatusArgs,
};
pub(crate) use before::{CheckArgs, DiffArgs, ExplainArgs, Format, LintArgs, ReportArgs};
pub(crate) use classes::ClassArgs;
pub(crate) use cluster::ClusterArgs;
pub(crate) use control::{ControlArgs, DrainArgs, Probe, ProbeArgs};
pub(crate) use leave::LeaveArgs;
pub(crate) use limits::{DownstreamArgs, UpstreamArgs};
pub(crate) use protocols::ProtocolArgs;
pub(crate) use source::SourceArgs;
pub(crate) use tls::TlsArgs;

use crate::units::{Span, SpanOrNone};

/// A Kubernetes ingress that never costs a client a request when something changes.
#[derive(Debug, Parser)]
#[command(name = "sluicegate", version)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Subcommand,
    /// What became of arguments of another controller.
    #[arg(skip)]
    pub(crate) told: Vec<String>,
}

impl Cli {
    /// Reads the command line of this process, in our words or in those of ingress-nginx. Ends the process if it cannot be used.
    pub fn read() -> Cli {
        let ingress_nginx::Translated { args, told } = ingress_nginx::translate(std::env::args_os());
        Cli { told, ..Cli::parse_from(args) }
    }
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Serve the Ingresses of a cluster, or of a folder of manifests
    Run(Box<RunArgs>),
    /// Read a folder of manifests and list its problems
    Check(CheckArgs),
    /// Show which rule serves a request, which do not and why, and which endpoints may get it
    Explain(ExplainArgs),
    /// Say of each Ingress that was written for ingress-nginx what will be the same here, what differs, and what is refused
    Lint(LintArgs),
    /// Show what would change in the routes if these manifests were applied
    Diff(DiffArgs),
    /// Ask the process at a control socket whether it is ready or live; exit code 0 means yes (for exec probes)
    Probe(ProbeArgs),
    /// Take the process at a control socket out of its load balancers, and wait until all clients have left
    Drain(DrainArgs),
    /// Make the process at a control socket start its successor, from the same file, and wait until that serves
    Upgrade(ControlArgs),
    /// Say what would change in the DNS records of hosts, in Route 53
    #[cfg(feature = "aws")]
    #[command(subcommand)]
    Dns(DnsCommand),
    /// Ask AWS about the load balancers in front of this node
    #[cfg(feature = "aws")]
    #[command(subcommand)]
    Frontend(FrontendCommand),
    /// Create a folder and make a user its owner: for an init container, since a kubelet creates hostPaths for root alone
    #[command(alias = "give")]
    ChownDir(ChownDirArgs),
    /// Run three upstreams, this proxy and its clients in one process while routes change, and count lost requests
    Demo(DemoArgs),
}

/// Where the objects come from.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Read the Kubernetes objects from this folder and its sub-folders, and follow changes
    #[arg(long, value_name = "DIR", env = "SLUICEGATE_MANIFESTS", conflicts_with = "kubeconfig")]
    pub(crate) manifests: Option<PathBuf>,

    /// Serve HTTP here; for several addresses repeat the flag or write commas. An IPv6 address takes no IPv4
    /// connections: name both to serve both
    #[arg(
        long,
        value_name = "ADDR",
        env = "SLUICEGATE_HTTP",
        value_delimiter = ',',
        default_value = "0.0.0.0:80"
    )]
    pub(crate) http: Vec<SocketAddr>,

    /// Serve HTTPS here, with the certificates that Ingresses name (spec.tls); written like --http. By default none
    #[arg(long, value_name = "ADDR", env = "SLUICEGATE_HTTPS", value_delimiter = ',')]
    pub(crate) https: Vec<SocketAddr>,

    /// Answer /live, /ready, /state, /metrics, /routes, /endpoints and /problems here. They show much and ask for no
    /// password, so by default only this machine can reach them
    #[arg(long, value_name = "ADDR", env = "SLUICEGATE_ADMIN", default_value = "127.0.0.1:9901")]
    pub(crate) admin: SocketAddr,

    #[command(flatten)]
    pub(crate) classes: ClassArgs,

    /// How requests are balanced over endpoints, unless the Ingress says so (annotation sluicegate.io/load-balance). By default
    /// by least-request, and by round-robin for Ingresses that are read as ingress-nginx does
    #[arg(long, value_name = "HOW", env = "SLUICEGATE_BALANCE", value_parser = balance())]
    pub(crate) balance: Option<Balance>,

    /// How long the previous endpoints go on serving when an Ingress or a Service names something that does not exist
    /// yet, such as a port that the EndpointSlices get a moment later; then 503. An endpoint that is removed or not ready
    /// gets no requests in any case. 0s: 503 at once
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_REFERENCE_TIMEOUT", default_value_t = SpanOrNone(compile::Settings::default().reference_timeout))]
    pub(crate) reference_timeout: SpanOrNone,

    /// How long a client's connection may be idle between requests, then it is closed. Keep it above the idle timeout of
    /// the load balancer in front (60s on AWS), or that sends requests into connections that are just being closed
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_IDLE_TIMEOUT", default_value_t = Span(proxy::Config::default().idle_timeout))]
    pub(crate) idle_timeout: Span,

    /// Time from the end of a request to its response, over all attempts. A drain may take --idle-timeout plus this
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_MAX_REQUEST_TIME", default_value_t = Span(proxy::Config::default().max_request_time))]
    pub(crate) max_request_time: Span,

    /// Peers whose X-Forwarded-*, Forwarded, X-Real-IP and X-Request-ID are trusted: the load balancer's addresses.
    /// In requests of all other peers these fields are replaced
    #[arg(long, value_name = "CIDR", env = "SLUICEGATE_TRUSTED_PROXIES", value_delimiter = ',', value_parser = network)]
    pub(crate) trusted_proxies: Vec<IpNet>,

    /// Threads that serve requests. By default one for each CPU this container may use (its quota and its affinity)
    #[arg(long, value_name = "N", env = "SLUICEGATE_WORKERS")]
    pub(crate) workers: Option<NonZeroUsize>,

    /// Where the access log goes, one JSON object per line: off, stdout or a file
    #[arg(long, value_name = "WHERE", env = "SLUICEGATE_ACCESS_LOG", default_value = "stdout", value_parser = access_log)]
    pub(crate) access_log: AccessLog,

    /// The DNS server for the names of ExternalName Services, instead of those in /etc/resolv.conf
    #[arg(long, value_name = "ADDR", env = "SLUICEGATE_DNS_SERVER")]
    pub(crate) dns_server: Option<SocketAddr>,

    #[command(flatten)]
    pub(crate) protocols: ProtocolArgs,

    #[command(flatten)]
    pub(crate) tls: TlsArgs,

    #[command(flatten)]
    pub(crate) leave: LeaveArgs,

    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,

    #[command(flatten)]
    pub(crate) downstream: DownstreamArgs,

    #[command(flatten)]
    pub(crate) upstream: UpstreamArgs,

    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) aws: AwsArgs,

    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) dns: DnsArgs,

    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) frontend: FrontendArgs,
}

/// The arguments of `chown-dir`.
#[derive(Debug, Args)]
pub(crate) struct ChownDirArgs {
    /// The folder; its parent must exist
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,

    /// The numeric ID of the new owner
    #[arg(long, value_name = "UID")]
    pub(crate) user: u32,
}

/// The arguments of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Stop after this time, as if by Ctrl-C
    #[arg(long, value_name = "TIME")]
    pub(crate) duration: Option<Span>,

    /// Serve here
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) http: SocketAddr,
}

/// One of [`Balance::ALL`].
fn balance() -> impl TypedValueParser<Value = Balance> {
    let values = Balance::ALL.map(|balance| PossibleValue::new(balance.as_str()).help(balance.help()));
    PossibleValuesParser::new(values).map(|word| Balance::parse(&word).unwrap_or_default())
}

/// A network, or one address as the network that holds only it.
fn network(raw: &str) -> Result<IpNet, String> {
    let one = || IpAddr::from_str(raw).map(IpNet::from);
    IpNet::from_str(raw).or_else(|_| one()).map_err(|_| "write an address or a network, as 10.0.0.0/8".into())
}

fn access_log(raw: &str) -> Result<AccessLog, String> {
    match raw {
        "" => Err("write off, stdout or the path of a file".into()),
        "off" => Ok(AccessLog::Off),
        "stdout" => Ok(AccessLog::Stdout),
        path => Ok(AccessLog::File(path.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_flag_of_run_has_a_variable_of_the_same_name() {
        let cli = Cli::command();
        let run = cli.find_subcommand("run").expect("run");
        for arg in run.get_arguments().filter(|arg| arg.get_long().is_some_and(|long| long != "help")) {
            let long = arg.get_long().expect("a flag");
            let expected = format!("SLUICEGATE_{}", long.replace('-', "_").to_uppercase());
            assert_eq!(arg.get_env().and_then(|name| name.to_str()), Some(&*expected), "--{long}");
            assert!(
                !long.ends_with("port") && !long.ends_with("host"),
                "Kubernetes may set {expected} by itself"
            );
        }
    }
}
