//! The serving side: owns the path, and passes the sockets to whoever comes to replace us.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::predecessor::is_ours;
use super::wire::{
    CONFIRMED, GIVEN_UP, Greeting, HANDED_ON, Outgoing, RELEASED, VERSION, invalid, say, send_sockets,
};
use super::{CONFIRM_WAIT, Error, MESSAGE_WAIT, Offer, PATH_CHECK, TURN_PAUSE};
use crate::socket_path::{self, Identity};

/// Owns the path of the handover.
#[derive(Debug)]
pub struct Owner {
    path: PathBuf,
    listener: UnixListener,
    identity: Identity,
    offers: Vec<Offer>,
    /// Whether the path could not be had again; told once, and tried until it can.
    lost: bool,
}

/// The process that serves in our place.
#[derive(Debug)]
pub struct Successor {
    pid: u32,
    stream: UnixStream,
}

impl Successor {
    /// Its process, as it calls itself; in another container that number means nothing here.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until it has ended or drains, and nobody serves in its place; for ever if it hands over in its turn.
    pub async fn gone(&mut self) {
        if let Ok(HANDED_ON) = self.stream.read_u8().await {
            std::future::pending().await
        }
    }
}

impl Owner {
    /// Takes the path, whoever has it. Successors that come now wait for [`handed_over`](Owner::handed_over).
    ///
    /// # Errors
    /// If the path cannot be had.
    pub fn claim(path: PathBuf, offers: Vec<Offer>) -> Result<Owner, Error> {
        let (listener, identity) = bind(&path)?;
        Ok(Owner { path, listener, identity, offers, lost: false })
    }

    /// Passes the sockets to each successor that comes, one at a time, until one confirms that it serves; from then on
    /// the path is that one's. Successors that fail before cost nothing.
    pub async fn handed_over(mut self) -> Successor {
        let mut sessions = JoinSet::new();
        let mut checks = interval(PATH_CHECK);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => self.meet(stream, &mut sessions),
                    Err(error) => {
                        tracing::warn!(%error, "a successor cannot be let in now; trying again soon");
                        sleep(TURN_PAUSE).await;
                    }
                },
                Some(ended) = sessions.join_next() => match ended {
                    Ok(Ok(successor)) => return successor,
                    Ok(Err(error)) => self.go_on(&error),
                    Err(error) => self.go_on(&error.into()),
                },
                _ = checks.tick() => self.check_path(),
            }
        }
    }

    /// Starts a session with whoever has come, if it is its turn.
    fn meet(&self, stream: UnixStream, sessions: &mut JoinSet<io::Result<Successor>>) {
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
                tracing::warn!(%error, "who asks for the sockets cannot be told, and gets none");
                return;
            }
        }
        if sessions.is_empty() {
            sessions.spawn(serve(stream, self.offers.clone()));
        } else {
            tracing::info!("another successor has to wait for its turn");
            say(&stream, &Greeting::ours(true).bytes());
        }
    }

    /// After a successor has failed: it may have claimed the path already.
    fn go_on(&mut self, why: &io::Error) {
        if why.kind() == io::ErrorKind::ConnectionAborted {
            tracing::debug!("somebody has looked whether this process is here");
        } else {
            tracing::warn!("no handover ({why}); this process goes on serving");
        }
        if Identity::of(&self.path) != Some(self.identity) {
            self.claim_again();
        }
    }

    /// Somebody else's file is left alone: it is the successor's that is about to confirm.
    fn check_path(&mut self) {
        if self.lost || Identity::of(&self.path).is_none() {
            self.claim_again();
        }
    }

    fn claim_again(&mut self) {
        match bind(&self.path) {
            Ok((listener, identity)) => {
                tracing::warn!("{} was lost, and is made anew", self.path.display());
                (self.listener, self.identity, self.lost) = (listener, identity, false);
            }
            Err(error) if !self.lost => {
                tracing::error!("no successor can take over now: {error}");
                self.lost = true;
            }
            Err(_) => {}
        }
    }
}

fn bind(path: &Path) -> Result<(UnixListener, Identity), Error> {
    let (listener, identity) = socket_path::claim(path)?;
    let fail = |source| socket_path::Error::Io { path: path.into(), source };
    let listener = UnixListener::from_std(listener).map_err(fail)?;
    Ok((listener, identity))
}

/// One successor, from its greeting to its confirmation.
async fn serve(mut stream: UnixStream, offers: Vec<Offer>) -> io::Result<Successor> {
    let pid = in_time("it does not tell who it is", pass_on(&mut stream, offers)).await?;
    match timeout(CONFIRM_WAIT, stream.read_u8()).await {
        Ok(Ok(CONFIRMED)) => {}
        Ok(Ok(_)) => return Err(invalid("what the successor says makes no sense")),
        Ok(Err(_)) => return Err(io::Error::other(format!("process {pid} left before it served"))),
        Err(_) => {
            say(&stream, &[GIVEN_UP]);
            return Err(io::Error::other(format!("process {pid} does not serve after {CONFIRM_WAIT:?}")));
        }
    }
    // It serves, whether it hears this or not.
    say(&stream, &[RELEASED]);
    Ok(Successor { pid, stream })
}

async fn pass_on(stream: &mut UnixStream, offers: Vec<Offer>) -> io::Result<u32> {
    let theirs = greet(stream).await?;
    if theirs.version != VERSION {
        let Greeting { pid, version, .. } = theirs;
        return Err(io::Error::other(format!(
            "process {pid} takes over in version {version}, this one hands over in version {VERSION}; end this process \
             first, then start that one"
        )));
    }
    // What is closed by now is not offered; what is offered stays open while it is on its way.
    let open = offers.iter().filter_map(|offer| {
        let listener = offer.listener.upgrade()?;
        Some(Outgoing { role: offer.role, configured: offer.configured, listener })
    });
    let open: Vec<Outgoing> = open.collect();
    send_sockets(stream, &open).await?;
    tracing::info!(
        sockets = open.len(),
        "process {} has the listening sockets and prepares to serve",
        theirs.pid
    );
    Ok(theirs.pid)
}

/// # Errors
/// [`io::ErrorKind::ConnectionAborted`] for somebody who says nothing: he only looked whether anybody is here.
async fn greet(stream: &mut UnixStream) -> io::Result<Greeting> {
    let greeted = match stream.write_all(&Greeting::ours(false).bytes()).await {
        Ok(()) => Greeting::read(stream).await,
        Err(error) => Err(error),
    };
    greeted.map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
            io::ErrorKind::ConnectionAborted.into()
        }
        _ => error,
    })
}

async fn in_time<T>(late: &'static str, message: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(MESSAGE_WAIT, message)
        .await
        .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, late)))
}
