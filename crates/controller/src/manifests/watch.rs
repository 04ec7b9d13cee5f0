//! When the folder of manifests has changed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use std::{fs, io};

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

/// Hears of every change in the folder and its sub-folders. It only says when to look: what changed is found by
/// looking, so that a lost event costs time and nothing else.
pub(crate) struct FolderWatch {
    dir: PathBuf,
    watched: Option<(Identity, RecommendedWatcher)>,
    heard: Arc<Heard>,
    failed: Option<String>,
}

/// Which folder stands at a path: another one, once it was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    path: PathBuf,
    device: u64,
    inode: u64,
}

#[derive(Default)]
struct Heard {
    changed: Notify,
    /// When each file that a program has open was last written to.
    written: Mutex<HashMap<PathBuf, Instant>>,
}

impl FolderWatch {
    /// Watches nothing before the first [`renew`](FolderWatch::renew).
    pub(crate) fn new(dir: PathBuf) -> FolderWatch {
        FolderWatch { dir, watched: None, heard: Arc::default(), failed: None }
    }

    /// Watches the folder that stands at the path now, if it is not the one that is watched. Call it before looking,
    /// so that no change falls between the two.
    pub(crate) fn renew(&mut self) {
        match self.try_renew() {
            Ok(()) => self.failed = None,
            Err(error) => {
                self.watched = None;
                let error = error.to_string();
                if self.failed.as_ref() != Some(&error) {
                    let dir = self.dir.display();
                    tracing::warn!(%dir, error, "cannot watch the folder; changes are found by looking");
                    self.failed = Some(error);
                }
            }
        }
    }

    fn try_renew(&mut self) -> notify::Result<()> {
        let identity = Identity::of(&self.dir).map_err(notify::Error::io)?;
        if self.watched.as_ref().is_some_and(|(watched, _)| *watched == identity) {
            return Ok(());
        }
        // The old watcher ends before what it heard is forgotten.
        self.watched = None;
        self.heard.written.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let (heard, root) = (Arc::clone(&self.heard), identity.path.clone());
        let on_event = move |event: notify::Result<Event>| match event {
            Ok(event) => heard.hear(&event, &root),
            Err(_) => heard.changed.notify_one(),
        };
        let mut watcher = RecommendedWatcher::new(on_event, Config::default().with_follow_symlinks(false))?;
        watcher.watch(&identity.path, RecursiveMode::Recursive)?;
        self.watched = Some((identity, watcher));
        Ok(())
    }

    /// Whether the folder is watched; if not, only looking helps.
    pub(crate) fn is_watching(&self) -> bool {
        self.watched.is_some()
    }

    /// Waits for the next change; a change since the last call counts.
    pub(crate) async fn changed(&self) {
        self.heard.changed.notified().await;
    }

    /// When each file that a program has open was last written to, by path below the folder.
    pub(crate) fn written(&self) -> HashMap<PathBuf, Instant> {
        self.heard.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Identity {
    fn of(dir: &Path) -> io::Result<Identity> {
        use std::os::unix::fs::MetadataExt;
        let (path, metadata) = (fs::canonicalize(dir)?, fs::metadata(dir)?);
        Ok(Identity { path, device: metadata.dev(), inode: metadata.ino() })
    }
}

impl Heard {
    fn hear(&self, event: &Event, root: &Path) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let paths = event.paths.iter().filter_map(|path| path.strip_prefix(root).ok());
        match event.kind {
            // Our own reading shows as such events: to look because of them would never end.
            EventKind::Access(AccessKind::Open(_) | AccessKind::Close(AccessMode::Read)) => return,
            EventKind::Modify(ModifyKind::Data(_)) => {
                written.extend(paths.map(|path| (path.to_owned(), Instant::now())));
            }
            EventKind::Modify(ModifyKind::Metadata(_)) => {}
            _ => paths.for_each(|path| {
                written.remove(path);
            }),
        }
        drop(written);
        self.changed.notify_one();
    }
}
