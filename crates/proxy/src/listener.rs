//! Accepts connections and spreads them evenly over the workers.
//!
//! There is one listening socket for each address. A second one (SO_REUSEPORT) would give each worker its own queue,
//! and a connection that waits in a queue at the moment its socket closes is lost. For the same reason a successor gets this very
//! socket, and not one of its own for the same address.

use std::io;
use std::net::TcpListener;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use lifecycle::{Phase, Watch};
use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with, sockopt};
use socket2::SockRef;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::config::{Config, Listener, Protocol};
use crate::keepalive;
use crate::overload::Overload;
use crate::timer::TICK;
use crate::worker::{Accepted, Loads};

mod later;

pub(crate) use later::accept_later;

/// Connections taken in one go before others get their turn.
const BATCH: usize = 64;
/// What the kernel takes for a client ahead of what it can send, on each connection that is accepted
/// (`TCP_NOTSENT_LOWAT`). By itself it takes some 80 KiB even if nothing is ever read, which is counted as the container's
/// memory. What is on its way is not limited by this, so nor is the speed.
const UNSENT_BYTES_MAX: u32 = 16 << 10;
/// How long to wait when the process or the system has no file descriptors or memory left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// When to stop accepting.
pub(crate) struct Limits {
    connections_max: usize,
    drain_max: Duration,
    keepalive_interval: Duration,
    overload: Overload,
}

impl Limits {
    pub(crate) fn new(config: &Arc<Config>, overload: &Overload) -> Limits {
        Limits {
            connections_max: config.downstream.connections_max,
            drain_max: config.idle_timeout,
            keepalive_interval: config.downstream.keepalive_interval,
            overload: overload.clone(),
        }
    }
}

/// Accepts until a drain is over: a lame duck as ever, and after that as long as any client is being served, since one
/// that was told to leave may come back. The listener closes when none is left, or when the idle time has passed since the
/// drain began. After a handover nothing is accepted, since what waits in the queue waits in the successor's too; the
/// listener stays open until the process lets go of it or accepts again, or is given up by itself.
pub(crate) async fn accept(
    Listener { socket, protocol, given_up }: Listener,
    limits: Limits,
    workers: Vec<mpsc::UnboundedSender<Accepted>>,
    loads: Loads,
    mut drain: Watch,
) {
    loop {
        // Watched it would wake this worker for each client of the successor.
        tokio::select! {
            biased;
            () = given_up.set() => return,
            () = drain.other_than(Phase::HandedOver) => {}
        }
        if drain.phase() > Phase::HandedOver {
            return;
        }
        let watched = match watch(Arc::clone(&socket)) {
            Ok(watched) => watched,
            Err(error) => {
                tracing::error!(%error, "a listening socket cannot be watched; nothing is accepted on it");
                return;
            }
        };
        set_options(&socket, &limits);
        let accepting = accept_until_handed_over(&watched, &protocol, &limits, &workers, &loads, &drain);
        tokio::select! {
            biased;
            // Those that wait in its queue by now were there before.
            () = given_up.set() => {
                while take(&watched, &protocol, &limits, &workers, &loads) == Taken::Batch
                    && loads.total() < limits.connections_max
                {}
                return;
            }
            ended = accepting => {
                if ended.is_break() {
                    return;
                }
            }
        }
    }
}

/// What every connection inherits. A successor may have set it otherwise.
fn set_options(socket: &TcpListener, limits: &Limits) {
    if let Err(error) = keepalive::watch(socket, limits.keepalive_interval) {
        tracing::warn!(%error, "the kernel does not watch connections; a client whose machine is gone may be waited for");
    }
    if let Err(error) = SockRef::from(socket).set_tcp_notsent_lowat(UNSENT_BYTES_MAX) {
        tracing::warn!(%error, "the kernel keeps as much as it likes for each client that does not read");
    }
}

/// Breaks when the listener is to close.
async fn accept_until_handed_over(
    socket: &AsyncFd<Arc<TcpListener>>,
    protocol: &Arc<Protocol>,
    limits: &Limits,
    workers: &[mpsc::UnboundedSender<Accepted>],
    loads: &Loads,
    drain: &Watch,
) -> ControlFlow<()> {
    let mut drain_ends = None;
    loop {
        if drain.phase() >= Phase::HandedOver {
            return ControlFlow::Continue(());
        }
        let draining = drain.phase() >= Phase::Draining;
        if draining {
            let ends = *drain_ends.get_or_insert_with(|| Instant::now() + limits.drain_max);
            // What waited in the queue is taken first, and is then a client that is served.
            let queue_empty =
                loads.total() == 0 && take(socket, protocol, limits, workers, loads) == Taken::All;
            let none_left = queue_empty && loads.total() == 0;
            if none_left {
                return ControlFlow::Break(());
            }
            if Instant::now() >= ends {
                while take(socket, protocol, limits, workers, loads) == Taken::Batch
                    && loads.total() < limits.connections_max
                {}
                return ControlFlow::Break(());
            }
        }
        tokio::select! {
            ready = socket.readable() => match ready {
                Ok(mut ready) => {
                    // Both may have come at once, and what comes after a handover is the successor's.
                    if drain.phase() >= Phase::HandedOver {
                        continue;
                    }
                    if loads.total() >= limits.connections_max {
                        sleep(TICK).await;
                        continue;
                    }
                    match take(socket, protocol, limits, workers, loads) {
                        Taken::Batch => tokio::task::yield_now().await,
                        Taken::All => ready.clear_ready(),
                        Taken::Exhausted => sleep(EXHAUSTED_PAUSE).await,
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "a listening socket failed; nothing more is accepted on it");
                    return ControlFlow::Break(());
                }
            },
            () = sleep(TICK), if draining => {}
            () = advanced(drain) => {}
        }
    }
}

/// Not tokio's own listener: what that accepts belongs to this thread's runtime and would have to be taken out of it
/// again for another worker.
#[expect(
    deprecated,
    reason = "its replacement is unsafe, for types that lie about their descriptor; std's do not"
)]
fn watch(listener: Arc<TcpListener>) -> io::Result<AsyncFd<Arc<TcpListener>>> {
    AsyncFd::new(listener)
}

/// Waits for the next phase that concerns a listener.
async fn advanced(drain: &Watch) {
    let next = if drain.phase() < Phase::Draining { Phase::Draining } else { Phase::HandedOver };
    drain.clone().reached(next).await;
}

/// What became of an attempt to accept a batch.
#[derive(PartialEq, Eq)]
enum Taken {
    /// There may be more.
    Batch,
    /// No connection is waiting.
    All,
    /// The process or the system has no file descriptors or memory left.
    Exhausted,
}

fn take(
    socket: &AsyncFd<Arc<TcpListener>>,
    protocol: &Arc<Protocol>,
    limits: &Limits,
    workers: &[mpsc::UnboundedSender<Accepted>],
    loads: &Loads,
) -> Taken {
    for _ in 0..BATCH {
        if loads.total() >= limits.connections_max {
            return Taken::Batch;
        }
        match accept_one(socket.get_ref(), protocol) {
            Ok(Some(accepted)) => {
                let place = loads.assign();
                if workers[place].send(accepted).is_err() {
                    loads.release(place);
                }
            }
            Ok(None) => {}
            Err(Errno::AGAIN) => return Taken::All,
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted now; trying again soon");
                limits.overload.files_ran_out();
                return Taken::Exhausted;
            }
        }
    }
    Taken::Batch
}

/// One connection; `None` if it was gone before we came to it.
fn accept_one(socket: &TcpListener, protocol: &Arc<Protocol>) -> Result<Option<Accepted>, Errno> {
    match acceptfrom_with(socket, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
        Ok((stream, peer)) => {
            // Responses are written whole; waiting for more to send with them only delays their end.
            let _ = sockopt::set_tcp_nodelay(&stream, true);
            let peer = peer.and_then(|peer| peer.try_into().ok());
            Ok(peer.map(|peer| Accepted { stream: stream.into(), peer, protocol: Arc::clone(protocol) }))
        }
        Err(Errno::CONNABORTED | Errno::INTR | Errno::PROTO | Errno::PERM) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a bound listening socket fit for [`accept`]. One that a predecessor passed on is so already, and must be: the flag
/// is the same one in both processes.
pub(crate) fn prepare(listener: &TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)
}
