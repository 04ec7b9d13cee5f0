//! Processes that follow one another at a path, all in this one.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::super::super::watch::{Fate, Successor};
use super::super::super::{Confirmed, Owner, connect};
use super::super::sides::offers;

/// A process in a line of those that have followed one another.
pub(super) struct Process {
    path: PathBuf,
    pub(super) owner: Owner,
    pub(super) successor: Option<Successor>,
}

impl Process {
    pub(super) fn first(path: &Path) -> Process {
        Process::with(path, &[])
    }

    pub(super) fn with(path: &Path, listeners: &[Arc<TcpListener>]) -> Process {
        let owner = Owner::claim(path.into(), offers(listeners)).unwrap();
        Process { path: path.into(), owner, successor: None }
    }

    /// The next process, which serves in the place of this one.
    pub(super) async fn next(&mut self) -> Process {
        self.next_with(&[]).await
    }

    pub(super) async fn next_with(&mut self, listeners: &[Arc<TcpListener>]) -> Process {
        let (path, offers) = (self.path.clone(), offers(listeners));
        let next = async {
            let mut received = connect(&path).await.unwrap().expect("a process is there");
            let owner = Owner::follow(path.clone(), offers.clone(), Some(&received)).await.unwrap();
            let mut owner = owner.expect("the predecessor is there");
            assert_eq!(received.confirm(&offers.clone().into()).await, Confirmed::Released);
            owner.replaces(received);
            Process { path: path.clone(), owner, successor: None }
        };
        let (next, successor) = tokio::join!(next, self.owner.handed_over());
        self.successor = Some(successor);
        next
    }

    pub(super) async fn fate(&mut self) -> Fate {
        soon(self.successor.as_mut().unwrap().fate(&mut self.owner)).await
    }

    pub(super) async fn takes_back(&mut self) {
        match self.fate().await {
            Fate::Died(vacancy) => self.owner.take_back(vacancy),
            other => panic!("it is dead: {other:?}"),
        }
        self.successor = None;
    }

    /// Whether it has nothing to do for a while, in which others come to it.
    pub(super) async fn waits(&mut self) -> bool {
        let while_ = std::time::Duration::from_millis(100);
        match &mut self.successor {
            Some(successor) => tokio::time::timeout(while_, successor.fate(&mut self.owner)).await.is_err(),
            None => tokio::time::timeout(while_, self.owner.handed_over()).await.is_err(),
        }
    }
}

pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(std::time::Duration::from_secs(20), what).await.expect("soon")
}

pub(super) fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("handover");
    (folder, path)
}
