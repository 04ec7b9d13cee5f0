//! The drained side: watches the process that serves in its place, and is there if that one dies.
//!
//! A successor that leaves says so. One that ends without a word has died, or it had a successor of its own: the path
//! tells which. If a process is there, that one serves and is watched from then on; if not, its place is vacant.
//! However many watch a process that dies, one of them has the folder's lock, and the others find that one at the path.

use std::io::{self, ErrorKind};
use std::path::Path;

use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout};

use super::owner::Owner;
use super::predecessor::{is_end, is_ours};
use super::wire::{Greeting, HANDED_ON, LEAVES, Served, State, Word, say};
use super::{LOCK_PAUSE, LOCK_WAIT, LOOK_PAUSE, MESSAGE_WAIT, PATH_CHECK};
use crate::socket_path::Lock;

/// The process that serves in our place.
#[derive(Debug)]
pub struct Successor {
    pub(super) pid: u32,
    pub(super) stream: UnixStream,
    pub(super) says_farewell: bool,
    /// Whether it has a successor of its own.
    handed_on: bool,
    /// What it has said and is not a whole word yet.
    heard: Vec<u8>,
}

/// What has become of it.
#[derive(Debug)]
pub enum Fate {
    /// It leaves, and wants no process to serve in its place.
    Left,
    /// It has died, and no process serves.
    Died(Vacancy),
    /// It serves, or one after it does, and lacks sockets that we had: they are given up.
    Lacks,
}

/// As long as this lives, no other process takes the place.
#[derive(Debug)]
pub struct Vacancy(#[expect(dead_code, reason = "it is there to be closed")] Option<Lock>);

enum Heard {
    Left,
    Lost,
    Serves(Served),
}

impl Successor {
    pub(super) fn new(stream: UnixStream, theirs: Greeting) -> Successor {
        Successor {
            pid: theirs.pid,
            stream,
            says_farewell: theirs.says_farewell,
            handed_on: false,
            heard: Vec::new(),
        }
    }

    /// Its process, as it calls itself; in another container that number means nothing here.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether it can be told that it dies from that it leaves. Of an older version it cannot.
    pub fn says_farewell(&self) -> bool {
        self.says_farewell
    }

    /// Tells it that no process would serve in its place if it died.
    pub fn look_away(&self) {
        let _ = rustix::net::shutdown(&self.stream, rustix::net::Shutdown::Both);
    }

    /// Watches it, and each that follows it, until one leaves, the last one dies or one lacks what we have. May be
    /// dropped and asked again.
    pub async fn fate(&mut self, owner: &mut Owner) -> Fate {
        loop {
            match self.hear().await {
                Heard::Left => return Fate::Left,
                Heard::Serves(served) if owner.gives_up(&served) => return Fate::Lacks,
                Heard::Serves(_) => continue,
                Heard::Lost => {}
            }
            match self.look(owner.path()).await {
                Look::Vacant(lock) => return Fate::Died(Vacancy(lock)),
                Look::Next(next) => *self = next,
                Look::Stranger => return Fate::Left,
                Look::Unclear => sleep(LOOK_PAUSE).await,
            }
        }
    }

    async fn hear(&mut self) -> Heard {
        loop {
            match Word::next(&mut self.heard) {
                Some(Word::Leaves) => return Heard::Left,
                Some(Word::Serves(served)) => return Heard::Serves(served),
                Some(Word::HandedOn) => {
                    self.handed_on = true;
                    continue;
                }
                None => {}
            }
            match self.stream.read_buf(&mut self.heard).await {
                Ok(1..) => {}
                _ if self.says_farewell => return Heard::Lost,
                // An older one that hands on is not missed when it ends.
                _ if self.handed_on => std::future::pending().await,
                _ => return Heard::Left,
            }
        }
    }

    /// Which process serves, now that this one does not.
    async fn look(&self, path: &Path) -> Look {
        let looked = Instant::now();
        let stream = loop {
            let lock = lock(path).await;
            match UnixStream::connect(path).await {
                Ok(stream) => break stream,
                // It had a successor, which makes its path anew if that was removed.
                Err(error)
                    if error.kind() == ErrorKind::NotFound
                        && self.handed_on
                        && looked.elapsed() < 2 * PATH_CHECK => {}
                Err(error) if is_vacant(&error) => return Look::Vacant(lock),
                // Such as a queue that is full: a process is there.
                Err(_) => {}
            }
            drop(lock);
            sleep(LOOK_PAUSE).await;
        };
        attach(stream).await
    }
}

enum Look {
    Vacant(Option<Lock>),
    Next(Successor),
    /// A process is there which cannot be watched.
    Stranger,
    /// It has ended meanwhile, or hangs.
    Unclear,
}

/// The process that serves at a path.
pub(super) async fn find(path: &Path) -> io::Result<Successor> {
    match attach(UnixStream::connect(path).await?).await {
        Look::Next(next) => Ok(next),
        _ => Err(io::Error::other("the process that has the path does not answer")),
    }
}

/// Asks the owner of a path to be told of its end, and for nothing else.
async fn attach(mut stream: UnixStream) -> Look {
    if !stream.peer_cred().is_ok_and(|peer| is_ours(peer.uid())) {
        return Look::Stranger;
    }
    match timeout(MESSAGE_WAIT, Greeting::read(&mut stream)).await {
        Ok(Ok(theirs)) if theirs.says_farewell => {
            say(&stream, &Greeting::ours(State::Watches).bytes());
            tracing::info!("process {} serves now, and is watched", theirs.pid);
            Look::Next(Successor::new(stream, theirs))
        }
        Ok(Err(error)) if is_end(&error) => Look::Unclear,
        Err(_) => Look::Unclear,
        Ok(_) => Look::Stranger,
    }
}

/// Whether no process is at a path, not even one that is too busy to accept.
pub(super) fn is_vacant(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused)
}

/// Waits for the folder's lock. Its holder looks and renames, which takes no time; so one that has it for longer stands
/// still, and must not keep others from serving.
pub(super) async fn lock(path: &Path) -> Option<Lock> {
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match Lock::of(path) {
            Ok(Some(lock)) => return Some(lock),
            Ok(None) if Instant::now() < deadline => sleep(LOCK_PAUSE).await,
            Ok(None) => {
                tracing::warn!("the folder of {} is locked, and used all the same", path.display());
                return None;
            }
            Err(error) => {
                tracing::debug!(%error, "the folder of {} cannot be locked", path.display());
                return None;
            }
        }
    }
}

/// One that watches this process.
#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) stream: UnixStream,
    pub(super) theirs: Greeting,
}

impl Watcher {
    fn is_there(&self) -> bool {
        is_there(&self.stream)
    }

    fn serves(&self, served: &Served) {
        if self.theirs.says_sockets {
            say(&self.stream, &served.bytes());
        }
    }
}

/// The processes that watch this one.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    watchers: Vec<Watcher>,
    leaves: bool,
}

impl Watchers {
    /// One more, which hears what this process serves on unless it knows.
    pub(super) fn add(&mut self, watcher: Watcher, served: Option<&Served>) {
        if self.leaves {
            say(&watcher.stream, &[LEAVES]);
            return;
        }
        served.into_iter().for_each(|served| watcher.serves(served));
        self.watchers.retain(Watcher::is_there);
        self.watchers.push(watcher);
    }

    /// Whether there is one that would take back. One of an older version only waits for the end of this process.
    pub(super) fn would_take_back(&self) -> bool {
        self.watchers.iter().any(|watcher| watcher.theirs.says_farewell && watcher.is_there())
    }

    /// Tells them that another process serves now. They go on watching this process, for the case that it takes back.
    pub(super) fn handed_on(&self) {
        self.watchers.iter().for_each(|watcher| say(&watcher.stream, &[HANDED_ON]));
    }

    /// Tells them which sockets the process has that serves now, so that they keep no others.
    pub(super) fn serves(&self, served: &Served) {
        self.watchers.iter().for_each(|watcher| watcher.serves(served));
    }

    /// Tells them that no process is to serve in the place of this process, or of the one that has replaced it.
    pub(super) fn leave(&mut self) {
        self.leaves = true;
        self.watchers.drain(..).for_each(|watcher| say(&watcher.stream, &[LEAVES]));
    }

    /// Is there for them no longer. They look for themselves which process serves.
    pub(super) fn dismiss(&mut self) {
        self.watchers.clear();
    }
}

/// Whether the other side has not ended. It may have said something.
pub(super) fn is_there(stream: &UnixStream) -> bool {
    use rustix::net::{RecvFlags, recv};
    let mut byte = [0];
    match recv(stream, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT) {
        Ok((_, length)) => length > 0,
        Err(error) => error == rustix::io::Errno::AGAIN,
    }
}
