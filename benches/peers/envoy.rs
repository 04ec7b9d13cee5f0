//! Envoy as a reverse proxy with one worker, and its limits out of the way.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use crate::message::METHOD;
use crate::process;
use crate::proxy::{Proxy, Setup, Started, free_address};

/// Writes the configuration into `folder` and starts Envoy with it.
pub(crate) fn start(folder: &Path, setup: &Setup) -> Result<Started> {
    let (http, https, file) = (free_address()?, free_address()?, folder.join("envoy.yaml"));
    fs::write(folder.join("tls.crt"), &setup.trust.chain)?;
    fs::write(folder.join("tls.key"), &setup.trust.key)?;
    fs::write(&file, config([http, https], folder, setup.upstream))?;
    let mut command = setup.command(Proxy::Envoy)?;
    command.args(["--concurrency", "1", "--use-dynamic-base-id", "-l", "warning", "-c"]).arg(file);
    Ok(Started { process: process::start("envoy", command)?, http, https })
}

fn config([http, https]: [SocketAddr; 2], folder: &Path, upstream: SocketAddr) -> String {
    let folder = folder.display();
    let tls = format!(
        "      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [h2, http/1.1]
            tls_certificates:
            - {{ certificate_chain: {{ filename: {folder}/tls.crt }}, private_key: {{ filename: {folder}/tls.key }} }}
"
    );
    format!(
        "static_resources:
  listeners:
{}{}  clusters:
{}{}",
        listener("plain", http, ""),
        listener("secure", https, &tls),
        cluster("back", upstream, "http_protocol_options: {}"),
        cluster("calls", upstream, "http2_protocol_options: {}"),
    )
}

fn socket(address: SocketAddr) -> String {
    let (ip, port) = (address.ip(), address.port());
    format!("{{ socket_address: {{ address: {ip}, port_value: {port} }} }}")
}

fn listener(name: &str, address: SocketAddr, tls: &str) -> String {
    format!(
        "  - name: {name}
    address: {}
    tcp_backlog_size: 4096
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: {name}
          codec_type: AUTO
          use_remote_address: true
          common_http_protocol_options: {{ idle_timeout: 75s }}
          upgrade_configs: [{{ upgrade_type: websocket }}]
          route_config:
            virtual_hosts:
            - name: bench
              domains: [\"*\"]
              routes:
              - {{ match: {{ path: {METHOD} }}, route: {{ cluster: calls }} }}
              - {{ match: {{ prefix: / }}, route: {{ cluster: back }} }}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{ \"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
{tls}",
        socket(address)
    )
}

fn cluster(name: &str, upstream: SocketAddr, protocol: &str) -> String {
    format!(
        "  - name: {name}
    type: STATIC
    connect_timeout: 5s
    circuit_breakers:
      thresholds: [{{ max_connections: 100000, max_pending_requests: 100000, max_requests: 100000 }}]
    load_assignment:
      cluster_name: {name}
      endpoints: [{{ lb_endpoints: [{{ endpoint: {{ address: {} }} }}] }}]
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        common_http_protocol_options: {{ idle_timeout: 75s }}
        explicit_http_config: {{ {protocol} }}
",
        socket(upstream)
    )
}
