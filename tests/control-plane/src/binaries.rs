//! Where the programs are: `KUBEBUILDER_ASSETS`, or our cache, which [`build()`](build::build) fills.

pub(crate) mod build;

use std::env;
use std::path::{Path, PathBuf};

use crate::Recipe;

/// The field's name for a folder with these programs; if it is set, exactly those are used.
const ASSETS: &str = "KUBEBUILDER_ASSETS";

/// All that [`ControlPlane`](crate::ControlPlane) starts, and kubectl, by which it looks and by which people do.
const NAMES: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"];

const RECIPE: Recipe = Recipe {
    name: "control-plane",
    sources: &[include_str!("../go.mod"), include_str!("../go.sum"), include_str!("../main.go")],
    files: &NAMES,
};

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
    #[error("no {name} in {}: run `cargo xtask setup`", folder.display())]
    FromCache {
        /// What the recipe is called.
        name: &'static str,
        /// Where it would be.
        folder: PathBuf,
    },
    /// There is no place for a cache.
    #[error(
        "neither XDG_CACHE_HOME nor HOME is set to a path, so there is no cache for what tests need; set one"
    )]
    NoCache,
}

impl Binaries {
    /// Looks into `KUBEBUILDER_ASSETS` if that is set, and else into the cache.
    ///
    /// # Errors
    /// Names what is missing, and the command that will build it.
    pub fn find() -> Result<Self, Missing> {
        let Some(folder) = assets() else { return Ok(Self { folder: RECIPE.find()? }) };
        match RECIPE.missing(&folder) {
            Some(name) => Err(Missing::FromAssets { folder, name }),
            None => Ok(Self { folder }),
        }
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
