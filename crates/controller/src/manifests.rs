//! The folder of manifests: a source that feeds the index.
//!
//! Owns: which files there are, what each last said that was good, which objects they give together, and what is wrong
//! with them. Never: what an object means.
//! Start at [`Manifests::scan`], which looks for changes, then [`Manifests::feed`], which hands them to the index.

mod file;
mod object;
mod parse;
mod secret;
mod walk;
mod watch;

use std::collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use model::{Problem, Severity};

use self::file::{File, HeldObject, Look};
use self::walk::{Folder, Listing};
use crate::index::Index;
use crate::kinds::Id;
use crate::reasons;

pub(crate) use self::object::{Wrong, typed};
pub(crate) use self::secret::read as secret_from_manifest;
pub(crate) use self::watch::FolderWatch;

/// The folder of manifests, or what was named in its place, cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the manifests in {}: {source}", path.display())]
pub struct ReadError {
    /// What was named.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// What a pass over the folder found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Whether any file says something else than before.
    pub(crate) changed: bool,
    /// When to look again, even if no file is touched until then.
    pub(crate) again: Option<Instant>,
}

impl Scan {
    fn again_at(&mut self, at: Instant) {
        self.again = Some(self.again.map_or(at, |again| again.min(at)));
    }
}

/// The manifests of a folder and its sub-folders.
#[derive(Debug)]
pub(crate) struct Manifests {
    dir: PathBuf,
    /// The folder that was last read.
    folder: Folder,
    /// By path below the folder, and so in path order.
    files: BTreeMap<PathBuf, File>,
    /// What the index has from here.
    fed: BTreeSet<Id>,
    /// The problems of folders, and of files that have no state.
    unknown: Vec<Problem>,
    /// The objects that two places give.
    duplicates: Vec<Problem>,
}

impl Manifests {
    /// Reads the folder for the first time, as it stands.
    pub(crate) fn read(dir: PathBuf) -> Result<Manifests, ReadError> {
        let listing = match Listing::of(&dir) {
            Ok(listing) => listing,
            Err(source) => return Err(ReadError { path: dir, source }),
        };
        let (files, fed) = (BTreeMap::new(), BTreeSet::new());
        let folder = listing.folder;
        let mut manifests =
            Manifests { dir, folder, files, fed, unknown: Vec::new(), duplicates: Vec::new() };
        manifests.unknown = manifests.unknown_problems(&listing);
        for (path, stamp) in listing.files {
            let full = manifests.dir.join(&path);
            let mut file = File::new(shown(&full));
            file.look(&full, stamp, stamp.age());
            manifests.files.insert(path, file);
        }
        Ok(manifests)
    }

    /// One manifest that stands in no folder.
    pub(crate) fn of_text(name: &str, text: impl io::Read) -> io::Result<Manifests> {
        let mut file = File::new(name.into());
        file.take_text(text)?;
        let files = BTreeMap::from([(PathBuf::from(name), file)]);
        let (dir, folder, fed) = (PathBuf::new(), Folder::default(), BTreeSet::new());
        Ok(Manifests { dir, folder, files, fed, unknown: Vec::new(), duplicates: Vec::new() })
    }

    /// Takes what has changed since, except what has not settled. `written` says when each file that is still
    /// open for writing was last written to. If the folder cannot be listed, everything stays as it is.
    pub(crate) fn scan(&mut self, written: &HashMap<PathBuf, Instant>, now: Instant) -> Scan {
        let mut scan = Scan::default();
        let listing = match Listing::of(&self.dir) {
            Ok(listing) => listing,
            Err(error) => {
                self.unknown = vec![folder_problem(&self.dir, &error)];
                return scan;
            }
        };
        if listing.is_empty() && listing.folder != self.folder && !self.files.is_empty() {
            let error = io::Error::other("another folder stands in its place, and it is empty");
            self.unknown = vec![folder_problem(&self.dir, &error)];
            return scan;
        }
        self.folder = listing.folder;
        self.unknown = self.unknown_problems(&listing);
        for (path, stamp) in &listing.files {
            let full = self.dir.join(path);
            let file = self.files.entry(path.clone()).or_insert_with(|| File::new(shown(&full)));
            let written = written.get(path).copied();
            match file.look_settled(&full, *stamp, stamp.age(), written, now) {
                Look::Unchanged => {}
                Look::Taken => scan.changed = true,
                Look::Later(at) => scan.again_at(at),
            }
        }
        self.forget_deleted(&listing, &mut scan, now);
        scan
    }

    fn forget_deleted(&mut self, listing: &Listing, scan: &mut Scan, now: Instant) {
        self.files.retain(|path, file| {
            if listing.files.contains_key(path) || listing.is_unknown(path) {
                return true;
            }
            let until = file.look_gone(now);
            match until {
                Some(at) => scan.again_at(at),
                None => scan.changed = true,
            }
            until.is_some()
        });
    }

    /// Makes the index have what the files give.
    pub(crate) fn feed(&mut self, index: &mut Index) {
        let (objects, duplicates) = served(&self.files);
        for id in self.fed.iter().filter(|id| !objects.contains_key(id)) {
            index.delete(id);
        }
        for (file, held) in objects.values() {
            index.apply(held.object.clone(), Some(&file.name));
        }
        self.fed = objects.into_keys().cloned().collect();
        self.duplicates = duplicates;
    }

    /// What is wrong with the folder and its files.
    pub(crate) fn problems(&self) -> impl Iterator<Item = &Problem> {
        let files = self.files.values().flat_map(|file| &file.problems);
        self.unknown.iter().chain(files).chain(&self.duplicates)
    }

    fn unknown_problems(&self, listing: &Listing) -> Vec<Problem> {
        let problem = |(path, error): &(PathBuf, io::Error)| folder_problem(&self.dir.join(path), error);
        listing.unknown.iter().map(problem).collect()
    }
}

/// The objects that the files give, the first in path order of each name, and the problems of the others. A file that
/// may come back in a moment gives way: it has most likely been renamed.
fn served(files: &BTreeMap<PathBuf, File>) -> (BTreeMap<&Id, (&File, &HeldObject)>, Vec<Problem>) {
    let (mut objects, mut duplicates) = (BTreeMap::<&Id, (&File, &HeldObject)>::new(), Vec::new());
    for file in files.values().filter(|file| !file.is_gone()) {
        for held in &file.held {
            match objects.entry(&held.id) {
                Entry::Vacant(place) => {
                    place.insert((file, held));
                }
                Entry::Occupied(first) => duplicates.push(duplicate(file, held, first.get().0)),
            }
        }
    }
    for file in files.values().filter(|file| file.is_gone()) {
        for held in &file.held {
            objects.entry(&held.id).or_insert((file, held));
        }
    }
    (objects, duplicates)
}

fn duplicate(file: &File, held: &HeldObject, first: &File) -> Problem {
    let message = match Arc::ptr_eq(&file.name, &first.name) {
        true => "the file has the same object more than once; the first one is served".to_owned(),
        false => format!("{} has the same object, and that one is served", first.name),
    };
    let (object, field) = (held.id.in_file(&file.name), String::new());
    let (severity, remedy) = (Severity::Error, "remove one of the two, or rename it".to_owned());
    Problem { object, field, severity, reason: reasons::DUPLICATE_OBJECT, message, remedy }
}

fn folder_problem(path: &Path, error: &io::Error) -> Problem {
    let message = format!("it cannot be read: {error} (what it last gave is still served)");
    parse::file_problem(&shown(path), reasons::UNREADABLE_FILE, message, "make it readable, or remove it")
}

fn shown(path: &Path) -> Arc<str> {
    path.display().to_string().into()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    const SERVICE: &str = "{apiVersion: v1, kind: Service, metadata: {name: web}}";

    /// Later than any state takes to settle.
    const LATER: Duration = Duration::from_secs(60);

    fn scan(manifests: &mut Manifests, now: Instant) -> Scan {
        manifests.scan(&HashMap::new(), now)
    }

    fn services(manifests: &mut Manifests, index: &mut Index) -> usize {
        manifests.feed(index);
        index.objects().services.len()
    }

    #[test]
    fn a_file_that_is_missing_for_a_moment_is_not_deleted() {
        let dir = tempfile::tempdir().expect("a folder");
        let (path, now) = (dir.path().join("web.yaml"), Instant::now());
        fs::write(&path, SERVICE).expect("a file");
        let mut manifests = Manifests::read(dir.path().to_owned()).expect("the folder can be read");
        let mut index = Index::default();
        assert_eq!(services(&mut manifests, &mut index), 1);
        fs::remove_file(&path).expect("removed");
        let again = scan(&mut manifests, now).again.expect("it is looked at again");
        assert_eq!(services(&mut manifests, &mut index), 1);
        assert_eq!(scan(&mut manifests, again), Scan { changed: true, again: None });
        assert_eq!(services(&mut manifests, &mut index), 0);
    }

    #[test]
    fn a_renamed_file_is_no_duplicate_of_itself() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("a.yaml"), SERVICE).expect("a file");
        let mut manifests = Manifests::read(dir.path().to_owned()).expect("the folder can be read");
        fs::rename(dir.path().join("a.yaml"), dir.path().join("b.yaml")).expect("renamed");
        let mut index = Index::default();
        // The new name is taken once it is not young any more; the old one is then still settling.
        let now = Instant::now();
        while !scan(&mut manifests, now).changed {}
        assert_eq!(manifests.files.len(), 2);
        assert_eq!(services(&mut manifests, &mut index), 1);
        assert_eq!(manifests.problems().next(), None);
        assert_eq!(scan(&mut manifests, now + LATER), Scan { changed: true, again: None });
        assert_eq!(services(&mut manifests, &mut index), 1);
    }

    #[test]
    fn a_file_that_is_rewritten_all_the_time_is_taken_all_the_same() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut manifests = Manifests::read(dir.path().to_owned()).expect("the folder can be read");
        let now = Instant::now();
        let mut taken = false;
        for step in 0..12 {
            fs::write(dir.path().join("web.yaml"), SERVICE).expect("a file");
            taken |= scan(&mut manifests, now + step * Duration::from_millis(10)).changed;
        }
        assert!(taken);
    }

    #[test]
    fn two_changes_that_the_clock_does_not_tell_apart_are_both_seen() {
        let dir = tempfile::tempdir().expect("a folder");
        let (path, mut file) = (dir.path().join("web.yaml"), File::new("web.yaml".into()));
        fs::write(&path, SERVICE).expect("a file");
        let stamp = Listing::of(dir.path()).expect("it can be listed").files[Path::new("web.yaml")];
        let (young, now) = (Some(Duration::ZERO), Instant::now());
        file.look(&path, stamp, young);
        // A look that is too early, and one that cannot wait any longer.
        fs::write(&path, SERVICE.replace("web", "api")).expect("a file of the same length");
        assert!(matches!(file.look_settled(&path, stamp, young, None, now), Look::Later(_)));
        assert_eq!(file.look_settled(&path, stamp, young, None, now + LATER), Look::Taken);
        assert_eq!(file.held[0].id.name, "api");
        // What was taken while it was young is read once more, and after that no more.
        fs::write(&path, SERVICE).expect("a file of the same length");
        let looks = [0, 1].map(|_| file.look_settled(&path, stamp, Some(LATER), None, now + LATER));
        assert_eq!(looks, [Look::Taken, Look::Unchanged]);
        assert_eq!(file.held[0].id.name, "web");
    }
}
