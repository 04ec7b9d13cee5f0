//! nginx as a reverse proxy, set up as well as it can be for one core.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use crate::message::{HOST, METHOD, WEBSOCKET};
use crate::process;
use crate::proxy::{Proxy, Setup, Started, free_address};

/// Writes the configuration into `folder`, to which all paths in it are relative, and starts nginx with it.
pub(crate) fn start(folder: &Path, setup: &Setup) -> Result<Started> {
    let (http, https) = (free_address()?, free_address()?);
    let log = if setup.access_log { "access.log ingress buffer=64k flush=1s" } else { "off" };
    fs::write(folder.join("nginx.conf"), config([http, https], setup.upstream, log))?;
    fs::write(folder.join("tls.crt"), &setup.trust.chain)?;
    fs::write(folder.join("tls.key"), &setup.trust.key)?;
    let mut command = setup.command(Proxy::Nginx)?;
    command.arg("-e").arg("stderr").arg("-p").arg(folder).arg("-c").arg("nginx.conf");
    Ok(Started { process: process::start("nginx", command)?, http, https })
}

/// `user` counts only for root, whose temporary folder the worker could not enter otherwise. `listen … http2` is what both
/// older and newer versions know.
fn config([http, https]: [SocketAddr; 2], upstream: SocketAddr, log: &str) -> String {
    format!(
        r#"user root;
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr error;
events {{ worker_connections 16384; }}
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
    proxy_max_temp_file_size 0;
    proxy_buffer_size 8k;
    proxy_buffers 8 32k;
    proxy_busy_buffers_size 64k;
    upstream backend {{
        server {upstream};
        keepalive 2048;
        keepalive_requests 1000000000;
        keepalive_timeout 75s;
    }}
    upstream calls {{
        server {upstream};
        keepalive 2048;
        keepalive_requests 1000000000;
        keepalive_timeout 75s;
    }}
    proxy_http_version 1.1;
    server {{
        listen {http} backlog=4096;
        listen {https} ssl http2 backlog=4096;
        # Before 1.23.4 nginx does not offer it by itself.
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate tls.crt;
        ssl_certificate_key tls.key;
        server_name {HOST};
        location / {{
            proxy_pass http://backend;
            proxy_set_header Connection "";
{}        }}
        location {WEBSOCKET} {{
            proxy_pass http://backend;
            proxy_set_header Connection "upgrade";
            proxy_set_header Upgrade $http_upgrade;
{}        }}
        location {METHOD} {{
            grpc_pass grpc://calls;
{}        }}
    }}
}}
"#,
        fields("proxy"),
        fields("proxy"),
        fields("grpc")
    )
}

/// What every endpoint is told.
fn fields(module: &str) -> String {
    let fields = [
        ("Host", "$host"),
        ("X-Real-IP", "$remote_addr"),
        ("X-Forwarded-For", "$proxy_add_x_forwarded_for"),
        ("X-Forwarded-Proto", "$scheme"),
        ("X-Forwarded-Host", "$host"),
        ("X-Forwarded-Port", "$server_port"),
        ("X-Request-ID", "$request_id"),
    ];
    let line = |(name, value)| format!("            {module}_set_header {name} {value};\n");
    fields.into_iter().map(line).collect()
}
