//! What is counted.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::callgrind::{self, Counts};
use crate::client::{self, Open};
use crate::gate::Gate;
use crate::table;
use crate::upstream::Upstream;

/// One kind of work.
pub(crate) struct Row {
    /// As the file and `--only` name it.
    pub(crate) name: &'static str,
    /// As the report describes it.
    pub(crate) about: &'static str,
    /// How often it is done in the shorter of two runs: what the longer one, of twice as much, has more is its own.
    times: u32,
    work: Work,
}

enum Work {
    /// What clients have the gate do, which has these flags, and whose Ingress asks for this.
    Gate(&'static [&'static str], &'static str, fn(&mut Gate, u32) -> Result<Open>),
    /// What is done without one.
    Table(table::Work),
}

const NGINX: &[&str] = &["--profile", "ingress-nginx"];

/// Its Ingress has a certificate, and clients are not to be sent there.
const NO_REDIRECT: &str = "nginx.ingress.kubernetes.io/ssl-redirect: \"false\"";

const FILTERS: &str = "nginx.ingress.kubernetes.io/ssl-redirect: \"false\", \
                       nginx.ingress.kubernetes.io/rewrite-target: /1k, \
                       nginx.ingress.kubernetes.io/enable-cors: \"true\", \
                       nginx.ingress.kubernetes.io/whitelist-source-range: \"10.0.0.0/8,127.0.0.0/8\", \
                       nginx.ingress.kubernetes.io/affinity: cookie";

/// All of them, those first that say most.
pub(crate) const ROWS: [Row; 8] = [
    Row {
        name: "keepalive",
        about: "a request on a connection of HTTP/1, 1 KiB response",
        times: 2000,
        work: Work::Gate(&[], "", client::keepalive),
    },
    Row {
        name: "connection",
        about: "a connection of HTTP/1 with one request",
        times: 1000,
        work: Work::Gate(&[], "", client::connections),
    },
    Row {
        name: "tls",
        about: "a request on a connection of HTTP/1 over TLS 1.3",
        times: 2000,
        work: Work::Gate(&["--https", "127.0.0.1:0"], "", client::tls),
    },
    Row {
        name: "http2",
        about: "a request on a connection of HTTP/2 without TLS",
        times: 2000,
        work: Work::Gate(&["--http2-cleartext"], "", client::http2),
    },
    Row {
        name: "nginx",
        about: "the first in the profile of ingress-nginx, with an origin and a cookie",
        times: 2000,
        work: Work::Gate(NGINX, NO_REDIRECT, client::with_origin_and_cookie),
    },
    Row {
        name: "filters",
        about: "the same where these are looked at, an address too, and the target is rewritten",
        times: 2000,
        work: Work::Gate(NGINX, FILTERS, client::with_origin_and_cookie),
    },
    Row {
        name: "find",
        about: "host and path to a route, among 2500",
        times: 10_000,
        work: Work::Table(table::Work::Find),
    },
    Row {
        name: "publish",
        about: "an endpoint that comes or goes, of 500 Services",
        times: 100,
        work: Work::Table(table::Work::Publish),
    },
];

impl Row {
    /// What `--only` accepts.
    pub(crate) fn names() -> Vec<&'static str> {
        ROWS.iter().map(|row| row.name).collect()
    }

    /// Instructions of one, in this program.
    ///
    /// The gate's timers tick while it serves, twenty times a second, and on a busy machine it serves for longer: so the
    /// shorter run goes on for as long as the longer one did.
    pub(crate) fn instructions(&self, program: &Path) -> Result<u64> {
        let (twice, time) = self.count(program, 2 * self.times, Duration::ZERO)?;
        let (once, _) = self.count(program, self.times, time)?;
        Ok(callgrind::growth(&once, &twice) / u64::from(self.times))
    }

    /// Counts one run, and says how long the gate served; if it is done earlier, it is idle for the rest of that time.
    fn count(&self, program: &Path, times: u32, at_least: Duration) -> Result<(Counts, Duration)> {
        let folder = tempfile::tempdir()?;
        let mut time = Duration::ZERO;
        match self.work {
            Work::Gate(flags, annotations, drive) => {
                let upstream = Upstream::start()?;
                let mut gate = Gate::start(program, folder.path(), &upstream, flags, annotations)?;
                let begin = Instant::now();
                let _open = drive(&mut gate, times)?;
                time = begin.elapsed();
                std::thread::sleep(at_least.saturating_sub(time));
            }
            Work::Table(work) => work.count(folder.path(), times)?,
        }
        Ok((callgrind::counts(folder.path())?, time))
    }
}
