//! Builds the programs from the Go module beside this crate: one binary, and a symlink to it for each name.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Binaries, Missing, NAMES, SOURCES, cache, key};
use crate::Error;

/// What the one binary is called under its other names.
const BINARY: &str = "control-plane";

/// What a build that is not finished is called; the id of its process follows.
const UNFINISHED: &str = ".building-";

/// Why there is nothing built.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The one prerequisite beside Rust.
    #[error(
        "no `go` in PATH, and the Kubernetes control plane of the tests is built with it: \
         install Go 1.26 or newer from https://go.dev/dl, or set KUBEBUILDER_ASSETS to a folder that has {NAMES:?}"
    )]
    NoGo,
    /// Go told why on standard error.
    #[error("`go build` failed in {}", .0.display())]
    GoBuild(PathBuf),
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
    let cache = cache()?;
    let unfinished = cache.join(format!("{UNFINISHED}{}", std::process::id()));
    let built = build_into(&unfinished).and_then(|()| Ok(publish(&unfinished, &cache.join(key()))?));
    // Gone already if it was published, and of no use if not.
    let _ = fs::remove_dir_all(&unfinished);
    built?;
    sweep(&cache).map_err(Error::io(format!("remove old versions from {}", cache.display())))?;
    Ok(Binaries::find()?)
}

fn build_into(folder: &Path) -> Result<(), Failed> {
    if !go(&["version"]).stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
        return Err(Failed::NoGo);
    }
    eprintln!(
        "Building a Kubernetes control plane for the tests; the first time this takes 6 to 10 minutes on two cores."
    );
    fs::create_dir_all(folder).map_err(Error::io(format!("create {}", folder.display())))?;
    let mut build =
        go(&["build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", &version_flags(), "-o"]);
    build.arg(folder.join(BINARY)).arg(".").env("CGO_ENABLED", "0");
    let status = build.status().map_err(Error::io("start `go build`"))?;
    if !status.success() {
        return Err(Failed::GoBuild(source()));
    }
    let links = NAMES.iter().try_for_each(|name| symlink(BINARY, folder.join(name)));
    Ok(links.map_err(Error::io(format!("link the programs in {}", folder.display())))?)
}

fn go(args: &[&str]) -> Command {
    let mut go = Command::new("go");
    go.args(args).current_dir(source()).stdin(Stdio::null());
    go
}

fn source() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

/// Kubernetes' version is written into it at link time; clients cannot make sense of a server that has none.
fn version_flags() -> String {
    let version = version();
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
fn version() -> &'static str {
    let [go_mod, ..] = SOURCES;
    let version = go_mod.lines().find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "));
    version.expect("go.mod requires Kubernetes")
}

/// In one step, so that nobody finds half of it. Another process may have been faster, with the same result.
fn publish(unfinished: &Path, folder: &Path) -> Result<(), Error> {
    if folder.exists() && Binaries::find().is_err() {
        let _ = fs::remove_dir_all(folder);
    }
    match fs::rename(unfinished, folder) {
        Err(_) if Binaries::find().is_ok() => Ok(()),
        renamed => {
            renamed.map_err(Error::io(format!("rename {} to {}", unfinished.display(), folder.display())))
        }
    }
}

/// Each version is 150 MB; only the one that this source builds is kept, and what others are just building.
fn sweep(cache: &Path) -> io::Result<()> {
    for entry in fs::read_dir(cache)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let builder = name.strip_prefix(UNFINISHED);
        let is_being_built = builder.is_some_and(|pid| Path::new("/proc").join(pid).exists());
        if name != key() && !is_being_built {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_that_clients_see_is_the_one_that_go_mod_requires() {
        assert!(version().starts_with("v1."), "{}", version());
        let flags = version_flags();
        assert!(flags.contains(&format!("component-base/version.gitVersion={}", version())), "{flags}");
        assert!(flags.contains("client-go/pkg/version.gitMinor="), "{flags}");
    }
}
