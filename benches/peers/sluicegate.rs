//! Sluicegate, serving a folder of manifests with one worker.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use test_support::manifests::{CLASS, secret};

use crate::manifests::backend;
use crate::message::{HOST, METHOD};
use crate::process;
use crate::proxy::{Proxy, Setup, Started};
use crate::routes;

/// Writes the manifests into `folder` and starts sluicegate with them.
pub(crate) fn start(folder: &Path, setup: &Setup) -> Result<Started> {
    serve(Proxy::Sluicegate, folder, setup, "")
}

/// The same, with many hosts and paths beside the one.
pub(crate) fn start_with_many_routes(folder: &Path, setup: &Setup) -> Result<Started> {
    serve(Proxy::ManyRoutes, folder, setup, &routes::manifests())
}

fn serve(proxy: Proxy, folder: &Path, setup: &Setup, more: &str) -> Result<Started> {
    let manifests = folder.join("manifests");
    fs::create_dir(&manifests)?;
    let (trust, upstream) = (&setup.trust, setup.upstream);
    fs::write(manifests.join("bench.yaml"), CLASS.to_owned() + &backend("upstream", HOST, upstream, true))?;
    fs::write(manifests.join("calls.yaml"), calls(upstream))?;
    fs::write(
        manifests.join("secret.yaml"),
        secret("name: bench, namespace: shop", &trust.chain, &trust.key),
    )?;
    fs::write(manifests.join("more.yaml"), more)?;
    let mut command = setup.command(proxy)?;
    command.arg("run").arg("--manifests").arg(manifests);
    command.args(["--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let log = if setup.access_log { folder.join("access.log") } else { "off".into() };
    command.arg("--access-log").arg(log);
    command.env("SLUICEGATE_WORKERS", "1").env("NO_COLOR", "1");
    // As many as haproxy may have: by default it is half the files, and most idle connections need only one.
    command.env("SLUICEGATE_CONNECTIONS_MAX", "15000");
    let mut process = process::start("sluicegate", command)?;
    let (http, admin) = (process.listening("http=")?, process.listening("admin=")?);
    process::wait_for_200(&mut process, admin, "/ready").context("sluicegate is not ready")?;
    let https = process.listening("https=")?;
    Ok(Started { process, http, https })
}

/// The method of gRPC: its Service's port speaks HTTP/2, as says `appProtocol` (KEP-3726).
fn calls(upstream: SocketAddr) -> String {
    backend("calls", HOST, upstream, false)
        .replace("path: /,", &format!("path: {METHOD},"))
        .replace("{ name: http, port:", "{ name: http, appProtocol: kubernetes.io/h2c, port:")
}
