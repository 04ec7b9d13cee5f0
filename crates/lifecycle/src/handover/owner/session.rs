//! The session with a process that has come: from its greeting to its confirmation, or until it is known to watch only.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::super::watch::{Successor, Watcher};
use super::super::wire::{
    CONFIRMED, GIVEN_UP, Greeting, Outgoing, RELEASED, SERVES, Served, State, VERSION, invalid, say,
    send_sockets,
};
use super::super::{CONFIRM_WAIT, MESSAGE_WAIT, Offer};

/// What a process that connected is to us.
pub(super) enum Met {
    /// With what it says it serves on.
    Successor(Successor, Option<Served>),
    Watcher(Watcher),
}

/// One that has to wait for its turn, unless it only watches.
pub(super) async fn put_off(mut stream: UnixStream) -> Option<Watcher> {
    say(&stream, &Greeting::ours(State::Busy).bytes());
    match timeout(MESSAGE_WAIT, Greeting::read(&mut stream)).await {
        Ok(Ok(theirs)) if theirs.state == State::Watches => return Some(Watcher { stream, theirs }),
        _ => tracing::info!("another successor has to wait for its turn"),
    }
    None
}

/// One successor, from its greeting to its confirmation.
pub(super) async fn serve(mut stream: UnixStream, offers: Vec<Offer>) -> io::Result<Met> {
    let theirs = in_time("it does not send its greeting", pass_on(&mut stream, offers)).await?;
    if theirs.state == State::Watches {
        return Ok(Met::Watcher(Watcher { stream, theirs }));
    }
    let pid = theirs.pid;
    let served = match timeout(CONFIRM_WAIT, confirmation(&mut stream)).await {
        Ok(Ok(served)) => served,
        Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => return Err(error),
        Ok(Err(_)) => return Err(io::Error::other(format!("process {pid} left before it served"))),
        Err(_) => {
            say(&stream, &[GIVEN_UP]);
            return Err(io::Error::other(format!("process {pid} does not serve after {CONFIRM_WAIT:?}")));
        }
    };
    // It serves, whether it hears this or not.
    say(&stream, &[RELEASED]);
    Ok(Met::Successor(Successor::new(stream, theirs), served))
}

/// That it serves, and on which sockets if it says so.
async fn confirmation(stream: &mut UnixStream) -> io::Result<Option<Served>> {
    let (mut served, mut word) = (None, stream.read_u8().await?);
    if word == SERVES {
        served = Some(Served::read(stream).await?);
        word = stream.read_u8().await?;
    }
    if word == CONFIRMED { Ok(served) } else { Err(invalid("what the successor says makes no sense")) }
}

/// Passes the sockets on, to one that wants them.
async fn pass_on(stream: &mut UnixStream, offers: Vec<Offer>) -> io::Result<Greeting> {
    let theirs = greet(stream).await?;
    if theirs.version != VERSION {
        let Greeting { pid, version, .. } = theirs;
        return Err(io::Error::other(format!(
            "process {pid} takes over in version {version}, this one hands over in version {VERSION}; end this process \
             first, then start that one"
        )));
    }
    if theirs.state == State::Watches {
        return Ok(theirs);
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
    Ok(theirs)
}

/// # Errors
/// [`io::ErrorKind::ConnectionAborted`] for a process that says nothing: it only looked whether one is here.
async fn greet(stream: &mut UnixStream) -> io::Result<Greeting> {
    let greeted = match stream.write_all(&Greeting::ours(State::GoOn).bytes()).await {
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
