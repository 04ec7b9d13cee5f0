//! The serving side: owns the path, and passes the sockets to the process that comes to replace us.

mod session;

use std::io;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use self::session::{Met, put_off, serve};
use super::predecessor::{Received, is_ours};
use super::watch::{Successor, Vacancy, Watcher, Watchers, find, is_vacant, lock};
use super::wire::Served;
use super::{Error, OTHERS_MAX, Offer, Offers, PATH_CHECK, TURN_PAUSE};
use crate::socket_path::{self, Identity};

/// Owns the path of the handover.
#[derive(Debug)]
pub struct Owner {
    path: PathBuf,
    /// None while the path is a successor's, or cannot be had.
    listener: Option<(UnixListener, Identity)>,
    offers: Offers,
    watchers: Watchers,
    /// The one that may be a successor; one at a time.
    sessions: JoinSet<io::Result<Met>>,
    /// Those that came meanwhile.
    others: JoinSet<Option<Watcher>>,
    /// Whether the path could not be had again; told once, and tried until it can.
    lost: bool,
    /// Whether another process had the path at the last look, and did not take over from this one.
    is_passed_over: bool,
}

impl Owner {
    /// Takes the path, whatever process has it. Successors that come now wait for [`handed_over`](Owner::handed_over).
    ///
    /// # Errors
    /// If the path cannot be had.
    pub fn claim(path: PathBuf, offers: impl Into<Offers>) -> Result<Owner, Error> {
        let listener = Some(bind(&path)?);
        let (watchers, sessions, others) = (Watchers::default(), JoinSet::new(), JoinSet::new());
        let offers = offers.into();
        Ok(Owner { path, listener, offers, watchers, sessions, others, lost: false, is_passed_over: false })
    }

    /// Takes the path of a predecessor that is still there to be released, or of none; `None` if another process has
    /// it, as does one that has taken back what our predecessor had when it died.
    ///
    /// # Errors
    /// If the path cannot be had.
    pub async fn follow(
        path: PathBuf,
        offers: impl Into<Offers>,
        predecessor: Option<&Received>,
    ) -> Result<Option<Owner>, Error> {
        socket_path::check(&path)?;
        let _lock = lock(&path).await;
        if !predecessor.is_some_and(Received::is_there) {
            match UnixStream::connect(&path).await {
                Err(error) if is_vacant(&error) => {}
                _ => return Ok(None),
            }
        }
        Owner::claim(path, offers).map(Some)
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The process that was replaced watches this one from now on.
    pub fn replaces(&mut self, predecessor: Received) {
        self.watchers.add(Watcher { stream: predecessor.stream, theirs: predecessor.theirs }, None);
    }

    /// Whether any process would serve in our place if we died.
    pub fn is_watched(&self) -> bool {
        self.watchers.would_take_back()
    }

    /// Tells the watchers that no process is to serve in our place, nor in our successor's.
    pub fn leave(&mut self) {
        self.watchers.leave();
        self.others.abort_all();
    }

    /// Will not take back what a successor has. The watchers of this process watch that one instead.
    pub fn let_go(&mut self) {
        self.watchers.dismiss();
        self.others.abort_all();
    }

    /// Takes the path of a successor that has died. If it cannot be had, it is tried again in
    /// [`handed_over`](Owner::handed_over).
    pub fn take_back(&mut self, vacancy: Vacancy) {
        self.try_claim();
        drop(vacancy);
    }

    /// Passes the sockets to each successor that comes, one at a time, until one confirms that it serves; from then on
    /// the path is that one's, and the watchers know. Successors that fail before cost nothing. May be dropped and
    /// asked again.
    pub async fn handed_over(&mut self) -> Successor {
        let mut checks = interval(PATH_CHECK);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                accepted = accept(self.listener.as_ref()) => match accepted {
                    Ok(stream) => self.meet(stream),
                    Err(error) => {
                        tracing::warn!(%error, "a successor cannot be let in now; trying again soon");
                        sleep(TURN_PAUSE).await;
                    }
                },
                Some(ended) = self.sessions.join_next() => match ended {
                    Ok(Ok(Met::Successor(successor, served))) => {
                        // A process that waits here finds the other one there.
                        self.listener = None;
                        self.watchers.handed_on();
                        if let Some(served) = served {
                            self.gives_up(&served);
                        }
                        return successor;
                    }
                    Ok(Ok(Met::Watcher(watcher))) => self.watch(watcher),
                    Ok(Err(error)) => self.go_on(&error),
                    Err(error) => self.go_on(&error.into()),
                },
                Some(met) = self.others.join_next() => {
                    if let Ok(Some(watcher)) = met {
                        self.watch(watcher);
                    }
                }
                _ = checks.tick() => self.check_path(),
            }
        }
    }

    /// One more watches this process, and hears at once which sockets it need not keep.
    fn watch(&mut self, watcher: Watcher) {
        self.watchers.add(watcher, Served::of(&self.offers.now()).as_ref());
    }

    /// Another process serves, with these sockets: gives the others up, and tells the watchers. Whether there were any.
    pub(super) fn gives_up(&mut self, served: &Served) -> bool {
        let mut any = false;
        for offer in self.offers.now() {
            let Some(listener) = offer.listener.upgrade().filter(|it| served.lacks(it)) else { continue };
            if offer.given_up.give_up() {
                any = true;
                let address = listener.local_addr().unwrap_or(offer.configured);
                tracing::warn!(
                    "{} {address} is closed: the process that serves now does not have it",
                    offer.role
                );
            }
        }
        self.watchers.serves(served);
        any
    }

    /// What this process no longer has, because one that served in its place did not.
    pub fn given_up(&self) -> Vec<String> {
        self.offers.now().iter().filter(|offer| offer.given_up.is_set()).map(Offer::in_words).collect()
    }

    /// Starts a session with the process that has come, if it is its turn.
    fn meet(&mut self, stream: UnixStream) {
        match stream.peer_cred() {
            Ok(peer) if is_ours(peer.uid()) => {}
            Ok(peer) => {
                tracing::warn!(
                    uid = peer.uid(),
                    "a process of another user asks for the sockets and gets none"
                );
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "the user of a process that asks for the sockets is not known, so it gets none");
                return;
            }
        }
        if self.sessions.is_empty() {
            self.sessions.spawn(serve(stream, self.offers.now()));
        } else if self.others.len() < OTHERS_MAX {
            self.others.spawn(put_off(stream));
        }
    }

    /// After a successor has failed: it may have claimed the path already.
    fn go_on(&mut self, why: &io::Error) {
        if why.kind() == io::ErrorKind::ConnectionAborted {
            tracing::debug!("another process has looked whether this one is here");
        } else {
            tracing::warn!("no handover ({why}); this process goes on serving");
        }
        if Identity::of(&self.path) != self.listener.as_ref().map(|(_, identity)| *identity) {
            self.claim_again();
        }
    }

    /// Another process' file is left alone: it is the successor's that is about to confirm. If none is, and it is there
    /// for longer, its owner serves without knowing of us: two processes have taken the place of one that died. It is
    /// our successor.
    fn check_path(&mut self) {
        let (found, ours) = (Identity::of(&self.path), self.listener.as_ref().map(|(_, identity)| *identity));
        if self.lost || found.is_none() {
            self.claim_again();
        }
        let is_others = found.is_some() && found != ours && self.sessions.is_empty() && !self.lost;
        if std::mem::replace(&mut self.is_passed_over, is_others) && is_others {
            let path = self.path.clone();
            self.sessions.spawn(async move { Ok(Met::Successor(find(&path).await?, None)) });
        }
    }

    fn claim_again(&mut self) {
        if self.try_claim() {
            tracing::warn!("{} was lost, and is made anew", self.path.display());
        }
    }

    fn try_claim(&mut self) -> bool {
        match bind(&self.path) {
            Ok(listener) => (self.listener, self.lost) = (Some(listener), false),
            Err(error) if !self.lost => {
                tracing::error!("no successor can take over now: {error}");
                self.lost = true;
            }
            Err(_) => {}
        }
        !self.lost
    }
}

fn bind(path: &Path) -> Result<(UnixListener, Identity), Error> {
    let (listener, identity) = socket_path::claim(path)?;
    let fail = |source| socket_path::Error::Io { path: path.into(), source };
    let listener = UnixListener::from_std(listener).map_err(fail)?;
    Ok((listener, identity))
}

async fn accept(listener: Option<&(UnixListener, Identity)>) -> io::Result<UnixStream> {
    match listener {
        Some((listener, _)) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}
