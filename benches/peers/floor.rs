//! The floor: a byte shuttle that knows no HTTP. Nothing that reads and writes TCP by system calls can be cheaper.
//!
//! One thread, edge-triggered epoll, one upstream connection for each client connection, `recv` then `send`.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;

use anyhow::Result;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;
use slab::Slab;

use crate::process;
use crate::proxy::{Proxy, Setup, Started};

/// Starts this very program as the floor.
pub(crate) fn start(_: &Path, setup: &Setup) -> Result<Started> {
    let mut command = setup.command(Proxy::Floor)?;
    command.arg("floor").arg(setup.upstream.to_string());
    let mut process = process::start("floor", command)?;
    let http = process.wait_for("address", |said| said.strip_suffix('\n')?.parse().ok())?;
    // It has no TLS, and is in no row that asks for it.
    Ok(Started { process, http, https: http })
}

/// The token of the listening socket; the others are made by [`token`].
const LISTENER: u64 = u64::MAX;
/// More than any answer here has in one read.
const BUFFER_BYTES: usize = 128 * 1024;

/// Serves until killed.
pub(crate) fn run(upstream: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    eprintln!("{}", listener.local_addr()?);
    let mut shuttle = Shuttle { epoll, upstream, pairs: Slab::new(), buffer: vec![0; BUFFER_BYTES] };
    let mut events = Vec::with_capacity(512);
    loop {
        epoll::wait(&shuttle.epoll, spare_capacity(&mut events), None)?;
        for event in events.drain(..) {
            match event.data.u64() {
                LISTENER => shuttle.accept(&listener)?,
                token => shuttle.serve(token, event.flags),
            }
        }
    }
}

struct Shuttle {
    epoll: OwnedFd,
    upstream: SocketAddr,
    pairs: Slab<Pair>,
    buffer: Vec<u8>,
}

/// A client connection (side 0) and its upstream connection (side 1).
struct Pair {
    sockets: [TcpStream; 2],
    /// What did not fit into each side's socket.
    waiting: [Vec<u8>; 2],
}

fn token(place: usize, side: usize) -> u64 {
    (place * 2 + side) as u64
}

impl Shuttle {
    fn accept(&mut self, listener: &TcpListener) -> Result<()> {
        let (client, _) = match listener.accept() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            accepted => accepted?,
        };
        let sockets = [client, TcpStream::connect(self.upstream)?];
        let entry = self.pairs.vacant_entry();
        for (side, socket) in sockets.iter().enumerate() {
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            let data = EventData::new_u64(token(entry.key(), side));
            epoll::add(
                &self.epoll,
                socket,
                data,
                EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET,
            )?;
        }
        entry.insert(Pair { sockets, waiting: [Vec::new(), Vec::new()] });
        Ok(())
    }

    /// An event may come late for a pair that is gone; a pair that has taken its place only looks once in vain.
    fn serve(&mut self, token: u64, flags: EventFlags) {
        let (place, side) = (token as usize / 2, token as usize % 2);
        let Some(pair) = self.pairs.get_mut(place) else { return };
        let ended = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        let resumed = match pair.waiting[side].is_empty() {
            true => Ok(true),
            false => pair.carry(1 - side, true, &mut self.buffer),
        };
        let open = resumed.and_then(|open| match flags.contains(EventFlags::IN) || ended {
            true => Ok(open && pair.carry(side, ended, &mut self.buffer)?),
            false => Ok(open),
        });
        if !matches!(open, Ok(true)) {
            self.pairs.remove(place);
        }
    }
}

impl Pair {
    /// Carries what has come in at one side to the other; false at the end of the stream. A read that does not fill
    /// the buffer has emptied the socket (epoll(7)), unless the end was announced: then `to_the_end` looks again.
    fn carry(&mut self, from: usize, to_the_end: bool, buffer: &mut [u8]) -> io::Result<bool> {
        let to = 1 - from;
        loop {
            let waiting = std::mem::take(&mut self.waiting[to]);
            if !waiting.is_empty() && !self.send(to, &waiting)? {
                return Ok(true);
            }
            let count = match self.sockets[from].read(buffer) {
                Ok(0) => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                count => count?,
            };
            if !self.send(to, &buffer[..count])? || (count < buffer.len() && !to_the_end) {
                return Ok(true);
            }
        }
    }

    /// Sends what the socket takes and keeps the rest; false if there is one.
    fn send(&mut self, to: usize, mut bytes: &[u8]) -> io::Result<bool> {
        while !bytes.is_empty() {
            match self.sockets[to].write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.waiting[to] = bytes.to_vec();
        Ok(bytes.is_empty())
    }
}
