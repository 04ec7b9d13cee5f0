//! What the command line means: every value checked, every default resolved.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use compile::Settings;

use crate::cli::{ClassArgs, RunArgs};
use crate::fd::FdLimit;

/// Everything [`build`](crate::build()) needs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to serve HTTP. Port 0 takes a free one.
    pub http: Vec<SocketAddr>,
    /// Where to answer operators and probes.
    pub admin: SocketAddr,
    /// What is read, and how soon a change is live.
    pub controller: controller::Config,
    /// The data plane's settings.
    pub proxy: proxy::Config,
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
        if args.kubeconfig.is_some() {
            return Err(ConfigError(
                "--kubeconfig: this version cannot watch a cluster yet; give it a folder: --manifests DIR",
            ));
        }
        let manifests = args.manifests.ok_or(ConfigError(
            "this version cannot watch the cluster it runs in yet; give it a folder: --manifests DIR",
        ))?;
        if !args.https.is_empty() {
            return Err(ConfigError(
                "--https: this version has no TLS yet; leave it out and end TLS in the load balancer in front of --http",
            ));
        }
        let settings = Settings { balance: args.balance.into(), ..of_folder(&args.classes) };
        let controller = controller::Config {
            dns_server: args.dns_server,
            ..controller::Config::new(manifests, settings)
        };
        let proxy = proxy::Config {
            workers: args.workers.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get),
            idle_timeout: args.idle_timeout.0,
            max_request_time: args.max_request_time.0,
            trusted_proxies: args.trusted_proxies,
            downstream: args.downstream.limits(files.connections_max()),
            upstream: args.upstream.limits(),
            access_log: args.access_log,
        };
        Ok(Config { http: args.http, admin: args.admin, controller, proxy })
    }
}

/// Settings for objects that come from a folder: only the operator writes there, so loopback endpoints are allowed.
pub(crate) fn of_folder(classes: &ClassArgs) -> Settings {
    Settings {
        controller_name: classes.controller_name.clone(),
        class: classes.class.clone(),
        allow_loopback: true,
        ..Settings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;
    use std::time::Duration;

    fn config(line: &str) -> Result<Config, ConfigError> {
        let cli = Cli::try_parse_from(line.split(' ')).unwrap_or_else(|e| panic!("{line}: {e}"));
        match cli.command {
            Command::Run(args) => Config::new(*args, FdLimit { files: 1024 }),
            _ => panic!("{line} is no run"),
        }
    }

    #[test]
    fn what_this_version_cannot_do_is_refused_with_what_to_use_instead() {
        for (line, remedy) in [
            ("sluicegate run", "--manifests DIR"),
            ("sluicegate run --kubeconfig x", "--manifests DIR"),
            ("sluicegate run --manifests x --https 127.0.0.1:0", "--http"),
        ] {
            let error = config(line).expect_err(line).to_string();
            assert!(error.contains(remedy), "{line}: {error}");
        }
    }

    #[test]
    fn each_value_arrives_where_it_belongs() {
        let line = "sluicegate run --manifests x --http 127.0.0.1:0 --http [::1]:0 --idle-timeout 1s \
                    --max-request-time 500ms --trusted-proxies 10.0.0.0/8,192.0.2.1 --head-bytes-max 8KiB \
                    --upstream-connect-timeout 7s --workers 3 --access-log off --balance round-robin --class c";
        let config = config(line).expect("a config");
        assert_eq!(config.http.len(), 2);
        assert_eq!(config.proxy.idle_timeout, Duration::from_secs(1));
        assert_eq!(config.proxy.max_request_time, Duration::from_millis(500));
        assert_eq!(config.proxy.trusted_proxies[1].to_string(), "192.0.2.1/32");
        assert_eq!(config.proxy.downstream.head_bytes_max, 8192);
        assert_eq!(config.proxy.upstream.connect_timeout, Duration::from_secs(7));
        assert_eq!((config.proxy.workers, config.proxy.access_log), (3, proxy::AccessLog::Off));
        assert_eq!(config.controller.settings.balance, model::Balance::RoundRobin);
        assert_eq!(config.controller.settings.class, "c");
        assert!(config.controller.settings.allow_loopback, "only the operator writes into the folder");
    }

    #[test]
    fn half_of_the_file_descriptors_go_to_clients_unless_said_otherwise() {
        let limits = |line| config(line).expect("a config").proxy.downstream.connections_max;
        assert_eq!(limits("sluicegate run --manifests x"), 1024 / 2 - 64);
        assert_eq!(limits("sluicegate run --manifests x --connections-max 7"), 7);
    }
}
