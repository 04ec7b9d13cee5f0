//! Programs that are built from source once and then kept in the cache, in a folder for each version of the source.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::binaries::Missing;
use crate::binaries::build::Failed;

/// What a build that is not finished is called; the id of its process follows.
const UNFINISHED: &str = ".building-";

/// What decides what is built, and what has to be there in the end.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// What the cache's folder is called.
    pub name: &'static str,
    /// Everything that decides what is built. Another compiler is no reason to build anew.
    pub sources: &'static [&'static str],
    /// The files that a build makes.
    pub files: &'static [&'static str],
}

impl Recipe {
    /// The folder with what was built of these sources.
    ///
    /// # Errors
    /// If it was not built yet, or not all of it is there.
    pub fn find(&self) -> Result<PathBuf, Missing> {
        let folder = self.cache()?.join(self.key());
        match self.missing(&folder) {
            Some(_) => Err(Missing::FromCache { name: self.name, folder }),
            None => Ok(folder),
        }
    }

    /// Builds into the cache, in one step for other processes, and removes what earlier versions left there.
    ///
    /// # Errors
    /// With what `build` returned, or if the cache cannot be written.
    pub fn build(&self, build: impl FnOnce(&Path) -> Result<(), Failed>) -> Result<PathBuf, Failed> {
        let cache = self.cache()?;
        let unfinished = cache.join(format!("{UNFINISHED}{}", std::process::id()));
        fs::create_dir_all(&unfinished).map_err(Error::io(format!("create {}", unfinished.display())))?;
        let built = build(&unfinished).and_then(|()| Ok(self.publish(&unfinished, &cache.join(self.key()))?));
        // Gone already if it was published, and of no use if not.
        let _ = fs::remove_dir_all(&unfinished);
        built?;
        self.sweep(&cache).map_err(Error::io(format!("remove old versions from {}", cache.display())))?;
        Ok(self.find()?)
    }

    /// The first file that this folder has not.
    pub(crate) fn missing(&self, folder: &Path) -> Option<&'static str> {
        self.files.iter().copied().find(|name| !folder.join(name).is_file())
    }

    /// The folder that has a folder for each key.
    fn cache(&self) -> Result<PathBuf, Missing> {
        let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
        Ok(cache.ok_or(Missing::NoCache)?.join("sluicegate").join(self.name))
    }

    /// FNV-1a of all sources: the standard library's hasher may change with the compiler, and this needs no secrecy.
    fn key(&self) -> String {
        let bytes = self.sources.iter().flat_map(|source| source.bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        format!("{hash:016x}")
    }

    /// In one step, so that no process finds half of it. Another process may have been faster, with the same result.
    fn publish(&self, unfinished: &Path, folder: &Path) -> Result<(), Error> {
        if folder.exists() && self.find().is_err() {
            let _ = fs::remove_dir_all(folder);
        }
        match fs::rename(unfinished, folder) {
            Err(_) if self.find().is_ok() => Ok(()),
            renamed => {
                renamed.map_err(Error::io(format!("rename {} to {}", unfinished.display(), folder.display())))
            }
        }
    }

    /// A version is some 150 MB; only the one that this source builds is kept, and what others are just building.
    fn sweep(&self, cache: &Path) -> io::Result<()> {
        for entry in fs::read_dir(cache)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let builder = name.strip_prefix(UNFINISHED);
            let is_being_built = builder.is_some_and(|pid| Path::new("/proc").join(pid).exists());
            if name != self.key() && !is_being_built {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: Recipe = Recipe { name: "tea", sources: &["leaves"], files: &["pot", "cup"] };

    #[test]
    fn what_is_missing_is_named_with_its_remedy() {
        let folder = tempfile::tempdir().expect("a folder for a test");
        std::fs::write(folder.path().join("pot"), "").expect("a file in it");
        assert_eq!(RECIPE.missing(folder.path()), Some("cup"));
        let told = Missing::FromCache { name: "tea", folder: folder.path().to_owned() }.to_string();
        assert!(told.contains("no tea in") && told.contains("cargo xtask setup"), "{told}");
    }

    #[test]
    fn another_source_has_another_key() {
        let other = Recipe { sources: &["leaves", "milk"], ..RECIPE };
        assert_ne!(RECIPE.key(), other.key());
    }
}
