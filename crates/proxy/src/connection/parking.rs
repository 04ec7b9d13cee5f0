//! Where connections are parked that have long been silent. Such a one has no task, no buffer and nothing that the runtime
//! keeps for a socket that it watches, which is more than all else together: it is a socket in an epoll(7) set of our own, a
//! TLS session if it has one, and what must be known of its client. The runtime watches that set as one file.
//!
//! A socket that becomes readable, or whose idle time is over, gets a task again. To come and to go costs four calls of the
//! kernel, so it is not for those that are silent for a moment.

use std::cell::RefCell;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::event::{Timespec, epoll};
use slab::Slab;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

use super::http1::resume;
use super::{Open, Server};
use crate::client::Known;
use crate::stream::Unwatched;

/// Connections that are woken in one go before others get their turn.
const BATCH: usize = 64;

/// The parked connections of one worker.
pub(crate) struct Parking {
    readable: AsyncFd<OwnedFd>,
    places: RefCell<Slab<Place>>,
}

struct Place {
    /// The tick at which its idle time is over. Here, since all of them are looked at in each tick.
    idle_until: u32,
    parked: Box<Parked>,
}

/// A parked connection.
pub(super) struct Parked {
    pub(super) stream: Unwatched,
    pub(super) known: Known,
    pub(super) open: Open,
    /// Nothing was asked on it, and what comes first may be HTTP/2.
    pub(super) may_begin_http2: bool,
}

impl Parking {
    /// An empty one, within a runtime.
    ///
    /// # Errors
    /// If the system has no files or no memory left.
    pub(crate) fn open() -> io::Result<Parking> {
        let set = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Parking { readable: watch(set)?, places: RefCell::default() })
    }

    /// Keeps one until it is readable, or until this tick.
    ///
    /// # Errors
    /// It is given back if the kernel does not watch it.
    pub(super) fn park(&self, parked: Box<Parked>, idle_until: u32) -> Result<(), Box<Parked>> {
        let (mut places, set) = (self.places.borrow_mut(), self.readable.get_ref());
        let place = places.vacant_entry();
        let name = epoll::EventData::new_u64(place.key() as u64);
        let events = epoll::EventFlags::IN | epoll::EventFlags::RDHUP;
        if epoll::add(set, &parked.stream.socket, name, events).is_err() {
            return Err(parked);
        }
        parked.open.server.worker.cells.connections_parked.add(1);
        place.insert(Place { idle_until, parked });
        Ok(())
    }

    /// Takes one out.
    fn take(&self, place: usize) -> Option<Box<Parked>> {
        let Place { parked, .. } = self.places.borrow_mut().try_remove(place)?;
        // What is closed is watched no longer in any case.
        let _ = epoll::delete(self.readable.get_ref(), &parked.stream.socket);
        parked.open.server.worker.cells.connections_parked.sub(1);
        Some(parked)
    }

    /// Takes those out whose idle time is over.
    pub(crate) fn tick(&self, now: u32) {
        let is_over = |(at, place): (usize, &Place)| (place.idle_until <= now).then_some(at);
        let over: Vec<usize> = self.places.borrow().iter().filter_map(is_over).collect();
        for parked in over.into_iter().filter_map(|place| self.take(place)) {
            resume(*parked, true);
        }
    }

    /// Closes all: each of them holds the worker, which holds this.
    pub(crate) fn close(&self) {
        let places: Vec<usize> = self.places.borrow().iter().map(|(place, _)| place).collect();
        places.into_iter().for_each(|place| drop(self.take(place)));
    }

    /// Takes some out that are readable.
    fn take_readable(&self, ready: &mut AsyncFdReadyGuard<'_, OwnedFd>) {
        let mut events = [const { MaybeUninit::uninit() }; BATCH];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let Ok((events, _)) = epoll::wait(self.readable.get_ref(), &mut events, Some(&at_once)) else {
            return;
        };
        if events.len() < BATCH {
            ready.clear_ready();
        }
        for event in events {
            let place = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
            if let Some(parked) = self.take(place) {
                resume(*parked, false);
            }
        }
    }
}

/// Gives each connection a task again that becomes readable.
pub(crate) async fn wake(server: Rc<Server>) {
    loop {
        match server.parking.readable.readable().await {
            Ok(mut ready) => server.parking.take_readable(&mut ready),
            Err(error) => {
                tracing::error!(%error, "parked connections are not watched any more; they end after their idle time");
                return;
            }
        }
        tokio::task::yield_now().await;
    }
}

#[expect(
    deprecated,
    reason = "its replacement is unsafe, for types that lie about their descriptor; std's do not"
)]
fn watch(set: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(set)
}
