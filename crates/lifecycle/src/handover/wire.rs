//! What the two processes say to each other, byte by byte.
//!
//! ```text
//! greeting   "sluicegt"  version: u16  abilities: u8  process: u24  network: u64  state: u8    both sides, once
//! sockets    length: u16 + that many bytes of lines "role address\n", a descriptor each    as many as needed
//!            length 0                                                                  no more sockets
//! then       one byte: C confirmed, R released, G given up; before C, to one that understands it: S serves
//! after that the successor says H handed on, L leaves and none is to serve in its place, S; or either process ends
//! S serves   count: u16, the kernel's number of each socket that the serving process has: u64
//! ```
//!
//! Numbers are big-endian. The greeting has this form in every version, so that each side can tell which version the
//! other speaks; what comes after it belongs to the version. The state is 0 to go on; the owner's is 1 if it is busy;
//! that of the other side is 2 if it wants no sockets and only to hear of the owner's end, so that nothing comes after
//! it but H, L and S.
//!
//! The abilities are 128, to say L and to understand a 2, and 64, to say and to understand S. Older processes of
//! version 1 have none, or only the first. The oldest take abilities for a part of the process, whose number never
//! needs the highest byte.

mod sockets;

use std::io;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;

use rustix::net::SendFlags;
use rustix::net::sockopt::socket_cookie;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

pub(super) use self::sockets::{Incoming, Outgoing, receive_sockets, send_sockets};
use super::Offer;

/// The version of what follows the greeting.
pub(super) const VERSION: u16 = 1;
pub(super) const CONFIRMED: u8 = b'C';
pub(super) const RELEASED: u8 = b'R';
pub(super) const GIVEN_UP: u8 = b'G';
pub(super) const HANDED_ON: u8 = b'H';
pub(super) const LEAVES: u8 = b'L';
pub(super) const SERVES: u8 = b'S';

const MAGIC: [u8; 8] = *b"sluicegt";
const GREETING_BYTES: usize = MAGIC.len() + 2 + 4 + 8 + 1;
/// The bits of a process's number; the kernel needs 22 at most. Above them are the abilities.
const PID_BITS: u32 = 24;
const SAYS_FAREWELL: u8 = 0x80;
const SAYS_SOCKETS: u8 = 0x40;
const BUSY: u8 = 1;
const WATCHES: u8 = 2;
/// No process has more (TCP services have a limit below this), and a successor must not be made to open files without end.
const SOCKETS_MAX: usize = 4096;

/// The first words of either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    pub(super) version: u16,
    pub(super) pid: u32,
    /// Whether it says that it leaves, and lets itself be watched.
    pub(super) says_farewell: bool,
    /// Whether it says, and wants to hear, which sockets the one has that serves.
    pub(super) says_sockets: bool,
    /// The network namespace it lives in, as the kernel numbers them; 0 if it cannot tell.
    pub(super) network: u64,
    pub(super) state: State,
}

/// What one side says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The other side should go on.
    GoOn,
    /// The owner is occupied with another successor.
    Busy,
    /// It is no successor, and only wants to hear of the owner's end.
    Watches,
}

impl Greeting {
    pub(super) fn ours(state: State) -> Greeting {
        let network = std::fs::metadata("/proc/self/ns/net").map_or(0, |file| file.ino());
        let pid = std::process::id();
        Greeting { version: VERSION, pid, says_farewell: true, says_sockets: true, network, state }
    }

    pub(super) fn bytes(self) -> [u8; GREETING_BYTES] {
        let farewell = if self.says_farewell { SAYS_FAREWELL } else { 0 };
        let abilities = farewell | if self.says_sockets { SAYS_SOCKETS } else { 0 };
        let process = self.pid | u32::from(abilities) << PID_BITS;
        let mut bytes = [0; GREETING_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&self.version.to_be_bytes());
        bytes[10..14].copy_from_slice(&process.to_be_bytes());
        bytes[14..22].copy_from_slice(&self.network.to_be_bytes());
        bytes[22] = match self.state {
            State::GoOn => 0,
            State::Busy => BUSY,
            State::Watches => WATCHES,
        };
        bytes
    }

    pub(super) async fn read(stream: &mut UnixStream) -> io::Result<Greeting> {
        // One by one: a peer that speaks another protocol may say less and then wait for an answer.
        let mut magic = [0; MAGIC.len()];
        stream.read_exact(&mut magic).await?;
        if magic != MAGIC {
            return Err(invalid("it is no process of ours"));
        }
        let (version, process) = (stream.read_u16().await?, stream.read_u32().await?);
        let (network, state) = (stream.read_u64().await?, stream.read_u8().await?);
        let can = |ability| process.to_be_bytes()[0] & ability != 0;
        let (says_farewell, says_sockets) = (can(SAYS_FAREWELL), can(SAYS_SOCKETS));
        let state = match state {
            0 => State::GoOn,
            WATCHES => State::Watches,
            _ => State::Busy,
        };
        let pid = process & ((1 << PID_BITS) - 1);
        Ok(Greeting { version, pid, says_farewell, says_sockets, network, state })
    }
}

/// Says something short to a peer that need not hear it. Not by the runtime, which at first believes that a new stream
/// has no room.
pub(super) fn say(stream: &UnixStream, bytes: &[u8]) {
    let _ = rustix::net::send(stream, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
}

/// Which sockets a process has that serves. The kernel's number of a socket is the same in all processes that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Served(Vec<u64>);

impl Served {
    /// What is open of these; none if the kernel does not number sockets.
    pub(super) fn of(offers: &[Offer]) -> Option<Served> {
        let open = offers.iter().filter_map(|offer| offer.listener.upgrade());
        open.map(|listener| socket_cookie(&*listener).ok()).collect::<Option<Vec<u64>>>().map(Served)
    }

    /// Whether this socket is certainly not among them.
    pub(super) fn lacks(&self, listener: &TcpListener) -> bool {
        socket_cookie(listener).is_ok_and(|number| !self.0.contains(&number))
    }

    /// In one message, its first byte included.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let numbers = &self.0[..self.0.len().min(SOCKETS_MAX)];
        let mut bytes = vec![SERVES];
        bytes.extend((numbers.len() as u16).to_be_bytes());
        bytes.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        bytes
    }

    /// What comes after the first byte.
    pub(super) async fn read(stream: &mut UnixStream) -> io::Result<Served> {
        let count = usize::from(stream.read_u16().await?);
        if count > SOCKETS_MAX {
            return Err(invalid("it serves on too many sockets"));
        }
        let mut numbers = Vec::with_capacity(count);
        for _ in 0..count {
            numbers.push(stream.read_u64().await?);
        }
        Ok(Served(numbers))
    }
}

/// What a process says that serves in the place of another one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    HandedOn,
    Leaves,
    Serves(Served),
}

impl Word {
    /// The first word of what was heard so far, if it is there as a whole. What a newer process may say is passed over.
    pub(super) fn next(heard: &mut Vec<u8>) -> Option<Word> {
        loop {
            let (word, length) = match *heard.first()? {
                HANDED_ON => (Some(Word::HandedOn), 1),
                LEAVES => (Some(Word::Leaves), 1),
                SERVES => {
                    let count = u16::from_be_bytes(*heard.get(1..)?.first_chunk()?);
                    let length = 3 + 8 * usize::from(count);
                    let numbers = heard.get(3..length)?.as_chunks().0.iter().copied().map(u64::from_be_bytes);
                    (Some(Word::Serves(Served(numbers.collect()))), length)
                }
                _ => (None, 1),
            };
            heard.drain(..length);
            if word.is_some() {
                return word;
            }
        }
    }
}

pub(super) fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
