//! Where the programs are: `KUBEBUILDER_ASSETS`, or our cache, which [`build()`](build::build) fills.

pub(crate) mod build;

use std::env;
use std::path::{Path, PathBuf};

/// The field's name for a folder with these programs; whoever sets it wants exactly those.
const ASSETS: &str = "KUBEBUILDER_ASSETS";

/// Everything that decides what is built. Another Go is no reason to build anew.
const SOURCES: [&str; 3] = [include_str!("../go.mod"), include_str!("../go.sum"), include_str!("../main.go")];

/// All that [`ControlPlane`](crate::ControlPlane) starts, and kubectl, by which it looks and by which people do.
const NAMES: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"];

/// A folder that holds all the programs.
#[derive(Clone, Debug)]
pub struct Binaries {
    folder: PathBuf,
}

/// A program is missing.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    /// The folder that the environment names lacks one. envtest's own archives have no controller manager.
    #[error("{ASSETS} names {}, which has no {name}: put it there, or unset {ASSETS} and run `cargo xtask setup`", folder.display())]
    FromAssets {
        /// What the variable says.
        folder: PathBuf,
        /// The first program that is not there.
        name: &'static str,
    },
    /// Nothing was built yet, or what was built is of another version.
    #[error("no Kubernetes control plane in {}: run `cargo xtask setup`, or set {ASSETS}", folder.display())]
    FromCache {
        /// Where it would be.
        folder: PathBuf,
    },
    /// There is no place for a cache.
    #[error("neither XDG_CACHE_HOME nor HOME is set, so there is no cache to look into; set {ASSETS}")]
    NoCache,
}

impl Binaries {
    /// Looks into `KUBEBUILDER_ASSETS` if that is set, and else into the cache.
    ///
    /// # Errors
    /// Names what is missing, and the command that will build it.
    pub fn find() -> Result<Self, Missing> {
        if let Some(folder) = assets() {
            return match missing(&folder) {
                Some(name) => Err(Missing::FromAssets { folder, name }),
                None => Ok(Self { folder }),
            };
        }
        let folder = cache()?.join(key());
        if missing(&folder).is_some() {
            return Err(Missing::FromCache { folder });
        }
        Ok(Self { folder })
    }

    /// The folder, for a `PATH`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn program(&self, name: &'static str) -> PathBuf {
        debug_assert!(NAMES.contains(&name), "{name} is looked for by find()");
        self.folder.join(name)
    }
}

fn assets() -> Option<PathBuf> {
    env::var_os(ASSETS).filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

fn missing(folder: &Path) -> Option<&'static str> {
    NAMES.into_iter().find(|name| !folder.join(name).is_file())
}

/// The folder that has a folder for each key.
fn cache() -> Result<PathBuf, Missing> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    Ok(cache.ok_or(Missing::NoCache)?.join("sluicegate/control-plane"))
}

/// FNV-1a of all [`SOURCES`]: the standard library's hasher may change with the compiler, and this needs no secrecy.
fn key() -> String {
    let bytes = SOURCES.iter().flat_map(|source| source.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_remedy() {
        let folder = tempfile::tempdir().expect("a folder for a test");
        std::fs::write(folder.path().join("etcd"), "").expect("a file in it");
        let name = missing(folder.path()).expect("two of three are missing");
        assert_eq!(name, "kube-apiserver");
        let told = Missing::FromCache { folder: folder.path().to_owned() }.to_string();
        assert!(told.contains("cargo xtask setup"), "{told}");
    }
}
