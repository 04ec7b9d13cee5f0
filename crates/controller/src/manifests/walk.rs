//! What files the folder holds now.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

/// More manifests than this are no folder of manifests but a mistake (a home directory, a file system's root). Nothing
/// of such a folder is taken: a part of it would look as if the rest had been deleted.
const MAX_FILES: usize = 100_000;

/// Folders deeper than this are a mistake too.
const MAX_DEPTH: usize = 32;

/// Whether a file may have changed. The change time moves with the content, the length, the owner and the mode, and
/// no program can set it back, as an archive or a copy sets back the modification time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn new(metadata: &Metadata) -> Stamp {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        Stamp { device: metadata.dev(), inode: metadata.ino(), length: metadata.len(), changed }
    }

    /// How long ago the file changed; `None` if its clock is ahead of ours.
    pub(super) fn age(&self) -> Option<Duration> {
        let seconds = u64::try_from(self.changed.0).ok()?;
        let nanoseconds = u32::try_from(self.changed.1).ok()?;
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds)).ok()
    }
}

/// Which folder stands at a path: another one, once it was replaced or its volume was unmounted. The time it was made
/// belongs to this, for the numbers of removed folders are used again.
pub(super) type Folder = (u64, u64, Option<SystemTime>);

/// The manifests in a folder and its sub-folders, in path order, by path below the folder.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) folder: Folder,
    pub(super) files: BTreeMap<PathBuf, Stamp>,
    /// Sub-folders and files of which nothing can be said, and why.
    pub(super) unknown: Vec<(PathBuf, io::Error)>,
}

impl Listing {
    /// Lists the folder. Names that begin with a dot are left out: editors' files, version control, and the
    /// `..data` folders of a mounted ConfigMap, whose files are reached through links beside them. Links to files are
    /// followed, links to folders are not.
    ///
    /// Fails if the folder itself cannot be listed, or has too many files.
    pub(super) fn of(dir: &Path) -> io::Result<Listing> {
        let metadata = fs::metadata(dir)?;
        let folder = (metadata.dev(), metadata.ino(), metadata.created().ok());
        let mut listing = Listing { folder, ..Listing::default() };
        let mut folders = vec![(PathBuf::new(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            match listing.add_folder(dir, &folder, depth, &mut folders) {
                Ok(()) => {}
                Err(error) if depth == 0 || error.kind() == io::ErrorKind::QuotaExceeded => {
                    return Err(error);
                }
                // It was removed since its parent was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => listing.unknown.push((folder, error)),
            }
        }
        Ok(listing)
    }

    /// Whether there is no manifest, and no place of which nothing is known.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.unknown.is_empty()
    }

    /// Whether nothing is known about `path`, or about a folder above it.
    pub(super) fn is_unknown(&self, path: &Path) -> bool {
        self.unknown.iter().any(|(unknown, _)| path.starts_with(unknown))
    }

    fn add_folder(
        &mut self,
        dir: &Path,
        folder: &Path,
        depth: usize,
        folders: &mut Vec<(PathBuf, usize)>,
    ) -> io::Result<()> {
        if depth > MAX_DEPTH {
            return Err(io::Error::other(format!("folders are nested deeper than {MAX_DEPTH}")));
        }
        for entry in fs::read_dir(dir.join(folder))? {
            let entry = entry?;
            let (name, kind) = (entry.file_name(), entry.file_type()?);
            let path = folder.join(&name);
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            } else if kind.is_dir() {
                folders.push((path, depth + 1));
            } else if is_manifest(&path) {
                self.add_file(dir, path, kind.is_symlink());
            }
        }
        if self.files.len() > MAX_FILES {
            let message = format!("it has more than {MAX_FILES} manifests");
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, message));
        }
        Ok(())
    }

    fn add_file(&mut self, dir: &Path, path: PathBuf, is_link: bool) {
        match fs::metadata(dir.join(&path)) {
            Ok(metadata) if metadata.is_file() => {
                self.files.insert(path, Stamp::new(&metadata));
            }
            Ok(_) => {}
            // It was removed since its folder was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !is_link => {}
            Err(error) => self.unknown.push((path, error)),
        }
    }
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}
