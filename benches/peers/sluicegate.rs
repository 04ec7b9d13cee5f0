//! Sluicegate, serving a folder of manifests with one worker.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use test_support::Process;
use test_support::manifests::CLASS;

use crate::cores::pinned;
use crate::manifests::{HOST, backend};
use crate::process;

/// Writes the manifests into `folder`, starts sluicegate with them and returns where it serves.
pub(crate) fn start(
    folder: &Path,
    core: usize,
    upstream: SocketAddr,
    access_log: bool,
) -> Result<(Process, SocketAddr)> {
    let manifests = folder.join("manifests");
    fs::create_dir(&manifests)?;
    fs::write(manifests.join("bench.yaml"), CLASS.to_owned() + &backend("upstream", HOST, upstream, false))?;
    // Cargo puts all programs of the workspace into one folder.
    let program = std::env::current_exe()?.with_file_name("sluicegate");
    ensure!(program.is_file(), "{} is not there: build it with `cargo xtask bench`", program.display());
    let mut command = pinned(core, program);
    command.arg("run").arg("--manifests").arg(manifests);
    command.args(["--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let log = if access_log { folder.join("access.log") } else { "off".into() };
    command.arg("--access-log").arg(log);
    command.env("SLUICEGATE_WORKERS", "1").env("NO_COLOR", "1");
    // As many as haproxy may have: by default it is half the files, and most idle connections need only one.
    command.env("SLUICEGATE_CONNECTIONS_MAX", "15000");
    let mut process = process::start("sluicegate", command)?;
    let (http, admin) = (process.listening("http=")?, process.listening("admin=")?);
    process::wait_for_200(&mut process, admin, "/ready").context("sluicegate is not ready")?;
    Ok((process, http))
}
