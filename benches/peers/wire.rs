//! A connection without blocking: the socket, TLS where there is any, and what is still to be sent.
//!
//! Used by the upstream and by the clients. After the first messages it allocates nothing (rustls does, for each record).

use std::io::{self, Read, Write};
use std::net::TcpStream;

use anyhow::Result;
use rustix::event::epoll::EventFlags;
use rustls::ClientConnection;

/// More than most answers here have in one read.
pub(crate) const BUFFER_BYTES: usize = 128 * 1024;

/// One side of a protocol, without IO.
pub(crate) trait Protocol {
    /// Takes what has come in, writes what it says to that, and returns how many answers are complete by it.
    ///
    /// # Errors
    /// If the other side has broken the protocol, or what it says is not what was expected.
    fn receive(&mut self, bytes: &[u8], out: &mut Out) -> Result<usize>;
}

/// What is to be sent: first bytes of its own, then some that are fixed and never copied.
#[derive(Default)]
pub(crate) struct Out {
    own: Vec<u8>,
    sent: usize,
    fixed: &'static [u8],
}

impl Out {
    /// Sends these; they are copied only if something waits already.
    pub(crate) fn send(&mut self, bytes: &'static [u8]) {
        self.settle();
        match self.own.is_empty() {
            true => self.fixed = bytes,
            false => self.own.extend_from_slice(bytes),
        }
    }

    /// Where more can be appended.
    pub(crate) fn tail(&mut self) -> &mut Vec<u8> {
        self.settle();
        &mut self.own
    }

    fn settle(&mut self) {
        self.own.extend_from_slice(std::mem::take(&mut self.fixed));
    }

    fn next(&self) -> &[u8] {
        if self.own.is_empty() { self.fixed } else { &self.own[self.sent..] }
    }

    fn advance(&mut self, count: usize) {
        match self.own.is_empty() {
            true => self.fixed = &self.fixed[count..],
            false => self.sent += count,
        }
        if self.sent == self.own.len() {
            self.own.clear();
            self.sent = 0;
        }
    }

    fn write(&mut self, mut to: impl Write) -> io::Result<()> {
        while !self.next().is_empty() {
            let count = to.write(self.next())?;
            self.advance(count);
        }
        Ok(())
    }
}

/// What is left of reads because it is not complete yet.
#[derive(Default)]
pub(crate) struct Rest(Vec<u8>);

impl Rest {
    /// Gives `step` all that is there, again and again, until it finds too little: it says how many bytes it has used.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        mut step: impl FnMut(&[u8]) -> Result<Option<usize>>,
    ) -> Result<()> {
        let joined = !self.0.is_empty();
        if joined {
            self.0.extend_from_slice(bytes);
        }
        let (all, mut done) = (if joined { &self.0[..] } else { bytes }, 0);
        while done < all.len()
            && let Some(used) = step(&all[done..])?
        {
            done += used;
        }
        match joined {
            true => drop(self.0.drain(..done)),
            false => self.0.extend_from_slice(&bytes[done..]),
        }
        Ok(())
    }
}

/// What reads use, one for all connections of a thread.
pub(crate) struct Buffers {
    wire: Vec<u8>,
    plain: Vec<u8>,
}

impl Default for Buffers {
    fn default() -> Buffers {
        Buffers { wire: vec![0; BUFFER_BYTES], plain: vec![0; BUFFER_BYTES] }
    }
}

/// What came of looking at a connection.
pub(crate) struct Looked {
    /// Answers that are complete now.
    pub(crate) answers: usize,
    /// The other side has ended.
    pub(crate) ended: bool,
}

/// A connection that does not block, for edge-triggered events.
pub(crate) struct Wire {
    pub(crate) socket: TcpStream,
    pub(crate) tls: Option<Box<ClientConnection>>,
    pub(crate) out: Out,
}

impl Wire {
    /// What to ask of epoll for each.
    pub(crate) const EVENTS: EventFlags =
        EventFlags::IN.union(EventFlags::OUT).union(EventFlags::RDHUP).union(EventFlags::ET);

    pub(crate) fn new(socket: TcpStream, tls: Option<Box<ClientConnection>>) -> io::Result<Wire> {
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        Ok(Wire { socket, tls, out: Out::default() })
    }

    /// Reads all that is there, and writes what the protocol says to it. A read that does not fill the buffer has emptied
    /// the socket (epoll(7)), unless the end was announced.
    pub(crate) fn look(
        &mut self,
        flags: EventFlags,
        buffers: &mut Buffers,
        protocol: &mut (impl Protocol + ?Sized),
    ) -> Result<Looked> {
        let ending = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        let mut looked = Looked { answers: 0, ended: false };
        while ending || flags.contains(EventFlags::IN) {
            let count = match self.socket.read(&mut buffers.wire) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                count => count?,
            };
            looked.ended = count == 0;
            if looked.ended {
                break;
            }
            looked.answers += self.receive(count, buffers, protocol)?;
            if count < buffers.wire.len() && !ending {
                break;
            }
        }
        if !looked.ended {
            self.flush()?;
        }
        Ok(looked)
    }

    fn receive(
        &mut self,
        count: usize,
        buffers: &mut Buffers,
        protocol: &mut (impl Protocol + ?Sized),
    ) -> Result<usize> {
        let mut bytes = &buffers.wire[..count];
        let Some(tls) = &mut self.tls else { return protocol.receive(bytes, &mut self.out) };
        let mut answers = 0;
        while !bytes.is_empty() && tls.read_tls(&mut bytes)? > 0 {
            let mut waiting = tls.process_new_packets()?.plaintext_bytes_to_read();
            while waiting > 0 {
                let read = tls.reader().read(&mut buffers.plain)?;
                answers += protocol.receive(&buffers.plain[..read], &mut self.out)?;
                waiting -= read;
            }
        }
        Ok(answers)
    }

    /// Writes what the socket takes; the rest goes when it says that it takes more.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let written = match &mut self.tls {
            None => self.out.write(&self.socket),
            Some(tls) => {
                self.out.write(tls.writer())?;
                let mut all = Ok(());
                while tls.wants_write() && all.is_ok() {
                    all = tls.write_tls(&mut self.socket).map(drop);
                }
                all
            }
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            written => written,
        }
    }
}
