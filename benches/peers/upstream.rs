//! The upstream: one thread that answers with fixed bytes, so that it costs next to nothing beside the proxy.
//!
//! HTTP/1 by path, WebSocket (which it echoes), and, to a connection that begins with it, HTTP/2 for gRPC.

mod grpc;
mod http1;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::Result;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;
use slab::Slab;
use test_support::Process;

use crate::cores::pinned;
use crate::frames::PREFACE;
use crate::process;
use crate::wire::{Buffers, Out, Protocol, Wire};

/// Starts this very program as the upstream, and returns where it serves.
pub(crate) fn start(core: usize) -> Result<(Process, SocketAddr)> {
    let mut command = pinned(core, std::env::current_exe()?);
    command.arg("upstream");
    let mut process = process::start("upstream", command)?;
    let address = process.wait_for("address", |said| said.strip_suffix('\n')?.parse().ok())?;
    Ok((process, address))
}

/// The token of the listening socket; the others are places in the slab.
const LISTENER: u64 = u64::MAX;

/// Serves until killed.
pub(crate) fn run() -> Result<()> {
    crate::cores::raise_open_files()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    eprintln!("{}", listener.local_addr()?);
    let mut connections: Slab<(Wire, Server)> = Slab::new();
    let (mut buffers, mut events) = (Buffers::default(), Vec::with_capacity(512));
    loop {
        epoll::wait(&epoll, spare_capacity(&mut events), None)?;
        for event in events.drain(..) {
            match event.data.u64() {
                LISTENER => accept(&epoll, &listener, &mut connections)?,
                place => {
                    let place = place as usize;
                    let Some((wire, server)) = connections.get_mut(place) else { continue };
                    // What a proxy does wrong it is told of by the end of its connection.
                    let open = wire.look(event.flags, &mut buffers, server).is_ok_and(|looked| !looked.ended);
                    if !open {
                        connections.remove(place);
                    }
                }
            }
        }
    }
}

fn accept(epoll: &OwnedFd, listener: &TcpListener, connections: &mut Slab<(Wire, Server)>) -> Result<()> {
    let (socket, _) = match listener.accept() {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
        accepted => accepted?,
    };
    let entry = connections.vacant_entry();
    let wire = Wire::new(socket, None)?;
    epoll::add(epoll, &wire.socket, EventData::new_u64(entry.key() as u64), Wire::EVENTS)?;
    entry.insert((wire, Server::New));
    Ok(())
}

/// What is spoken on a connection.
enum Server {
    /// Its first bytes will tell.
    New,
    Http1(http1::Server),
    Grpc(grpc::Server),
}

impl Protocol for Server {
    fn receive(&mut self, bytes: &[u8], out: &mut Out) -> Result<usize> {
        if matches!(self, Server::New) {
            *self = match bytes.starts_with(&PREFACE[..3]) {
                true => Server::Grpc(grpc::Server::new()),
                false => Server::Http1(http1::Server::default()),
            };
        }
        match self {
            Server::Http1(server) => server.receive(bytes, out),
            Server::Grpc(server) => server.receive(bytes, out),
            Server::New => unreachable!("it has become one of the others"),
        }
    }
}
