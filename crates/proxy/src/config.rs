//! What can be set, and what each limit is for.

mod downstream;
mod listener;
mod upstream;

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

pub use self::downstream::{Downstream, Http2};
pub use self::listener::{Listener, Protocol, Tls};
pub use self::upstream::{Upstream, UpstreamHttp2};

/// Settings of the data plane. Each limit has a reason; the defaults are meant for an edge behind a load balancer.
#[derive(Clone, Debug)]
pub struct Config {
    /// Threads that serve requests, each with its own connections and pools. One for each CPU the process may use.
    pub workers: usize,
    /// How long a connection may be silent between requests. Must be longer than the idle time of the load balancer
    /// in front (60 s for an ELB), else the load balancer sends requests into connections that we are closing.
    pub idle_timeout: Duration,
    /// The longest time until a request is answered, over all attempts, from the end of its body: an upload may take
    /// longer as long as it moves, and so may a request whose route gives an endpoint more time for one answer. A drain waits
    /// `idle_timeout` plus this long, and no longer for those.
    pub max_request_time: Duration,
    /// Peers whose `X-Forwarded-*`, `Forwarded`, `X-Real-IP` and `X-Request-ID` are believed and extended.
    pub trusted_proxies: Vec<IpNet>,
    /// Limits on what clients send and how slowly they may do so.
    pub downstream: Downstream,
    /// Limits on what upstreams send and how slowly they may do so.
    pub upstream: Upstream,
    /// Where the access log goes.
    pub access_log: AccessLog,
}

impl Config {
    /// How long a drain may take: until the last silent client is gone, and then as long as its last request may take.
    pub fn drain_time(&self) -> Duration {
        self.idle_timeout + self.max_request_time
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            workers: 1,
            idle_timeout: Duration::from_secs(75),
            max_request_time: Duration::from_secs(300),
            trusted_proxies: Vec::new(),
            downstream: Downstream::default(),
            upstream: Upstream::default(),
            access_log: AccessLog::default(),
        }
    }
}

/// Where the access log goes: one JSON object a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AccessLog {
    /// Nowhere.
    Off,
    /// To standard output.
    #[default]
    Stdout,
    /// To the end of this file.
    File(PathBuf),
}
