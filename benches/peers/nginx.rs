//! nginx as a reverse proxy, set up as well as it can be for one core.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use test_support::Process;

use crate::cores::pinned;
use crate::manifests::HOST;
use crate::process;

/// What the proxy and the upstream have in common. `user` counts only for root, whose temporary folder the worker
/// could not enter otherwise.
pub(crate) const MAIN: &str = "user root;
daemon off;
worker_processes 1;
pid nginx.pid;
events { worker_connections 16384; }";

/// Writes the configuration into `folder` and starts nginx with it.
pub(crate) fn start(
    folder: &Path,
    core: usize,
    listen: SocketAddr,
    upstream: SocketAddr,
    access_log: bool,
) -> Result<Process> {
    let log = if access_log { "access.log ingress buffer=64k flush=1s" } else { "off" };
    fs::write(folder.join("nginx.conf"), config(listen, upstream, log))?;
    spawn("nginx", folder, core)
}

/// Starts nginx with the `nginx.conf` of a folder, to which all paths in it are relative.
pub(crate) fn spawn(name: &str, folder: &Path, core: usize) -> Result<Process> {
    let mut command = pinned(core, "nginx");
    command.arg("-e").arg("stderr").arg("-p").arg(folder).arg("-c").arg("nginx.conf");
    process::start(name, command)
}

fn config(listen: SocketAddr, upstream: SocketAddr, log: &str) -> String {
    format!(
        r#"{MAIN}
http {{
    log_format ingress escape=json
        '{{"time":"$time_iso8601","client":"$remote_addr","method":"$request_method","host":"$host",'
        '"path":"$request_uri","status":$status,"bytes":$body_bytes_sent,"seconds":$request_time,'
        '"upstream":"$upstream_addr","upstream_seconds":"$upstream_response_time","id":"$request_id"}}';
    access_log {log};
    tcp_nodelay on;
    keepalive_timeout 75s;
    keepalive_requests 1000000000;
    client_max_body_size 1m;
    client_body_temp_path body;
    proxy_temp_path proxy;
    # Enough for every body here: no bytes take the way through a file.
    client_body_buffer_size 128k;
    proxy_buffer_size 8k;
    proxy_buffers 8 32k;
    proxy_busy_buffers_size 64k;
    upstream backend {{
        server {upstream};
        keepalive 512;
        keepalive_requests 1000000000;
        keepalive_timeout 75s;
    }}
    server {{
        listen {listen} backlog=4096;
        server_name {HOST};
        location / {{
            proxy_pass http://backend;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $host;
            proxy_set_header X-Forwarded-Port $server_port;
            proxy_set_header X-Request-ID $request_id;
        }}
    }}
}}
"#
    )
}
