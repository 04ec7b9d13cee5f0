//! haproxy as a reverse proxy, set up as well as it can be for one core. It logs to syslog only, so here it does not
//! log at all, which spares it work that nginx and sluicegate do.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use test_support::Process;

use crate::cores::pinned;
use crate::process;

/// Writes the configuration into `folder` and starts haproxy with it.
pub(crate) fn start(folder: &Path, core: usize, listen: SocketAddr, upstream: SocketAddr) -> Result<Process> {
    let file = folder.join("haproxy.cfg");
    fs::write(&file, config(listen, upstream))?;
    let mut command = pinned(core, "haproxy");
    command.arg("-db").arg("-f").arg(file);
    process::start("haproxy", command)
}

/// `no strict-limits`: haproxy wants two files for each of `maxconn`, idle connections need one.
fn config(listen: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        "global
    nbthread 1
    maxconn 15000
    no strict-limits
defaults
    mode http
    no log
    option http-keep-alive
    http-reuse always
    timeout connect 5s
    timeout client 75s
    timeout server 75s
    timeout http-request 75s
    timeout http-keep-alive 75s
frontend front
    bind {listen} backlog 4096
    option forwardfor
    unique-id-format %[uuid]
    unique-id-header X-Request-ID
    http-request set-header X-Real-IP %[src]
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Host %[req.hdr(Host)]
    http-request set-header X-Forwarded-Port %[dst_port]
    default_backend back
backend back
    server upstream {upstream} pool-max-conn -1 pool-purge-delay 75s
"
    )
}
