//! sozu as a reverse proxy with one worker, and its limits out of the way.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use crate::message::{HOST, METHOD};
use crate::process;
use crate::proxy::{Proxy, Setup, Started, free_address};

/// Writes the configuration into `folder` and starts sozu with it.
pub(crate) fn start(folder: &Path, setup: &Setup) -> Result<Started> {
    let (http, https, file) = (free_address()?, free_address()?, folder.join("sozu.toml"));
    fs::write(folder.join("tls.crt"), &setup.trust.chain)?;
    fs::write(folder.join("tls.key"), &setup.trust.key)?;
    fs::write(&file, config([http, https], folder, setup.upstream, connections()))?;
    let mut command = setup.command(Proxy::Sozu)?;
    command.arg("start").arg("-c").arg(file);
    Ok(Started { process: process::start("sozu", command)?, http, https })
}

/// As many as haproxy may have, but sozu does not start where it could not have two files for each.
fn connections() -> u64 {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    (files.unwrap_or(u64::MAX) / 2).min(15_000)
}

/// Each connection takes two buffers, and there have to be some left.
fn config([http, https]: [SocketAddr; 2], folder: &Path, upstream: SocketAddr, connections: u64) -> String {
    let folder = folder.display();
    let files = format!(
        "certificate = \"{folder}/tls.crt\", certificate_chain = \"{folder}/tls.crt\", key = \"{folder}/tls.key\""
    );
    let cluster = |name: &str, path: &str, http2: bool| {
        format!(
            "[clusters.{name}]
protocol = \"http\"
load_balancing = \"ROUND_ROBIN\"
http2 = {http2}
frontends = [
    {{ address = \"{http}\", hostname = \"{HOST}\", path = \"{path}\" }},
    {{ address = \"{https}\", hostname = \"{HOST}\", path = \"{path}\", {files} }},
]
backends = [{{ address = \"{upstream}\" }}]
"
        )
    };
    format!(
        "command_socket = \"{folder}/sozu.sock\"
log_level = \"error\"
log_target = \"file://{folder}/sozu.log\"
worker_count = 1
worker_automatic_restart = false
handle_process_affinity = false
max_connections = {connections}
max_buffers = 32000
activate_listeners = true
[[listeners]]
protocol = \"http\"
address = \"{http}\"
front_timeout = 75
back_timeout = 75
[[listeners]]
protocol = \"https\"
address = \"{https}\"
tls_versions = [\"TLS_V13\"]
front_timeout = 75
back_timeout = 75
[clusters]
{}{}",
        cluster("back", "/", false),
        cluster("calls", METHOD, true)
    )
}
