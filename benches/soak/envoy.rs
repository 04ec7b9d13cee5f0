//! Envoy: routes and endpoints are files that it watches (RDS, EDS), a replacement is its hot restart.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::brood::{Brood, PATIENCE, Process};
use crate::proxy::{Addresses, Part, Proxy, free_address, text};
use crate::request::HOST;
use crate::world::World;

/// How long the former process drains, and after which time its successor ends it. There may be two processes at a time
/// and not three, so a restart takes that long; Envoy's own defaults are 600 and 900 s.
const DRAIN_SECONDS: &str = "5";
const PARENT_SECONDS: &str = "8";

pub(crate) struct Envoy {
    program: PathBuf,
    addresses: Addresses,
    admin: SocketAddr,
    present: Process,
    epoch: u32,
    version: u32,
}

impl Envoy {
    pub(crate) fn start(program: &Path, brood: &mut Brood, world: &World) -> Result<Envoy> {
        let (addresses, admin, folder) = (Addresses::free()?, free_address()?, brood.folder().to_owned());
        fs::write(folder.join("envoy.yaml"), bootstrap(addresses, admin, &folder))?;
        fs::write(folder.join("sds.yaml"), certificate(world, 0))?;
        fs::write(folder.join("rds.yaml"), routes(world, 0))?;
        for app in World::APPS {
            fs::write(folder.join(format!("{app}.yaml")), endpoints(world, app, 0))?;
        }
        let base = folder.join("base");
        let more = ["--use-dynamic-base-id", "--base-id-path", text(&base)?];
        let present = process(program, brood, 0, admin, &more)?;
        Ok(Envoy { program: program.to_owned(), addresses, admin, present, epoch: 0, version: 0 })
    }
}

/// Starts the process of this epoch, and waits until it serves.
fn process(
    program: &Path,
    brood: &mut Brood,
    epoch: u32,
    admin: SocketAddr,
    more: &[&str],
) -> Result<Process> {
    let (config, number) = (brood.folder().join("envoy.yaml"), epoch.to_string());
    let workers = brood.workers.to_string();
    let mut args =
        vec!["-c", text(&config)?, "--restart-epoch", &number, "--concurrency", &workers, "-l", "warning"];
    args.extend(["--drain-time-s", DRAIN_SECONDS, "--parent-shutdown-time-s", PARENT_SECONDS]);
    args.extend(more);
    let process = brood.start(program, &args)?;
    let serves = || {
        let said = server_info(admin).unwrap_or_default();
        said.contains(&format!("\"restart_epoch\": {epoch},")) && said.contains("\"state\": \"LIVE\"")
    };
    brood.wait_for(&process, "live, by its admin page", |_| serves().then_some(()))?;
    Ok(process)
}

fn server_info(admin: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(admin)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(b"GET /server_info HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n")?;
    let mut said = String::new();
    stream.read_to_string(&mut said)?;
    Ok(said)
}

impl Proxy for Envoy {
    fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// It watches for files that are moved into place.
    fn apply(&mut self, brood: &mut Brood, world: &World, what: Part) -> Result<()> {
        self.version += 1;
        let (name, text) = match what {
            Part::Routes => ("rds.yaml", routes(world, self.version)),
            Part::Endpoints => ("shop.yaml", endpoints(world, "shop", self.version)),
            Part::Certificate => ("sds.yaml", certificate(world, self.version)),
        };
        let (new, file) = (brood.folder().join("new"), brood.folder().join(name));
        fs::write(&new, text)?;
        Ok(fs::rename(new, file)?)
    }

    /// Ends when the former process has, since Envoy does not allow a third.
    fn replace(&mut self, brood: &mut Brood) -> Result<()> {
        let base = fs::read_to_string(brood.folder().join("base"))?;
        self.epoch += 1;
        let successor = process(&self.program, brood, self.epoch, self.admin, &["--base-id", base.trim()])?;
        let former = std::mem::replace(&mut self.present, successor);
        ensure!(brood.wait_until_ended(former.id, PATIENCE)?, "the former Envoy does not end");
        Ok(())
    }

    fn former(&mut self, _: &mut Brood) -> usize {
        0
    }

    fn faults(&mut self, brood: &mut Brood) -> Vec<String> {
        let ended = brood.ending(self.present.id);
        ended.map(|status| format!("the last Envoy has ended with {status:?}")).into_iter().collect()
    }
}

fn routes(world: &World, version: u32) -> String {
    let mut text = format!(
        "version_info: \"{version}\"
resources:
- \"@type\": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
  name: main
  virtual_hosts:
  - name: soak
    domains: [\"{HOST}\"]
    retry_policy:
      retry_on: connect-failure,refused-stream,reset-before-request
      num_retries: 3
      retry_host_predicate:
      - name: envoy.retry_host_predicates.previous_hosts
        typed_config: {{ \"@type\": type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate }}
      host_selection_retry_max_attempts: 5
    routes:
"
    );
    for (path, app) in world.paths() {
        text += &format!("    - {{ match: {{ prefix: {path} }}, route: {{ cluster: {app} }} }}\n");
    }
    text
}

fn certificate(world: &World, version: u32) -> String {
    // Quoted as JSON is, which YAML reads as well.
    let [chain, key] = [&world.certificate.chain, &world.certificate.key].map(|text| format!("{text:?}"));
    format!(
        "version_info: \"{version}\"
resources:
- \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
  name: soak
  tls_certificate: {{ certificate_chain: {{ inline_string: {chain} }}, private_key: {{ inline_string: {key} }} }}
"
    )
}

fn endpoints(world: &World, app: &str, version: u32) -> String {
    let mut text = format!(
        "version_info: \"{version}\"
resources:
- \"@type\": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment
  cluster_name: {app}
  endpoints:
  - lb_endpoints:
"
    );
    for address in world.addresses(app) {
        text += &format!("    - endpoint: {}\n", socket(address));
    }
    text
}

fn socket(address: SocketAddr) -> String {
    format!(
        "{{ address: {{ socket_address: {{ address: {}, port_value: {} }} }} }}",
        address.ip(),
        address.port()
    )
}

fn bootstrap(addresses: Addresses, admin: SocketAddr, folder: &Path) -> String {
    let folder = folder.display();
    let clusters = World::APPS.map(|app| {
        format!(
            "  - name: {app}
    type: EDS
    connect_timeout: 5s
    eds_cluster_config: {{ eds_config: {{ resource_api_version: V3, path_config_source: {{ path: {folder}/{app}.yaml }} }} }}
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        common_http_protocol_options: {{ idle_timeout: 60s }}
        explicit_http_config: {{ http_protocol_options: {{}} }}
"
        )
    });
    let tls = format!(
        "      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [h2, http/1.1]
            tls_certificate_sds_secret_configs: [{{ name: soak, sds_config: {{ path_config_source: {{ path: {folder}/sds.yaml }} }} }}]
"
    );
    format!(
        "node: {{ id: soak, cluster: soak }}
admin: {}
static_resources:
  listeners:
{}{}  clusters:
{}",
        socket(admin),
        listener("plain", addresses.http, &folder.to_string(), ""),
        listener("secure", addresses.https, &folder.to_string(), &tls),
        clusters.concat()
    )
}

fn listener(name: &str, address: SocketAddr, folder: &str, tls: &str) -> String {
    format!(
        "  - name: {name}
    address: {}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: {name}
          codec_type: AUTO
          common_http_protocol_options: {{ idle_timeout: 75s }}
          rds: {{ route_config_name: main, config_source: {{ resource_api_version: V3, path_config_source: {{ path: {folder}/rds.yaml }} }} }}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{ \"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
{tls}",
        socket(address)
    )
}
