//! What nodes are made of: kubelet, kube-scheduler and containerd, built from source into the cache, and what the
//! system has.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use control_plane::{Failed, Missing, Recipe, go_build};

use crate::{Error, pod_image};

/// containerd is a module whose dependencies are not Kubernetes' own, so it is built as it stands.
const CONTAINERD: &str = "v2.4.2";

/// Its programs: itself, what holds a container, and the command by which images are imported.
const CONTAINERD_PROGRAMS: [&str; 3] = ["containerd", "containerd-shim-runc-v2", "ctr"];

/// What the one binary with Kubernetes' programs is called under its other names.
const BINARY: &str = "kubernetes-node";

/// Those names.
const KUBERNETES_PROGRAMS: [&str; 2] = ["kubelet", "kube-scheduler"];

const RECIPE: Recipe = Recipe {
    name: "nodes",
    sources: &[include_str!("../go.mod"), include_str!("../go.sum"), include_str!("../main.go"), CONTAINERD],
    files: &["kubelet", "kube-scheduler", "containerd", "containerd-shim-runc-v2", "ctr"],
};

/// What the system must have, each with its Debian package and where Debian puts it.
const SYSTEM: [(&str, &str, &[&str]); 6] = [
    ("ip", "iproute2", SBIN),
    ("mount", "mount", SBIN),
    ("nsenter", "util-linux", SBIN),
    ("unshare", "util-linux", SBIN),
    ("runc", "runc", SBIN),
    ("host-local", "containernetworking-plugins", &[CNI]),
];

/// Other users' PATH is not root's.
const SBIN: &[&str] = &["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Debian's folder of CNI plugins.
pub(crate) const CNI: &str = "/usr/lib/cni";

/// All that nodes are made of.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
    image: PathBuf,
}

impl Programs {
    /// Looks into the cache, and into the system.
    ///
    /// # Errors
    /// Names what is missing, and what to do about it.
    pub fn find() -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Err(Error::NotRoot);
        }
        for (name, package, places) in SYSTEM {
            if !places.iter().any(|place| Path::new(place).join(name).is_file()) {
                return Err(Error::NoProgram { name, package, places });
            }
        }
        Ok(Self { folder: RECIPE.find()?, image: pod_image::RECIPE.find()?.join(pod_image::ARCHIVE) })
    }

    /// The folder of those that were built, for a `PATH`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The archive with [`POD_IMAGE`](crate::POD_IMAGE).
    pub(crate) fn image(&self) -> &Path {
        &self.image
    }

    /// One of them, or one of the system's, found by its name; neither input nor environment is the caller's.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.env("PATH", self.path()).current_dir("/").stdin(Stdio::null());
        command
    }

    fn path(&self) -> OsString {
        let mut path = self.folder.clone().into_os_string();
        SBIN.iter().for_each(|folder| path.push(format!(":{folder}")));
        path
    }
}

/// Builds what is not there yet; nothing of the system's, and without root.
///
/// # Errors
/// If Go is missing or a build fails, or the cache cannot be written.
pub fn build() -> Result<(), Failed> {
    if let Err(Missing::FromCache { .. }) = RECIPE.find() {
        eprintln!(
            "Building kubelet and containerd for the tests; the first time this takes some four minutes."
        );
        RECIPE.build(build_into)?;
    }
    if let Err(Missing::FromCache { .. }) = pod_image::RECIPE.find() {
        pod_image::RECIPE.build(pod_image::build_into)?;
    }
    Ok(())
}

fn build_into(folder: &Path) -> Result<(), Failed> {
    go_build(env!("CARGO_MANIFEST_DIR").as_ref(), RECIPE.sources[0], &folder.join(BINARY))?;
    for name in KUBERNETES_PROGRAMS {
        let linked = symlink(BINARY, folder.join(name));
        linked.map_err(control_plane::Error::io(format!("link {name} in {}", folder.display())))?;
    }
    let mut install = Command::new("go");
    install.args(["install", "-trimpath", "-buildvcs=false", "-tags=no_btrfs", "-ldflags=-s -w"]);
    let package = |name| format!("github.com/containerd/containerd/v2/cmd/{name}@{CONTAINERD}");
    install.args(CONTAINERD_PROGRAMS.map(package));
    install.env("GOBIN", folder).env("CGO_ENABLED", "0").current_dir("/").stdin(Stdio::null());
    run(install)
}

/// Shows what the command says, and fails if it does.
pub(crate) fn run(mut command: Command) -> Result<(), Failed> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let shown = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let status = command.status().map_err(control_plane::Error::io(format!("start `{shown}`")))?;
    if status.success() { Ok(()) } else { Err(Failed::Command(shown)) }
}
