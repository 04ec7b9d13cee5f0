//! Installs what the other commands need. Each step looks first and does nothing when the thing is there.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail, ensure};
use control_plane::Binaries;

use crate::shell::{self, cargo, program, succeeds};

/// Programs that tests and benches start, and the Debian package of each.
const PEERS: [(&str, &str); 3] = [("nginx", "nginx-light"), ("haproxy", "haproxy"), ("wrk", "wrk")];

/// Pinned, so that a new release of the tool changes nothing overnight.
const CARGO_DENY: &str = "cargo-deny@0.20.2";

/// Installs everything.
pub(crate) fn run() -> Result<()> {
    lint_tools()?;
    peers()?;
    control_plane().map(drop)
}

/// Installs rustfmt, clippy and cargo-deny. The latter is built from source, which takes some minutes, once.
pub(crate) fn lint_tools() -> Result<()> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if !succeeds(cargo(&[subcommand, "--version"])) {
            shell::run(program("rustup", &["component", "add", component]))?;
        }
    }
    if !succeeds(cargo(&["deny", "--version"])) {
        shell::run(cargo(&["install", CARGO_DENY, "--locked"]))?;
    }
    Ok(())
}

/// Installs the programs that tests and benches start.
///
/// # Errors
/// Where it may not or cannot install them, names the command that will.
pub(crate) fn peers() -> Result<()> {
    let missing = PEERS.iter().filter(|(name, _)| !is_installed(name));
    let packages: Vec<&str> = missing.map(|(_, package)| *package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let by_hand = format!("apt-get update && apt-get install --no-install-recommends {}", packages.join(" "));
    ensure!(succeeds(program("apt-get", &["--version"])), "no apt-get here; install: {}", packages.join(" "));
    if !is_root() {
        bail!("packages are missing and only root may install them: sudo sh -c '{by_hand}'");
    }
    shell::run(apt_get(&["update", "--quiet"]))?;
    let mut install = apt_get(&["install", "--quiet", "--yes", "--no-install-recommends"]);
    install.args(packages);
    shell::run(install)
}

/// Builds the Kubernetes control plane that tests start, unless it is there or the environment names another.
///
/// # Errors
/// If Go, the one thing that is not installed here, is missing, says where to get it.
pub(crate) fn control_plane() -> Result<Binaries> {
    Ok(control_plane::build()?)
}

fn apt_get(args: &[&str]) -> Command {
    let mut command = program("apt-get", args);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Looks also where Debian puts servers, which is not in everybody's `PATH`.
fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(name)).any(|file| file.is_file())
}

/// `/proc/self` belongs to the user that this process acts as.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    Path::new("/proc/self").metadata().is_ok_and(|metadata| metadata.uid() == 0)
}
