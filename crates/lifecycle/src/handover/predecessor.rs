//! The new side: gets the sockets of the process that serves, and tells it when it is no longer needed.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use rustix::process::geteuid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout};

use crate::socket_path;

use super::watch::is_there;
use super::wire::{
    CONFIRMED, GIVEN_UP, Greeting, Incoming, RELEASED, Served, State, VERSION, invalid, receive_sockets, say,
};
use super::{Error, MESSAGE_WAIT, Offers, TURN_PAUSE, TURN_WAIT};

/// The sockets of a predecessor, which goes on accepting on them until [`confirm`](Received::confirm).
#[derive(Debug)]
pub struct Received {
    pub(super) stream: UnixStream,
    pub(super) theirs: Greeting,
    pub(super) sockets: Vec<Incoming>,
}

/// How a predecessor leaves us alone before we have confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It has ended: what waits in the sockets is now ours alone.
    Ended,
    /// It has waited too long and goes on without us.
    GivenUp,
}

/// What a predecessor says to our confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// It accepts no more and drains.
    Released,
    /// It had ended before.
    Ended,
    /// Nothing in time, or that it goes on; both processes serve until one is ended by hand.
    Refused,
}

/// Asks the owner of `path` for its sockets; `None` if it has none. Waits for its turn if another process is just
/// taking over.
///
/// # Errors
/// If a process is there and the sockets cannot be had all the same.
pub async fn connect(path: &Path) -> Result<Option<Received>, Error> {
    socket_path::check(path)?;
    let deadline = Instant::now() + TURN_WAIT;
    loop {
        match ask(path).await? {
            Answer::Vacant => return Ok(None),
            Answer::Sockets(received) => return Ok(Some(received)),
            Answer::Later(error) if Instant::now() >= deadline => return Err(error),
            Answer::Later(_) => sleep(TURN_PAUSE).await,
        }
    }
}

enum Answer {
    /// No process serves there.
    Vacant,
    /// It is occupied, or the path is just changing hands; this is what it means if it stays so.
    Later(Error),
    Sockets(Received),
}

async fn ask(path: &Path) -> Result<Answer, Error> {
    let mut stream = match UnixStream::connect(path).await {
        Ok(stream) => stream,
        Err(error) => {
            return match error.kind() {
                // A stale file: its process is gone.
                ErrorKind::NotFound | ErrorKind::ConnectionRefused => Ok(Answer::Vacant),
                // Its backlog is full.
                ErrorKind::WouldBlock => Ok(Answer::Later(Error::Busy(path.into()))),
                _ => Err(io_error(path, error)),
            };
        }
    };
    check_peer(&stream, path)?;
    let broken = |source| Error::Broken { path: path.into(), source };
    let theirs = match in_time(Greeting::read(&mut stream)).await {
        Ok(greeting) => greeting,
        // It left between our connecting and its accepting, or it is itself just taking over.
        Err(error) if is_end(&error) || error.kind() == ErrorKind::TimedOut => {
            return Ok(Answer::Later(broken(error)));
        }
        Err(error) => return Err(broken(error)),
    };
    if theirs.state == State::Busy {
        return Ok(Answer::Later(Error::Busy(path.into())));
    }
    let ours = Greeting::ours(State::GoOn);
    // Also to one of another version, so that its log tells of us.
    say(&stream, &ours.bytes());
    if theirs.version != VERSION {
        return Err(Error::Version { path: path.into(), pid: theirs.pid, theirs: theirs.version });
    }
    if ![ours.network, 0].contains(&theirs.network) {
        return Err(Error::Network { path: path.into(), pid: theirs.pid });
    }
    match in_time(receive_sockets(&mut stream)).await {
        Ok(sockets) => Ok(Answer::Sockets(Received { stream, theirs, sockets })),
        Err(error) if is_end(&error) => Ok(Answer::Later(broken(error))),
        Err(error) => Err(broken(error)),
    }
}

/// Every user that may write into the folder can put a socket there; only our own user and root are trusted.
fn check_peer(stream: &UnixStream, path: &Path) -> Result<(), Error> {
    let peer = stream.peer_cred().map_err(|error| io_error(path, error))?;
    if is_ours(peer.uid()) { Ok(()) } else { Err(Error::Stranger { path: path.into(), uid: peer.uid() }) }
}

fn io_error(path: &Path, source: io::Error) -> Error {
    socket_path::Error::Io { path: path.into(), source }.into()
}

/// Whether a user may take part in a handover of ours.
pub(super) fn is_ours(uid: u32) -> bool {
    uid == 0 || uid == geteuid().as_raw()
}

async fn in_time<T>(message: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(MESSAGE_WAIT, message).await {
        Ok(done) => done,
        Err(_) => Err(io::Error::new(ErrorKind::TimedOut, "it does not answer")),
    }
}

pub(super) fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

impl Received {
    /// The process id of the predecessor, as it says; in another container that number means nothing here.
    pub fn pid(&self) -> u32 {
        self.theirs.pid
    }

    /// The socket for this role and this configured address, if the predecessor had one.
    pub fn take(&mut self, role: &str, configured: SocketAddr) -> Option<TcpListener> {
        let at = self.sockets.iter().position(|it| it.role == role && it.configured == configured)?;
        Some(self.sockets.remove(at).listener)
    }

    /// All sockets for this role, each with its address as the predecessor's configuration has it: for what is not known yet
    /// to be configured here. Until then the predecessor accepts on them.
    pub fn take_all(&mut self, role: &str) -> Vec<(SocketAddr, TcpListener)> {
        let taken = self.sockets.extract_if(.., |it| it.role == role);
        taken.map(|it| (it.configured, it.listener)).collect()
    }

    /// Closes our copies of what was not taken and says which those were. Kept open, they would let clients wait in
    /// a queue from which no process accepts.
    pub fn close_rest(&mut self) -> Vec<String> {
        self.sockets.drain(..).map(|it| format!("{} {}", it.role, it.configured)).collect()
    }

    /// Waits until the predecessor leaves us alone; may be asked again and again.
    pub async fn lost(&mut self) -> Lost {
        let mut byte = [0];
        match self.stream.read(&mut byte).await {
            Ok(1..) if byte[0] == GIVEN_UP => Lost::GivenUp,
            _ => Lost::Ended,
        }
    }

    /// Whether the predecessor has not ended.
    pub(super) fn is_there(&self) -> bool {
        is_there(&self.stream)
    }

    /// Tells the predecessor that we serve, and on which sockets: it accepts no more, and gives the others up. While
    /// `self` lives, it knows that we do.
    pub async fn confirm(&mut self, offers: &Offers) -> Confirmed {
        self.close_rest();
        let served = Served::of(&offers.now()).filter(|_| self.theirs.says_sockets);
        let mut said = served.map_or_else(Vec::new, |served| served.bytes());
        said.push(CONFIRMED);
        let exchange = async {
            self.stream.write_all(&said).await?;
            match self.stream.read_u8().await? {
                RELEASED => Ok(()),
                _ => Err(invalid("it goes on")),
            }
        };
        match in_time(exchange).await {
            Ok(()) => Confirmed::Released,
            Err(error) if is_end(&error) => Confirmed::Ended,
            Err(_) => Confirmed::Refused,
        }
    }
}
