//! Builds the programs from the Go module beside this crate: one binary, and a symlink to it for each name.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Binaries, Missing, NAMES, RECIPE};
use crate::Error;

/// What the one binary is called under its other names.
const BINARY: &str = "control-plane";

/// Why there is nothing built.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The one prerequisite beside Rust.
    #[error(
        "no `go` in PATH, and what Kubernetes the tests need is built with it: install Go 1.26 or newer from \
         https://go.dev/dl, or set KUBEBUILDER_ASSETS to a folder that has {NAMES:?}"
    )]
    NoGo,
    /// Go told why on standard error.
    #[error("`go build` failed in {}", .0.display())]
    GoBuild(PathBuf),
    /// Another program that a recipe needs has told why on standard error.
    #[error("`{0}` failed")]
    Command(String),
    /// Nothing may be built here: what is missing is not ours to build.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// The cache cannot be written.
    #[error(transparent)]
    Io(#[from] Error),
}

/// Finds the programs, or builds them into the cache and removes what earlier versions left there.
///
/// # Errors
/// If Go is missing or fails, or the cache cannot be written.
pub fn build() -> Result<Binaries, Failed> {
    match Binaries::find() {
        Err(Missing::FromCache { .. }) => {}
        found => return Ok(found?),
    }
    RECIPE.build(|folder| {
        eprintln!(
            "Building a Kubernetes control plane for the tests; the first time this takes 6 to 10 minutes on two \
             cores."
        );
        go_build(env!("CARGO_MANIFEST_DIR").as_ref(), RECIPE.sources[0], &folder.join(BINARY))?;
        let links = NAMES.iter().try_for_each(|name| symlink(BINARY, folder.join(name)));
        Ok(links.map_err(Error::io(format!("link the programs in {}", folder.display())))?)
    })?;
    Ok(Binaries::find()?)
}

/// Builds the program of a Go module that requires Kubernetes; `go_mod` is the text of its go.mod.
///
/// # Errors
/// If Go is missing or fails.
pub fn go_build(module: &Path, go_mod: &str, program: &Path) -> Result<(), Failed> {
    let mut version = Command::new("go");
    let version = version.arg("version").stdin(Stdio::null()).stdout(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        return Err(Failed::NoGo);
    }
    let mut build = Command::new("go");
    build.args([
        "build",
        "-trimpath",
        "-buildvcs=false",
        "-mod=readonly",
        "-ldflags",
        &version_flags(go_mod),
    ]);
    build.arg("-o").arg(program).arg(".").current_dir(module).stdin(Stdio::null()).env("CGO_ENABLED", "0");
    let status = build.status().map_err(Error::io("start `go build`"))?;
    if !status.success() {
        return Err(Failed::GoBuild(module.to_owned()));
    }
    Ok(())
}

/// Kubernetes' version is written into it at link time; clients cannot make sense of a server that has none.
fn version_flags(go_mod: &str) -> String {
    let version = version(go_mod);
    let (major, minor) = version[1..].split_once('.').expect("a version of Go modules has dots");
    let minor = minor.split('.').next().expect("split gives one part or more");
    let mut flags = String::from("-s -w");
    for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
        for (name, value) in [("gitVersion", version), ("gitMajor", major), ("gitMinor", minor)] {
            flags.push_str(&format!(" -X {package}.{name}={value}"));
        }
    }
    flags
}

/// Which Kubernetes go.mod asks for, with the `v`, as Kubernetes itself writes it.
fn version(go_mod: &str) -> &str {
    let version = go_mod.lines().find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "));
    version.expect("go.mod requires Kubernetes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_that_clients_see_is_the_one_that_go_mod_requires() {
        let version = version(RECIPE.sources[0]);
        assert!(version.starts_with("v1."), "{version}");
        let flags = version_flags(RECIPE.sources[0]);
        assert!(flags.contains(&format!("component-base/version.gitVersion={version}")), "{flags}");
        assert!(flags.contains("client-go/pkg/version.gitMinor="), "{flags}");
    }
}
