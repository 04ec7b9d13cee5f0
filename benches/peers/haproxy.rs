//! haproxy as a reverse proxy, set up as well as it can be for one core. It logs to syslog only, so here it never does.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use crate::message::METHOD;
use crate::process;
use crate::proxy::{Proxy, Setup, Started, free_address};

/// Writes the configuration into `folder` and starts haproxy with it.
pub(crate) fn start(folder: &Path, setup: &Setup) -> Result<Started> {
    let (http, https) = (free_address()?, free_address()?);
    let (file, certificate) = (folder.join("haproxy.cfg"), folder.join("tls.pem"));
    fs::write(&certificate, format!("{}{}", setup.trust.chain, setup.trust.key))?;
    fs::write(&file, config([http, https], &certificate, setup.upstream))?;
    let mut command = setup.command(Proxy::Haproxy)?;
    command.arg("-db").arg("-f").arg(file);
    Ok(Started { process: process::start("haproxy", command)?, http, https })
}

/// `no strict-limits`: haproxy wants two files for each of `maxconn`, idle connections need one.
fn config([http, https]: [SocketAddr; 2], certificate: &Path, upstream: SocketAddr) -> String {
    let certificate = certificate.display();
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
    timeout tunnel 75s
    timeout http-request 75s
    timeout http-keep-alive 75s
frontend front
    bind {http} backlog 4096
    bind {https} backlog 4096 ssl crt {certificate} alpn h2,http/1.1
    option forwardfor
    unique-id-format %[uuid]
    unique-id-header X-Request-ID
    http-request set-header X-Real-IP %[src]
    http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
    http-request set-header X-Forwarded-Proto http unless {{ ssl_fc }}
    http-request set-header X-Forwarded-Host %[req.hdr(Host)]
    http-request set-header X-Forwarded-Port %[dst_port]
    use_backend calls if {{ path {METHOD} }}
    default_backend back
backend back
    server upstream {upstream} pool-max-conn -1 pool-purge-delay 75s
backend calls
    server upstream {upstream} proto h2 pool-max-conn -1 pool-purge-delay 75s
"
    )
}
