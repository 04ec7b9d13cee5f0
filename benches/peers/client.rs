//! The clients: one thread with many connections, whose answers are all checked, so that no proxy is fast by being wrong.
//!
//! A closed loop asks again as soon as an answer is there, which is how much a proxy can do. An open loop asks at its own
//! times whatever the proxy does (`open_loop`), which is how long users wait.

mod http1;
mod http2;
mod open_loop;
mod tls;
mod websocket;

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData};
use rustix::fd::OwnedFd;

pub(crate) use http1::{Requests, get, post};
pub(crate) use tls::{Sessions, Trust};

use crate::wire::{Buffers, Out, Protocol, Wire};

/// How long no answer at all may come.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often one looks whether the time is over.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// What is spoken, and asked for.
#[derive(Clone, Copy)]
pub(crate) enum Speak {
    Http1(Requests),
    Http2,
    Grpc,
    WebSocket,
}

impl Speak {
    /// What it is called in the handshake (ALPN).
    fn protocol(self) -> &'static [u8] {
        match self {
            Speak::Http1(_) | Speak::WebSocket => b"http/1.1",
            Speak::Http2 | Speak::Grpc => b"h2",
        }
    }
}

/// What clients do.
#[derive(Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) speak: Speak,
    pub(crate) connections: usize,
    /// Requests on each at the same time.
    pub(crate) streams: usize,
    /// A connection for each request.
    pub(crate) close: bool,
    /// TLS, if there is to be any.
    pub(crate) tls: Option<(&'a Trust, Sessions)>,
}

/// What asks, and checks what is answered.
pub(crate) trait Asker: Protocol {
    /// Writes one request.
    fn ask(&mut self, out: &mut Out) -> Result<()>;
}

/// When a closed loop ends.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Time(Duration),
    Answers(u64),
}

/// What came of it.
#[derive(Clone, Copy)]
pub(crate) struct Done {
    pub(crate) answers: u64,
    pub(crate) wall: Duration,
}

struct Connection {
    wire: Wire,
    asker: Box<dyn Asker>,
    /// Answers on this one.
    answers: u64,
}

/// Clients that are connected and have each had an answer.
pub(crate) struct Clients<'a> {
    load: Load<'a>,
    epoll: OwnedFd,
    connections: Vec<Connection>,
    /// How each place makes its TLS, with the tickets of its own.
    tls: Vec<tls::Place>,
    buffers: Buffers,
    events: Vec<Event>,
    /// Connections that were answered at the last look, and how often.
    answered: Vec<(usize, usize)>,
    /// Whether a closed loop has begun.
    is_going: bool,
}

impl<'a> Clients<'a> {
    /// Opens all connections, one after the other, and waits for the first answer on each.
    ///
    /// # Errors
    /// If an answer is wrong or does not come.
    pub(crate) fn open(load: Load<'a>) -> Result<Clients<'a>> {
        let places = 0..load.connections;
        let tls = match load.tls {
            Some((trust, sessions)) => places
                .map(|_| tls::Place::new(trust, sessions, load.speak.protocol()))
                .collect::<Result<_>>()?,
            None => Vec::new(),
        };
        let mut clients = Clients {
            load,
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            connections: Vec::with_capacity(load.connections),
            tls,
            buffers: Buffers::default(),
            events: Vec::with_capacity(1024),
            answered: Vec::with_capacity(1024),
            is_going: false,
        };
        for place in 0..load.connections {
            let connection = clients.connect(place)?;
            clients.connections.push(connection);
            clients.ask(place)?;
            clients.wait().with_context(|| format!("connection {place} of {}", load.connections))?;
        }
        Ok(clients)
    }

    /// Waits for an answer.
    fn wait(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.look()?;
            if !self.answered.is_empty() {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "no answer after {PATIENCE:?}");
        }
    }

    /// Connects, with nothing asked yet.
    fn connect(&mut self, place: usize) -> Result<Connection> {
        let socket = TcpStream::connect_timeout(&self.load.address, PATIENCE).context("cannot connect")?;
        let tls = self.tls.get(place).map(tls::Place::session).transpose()?;
        let wire = Wire::new(socket, tls)?;
        epoll::add(&self.epoll, &wire.socket, EventData::new_u64(place as u64), Wire::EVENTS)?;
        let asker: Box<dyn Asker> = match self.load.speak {
            Speak::Http1(requests) => Box::new(http1::Client::new(requests, place)),
            Speak::Http2 => Box::new(http2::Client::get()),
            Speak::Grpc => Box::new(http2::Client::call()),
            Speak::WebSocket => Box::new(websocket::Client::default()),
        };
        Ok(Connection { wire, asker, answers: 0 })
    }

    fn ask(&mut self, place: usize) -> Result<()> {
        let Connection { wire, asker, .. } = &mut self.connections[place];
        asker.ask(&mut wire.out)?;
        Ok(wire.flush()?)
    }

    /// Waits for events, and notes which connections were answered. A connection that was to end and has is answered then,
    /// and replaced.
    fn look(&mut self) -> Result<()> {
        self.answered.clear();
        self.events.clear();
        epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&TICK))?;
        for at in 0..self.events.len() {
            let Event { data, flags } = self.events[at];
            let place = data.u64() as usize;
            let Some(connection) = self.connections.get_mut(place) else { continue };
            let looked = connection.wire.look(flags, &mut self.buffers, connection.asker.as_mut());
            let looked = looked.with_context(|| format!("after {} answers", connection.answers))?;
            connection.answers += looked.answers as u64;
            if !looked.ended && looked.answers > 0 && !self.load.close {
                self.answered.push((place, looked.answers));
            }
            if looked.ended {
                self.replace(place)?;
            }
        }
        Ok(())
    }

    fn replace(&mut self, place: usize) -> Result<()> {
        let answers = self.connections[place].answers;
        let expected = self.load.close && answers == 1;
        ensure!(expected, "the proxy has closed a connection, after {answers} answers");
        if let Some(tls) = self.tls.get_mut(place) {
            tls.check(&self.connections[place].wire)?;
        }
        self.connections[place] = self.connect(place)?;
        self.answered.push((place, 1));
        Ok(())
    }

    /// Asks again on each connection that is answered. A second loop goes on where the first has ended.
    ///
    /// # Errors
    /// If an answer is wrong or does not come.
    pub(crate) fn closed_loop(&mut self, until: Until) -> Result<Done> {
        if !std::mem::replace(&mut self.is_going, true) {
            for place in 0..self.load.connections {
                (0..self.load.streams).try_for_each(|_| self.ask(place))?;
            }
        }
        let (begin, mut answers, mut last) = (Instant::now(), 0, Instant::now());
        loop {
            self.look()?;
            let now = Instant::now();
            for at in 0..self.answered.len() {
                let (place, count) = self.answered[at];
                answers += count as u64;
                (0..count).try_for_each(|_| self.ask(place))?;
                last = now;
            }
            let wall = now - begin;
            let over = match until {
                Until::Time(time) => wall >= time,
                Until::Answers(wanted) => answers >= wanted,
            };
            if over {
                return Ok(Done { answers, wall });
            }
            if now - last > PATIENCE {
                bail!("no answer for {PATIENCE:?}, after {answers}");
            }
        }
    }
}
