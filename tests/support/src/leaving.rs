//! An upstream of HTTP/2 that does not keep its connections: after so many answers each ends, in the way that a test wants.
//! Calls of gRPC are answered with their own messages, all else with its own body.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::{ServerConfig, ServerConnection};

use crate::frames::{
    ACK, DATA, END_HEADERS, END_STREAM, Frames, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE,
    block,
};
use crate::upstream::Upstream;

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is closed without a word.
    Close,
    /// It says goodbye and is closed.
    GoodbyeAndClose,
    /// It says goodbye and stays open.
    Goodbye,
    /// It says that there will be a goodbye, as servers of gRPC do, then which request is the last, and is closed.
    GoodbyeTwice,
    /// It stays open and takes no more requests: they may be none at a time.
    NoStreams,
    /// It stays open and refuses each further request.
    Refuse,
}

impl Ending {
    /// All of them.
    pub const ALL: [Ending; 6] = [
        Ending::Close,
        Ending::GoodbyeAndClose,
        Ending::Goodbye,
        Ending::GoodbyeTwice,
        Ending::NoStreams,
        Ending::Refuse,
    ];
}

/// A running upstream.
#[derive(Debug)]
pub struct LeavingUpstream {
    /// Where it listens.
    pub address: SocketAddr,
    upstream: Upstream,
    answered: Arc<AtomicUsize>,
}

impl LeavingUpstream {
    /// Starts one whose connections end after so many answers.
    ///
    /// # Panics
    /// If loopback has no port left.
    pub fn start(answers: usize, ending: Ending, tls: Option<Arc<ServerConfig>>) -> LeavingUpstream {
        let answered = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&answered);
        let upstream = Upstream::scripted(move |peer| {
            let count = &*count;
            let ended = match &tls {
                None => serve(&mut peer.stream, answers, ending, count),
                Some(tls) => {
                    let mut session = ServerConnection::new(Arc::clone(tls)).expect("a session");
                    serve(rustls::Stream::new(&mut session, &mut peer.stream), answers, ending, count)
                }
            };
            // Closed with something unread, the last answers would be lost on their way.
            if ended.is_ok() && ending != Ending::Close {
                let _ = peer.stream.shutdown(Shutdown::Write);
                peer.discard();
            }
        });
        LeavingUpstream { address: upstream.address, upstream, answered }
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.upstream.connections()
    }

    /// Connections that have ended so far.
    pub fn ended(&self) -> usize {
        self.upstream.ended()
    }

    /// Requests answered so far.
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }
}

/// The last stream, while there may be more.
const MANY: u32 = u32::MAX >> 1;

/// One connection.
struct Serving<'a, S> {
    frames: Frames<S>,
    ending: Ending,
    answered: &'a AtomicUsize,
    /// Answers until the end begins.
    left: usize,
    /// Requests that have begun, each with its body so far.
    begun: BTreeMap<u32, Vec<u8>>,
    newest: u32,
    /// The last request that is looked at.
    last: u32,
    /// Whether the connection is closed when all of them are answered.
    closes: bool,
}

fn serve<S: Read + Write>(
    stream: S,
    answers: usize,
    ending: Ending,
    answered: &AtomicUsize,
) -> io::Result<()> {
    let (frames, begun) = (Frames::accept(stream)?, BTreeMap::new());
    let (newest, last, closes) = (0, MANY, false);
    let mut serving = Serving { frames, ending, answered, left: answers, begun, newest, last, closes };
    while !(serving.closes && serving.begun.is_empty()) {
        let (kind, flags, id, payload) = serving.frames.read()?;
        match kind {
            SETTINGS if flags & ACK == 0 => serving.frames.send(SETTINGS, ACK, 0, b""),
            PING if flags & ACK == 0 => serving.frames.send(PING, ACK, 0, &payload),
            // All that was sent before the first goodbye came has come.
            PING => serving.say_goodbye(serving.newest, true),
            HEADERS | DATA if id <= serving.last => serving.take(kind, id, &payload, flags & END_STREAM != 0),
            HEADERS if matches!(ending, Ending::Refuse | Ending::NoStreams) => serving.refuse(id),
            _ => {}
        }
    }
    Ok(())
}

impl<S: Read + Write> Serving<'_, S> {
    fn take(&mut self, kind: u8, id: u32, payload: &[u8], is_whole: bool) {
        self.newest = self.newest.max(id);
        let body = self.begun.entry(id).or_default();
        if kind == DATA {
            body.extend_from_slice(payload);
        }
        if is_whole {
            let body = self.begun.remove(&id).unwrap_or_default();
            self.answered.fetch_add(1, Ordering::SeqCst);
            self.answer(id, &body);
            self.left = self.left.wrapping_sub(1);
            if self.left == 0 {
                self.end();
            }
        }
    }

    fn answer(&mut self, id: u32, body: &[u8]) {
        let head = block(&[(":status", "200"), ("content-type", "application/grpc")]);
        self.frames.send(HEADERS, END_HEADERS, id, &head);
        self.frames.send(DATA, 0, id, body);
        self.frames.send(HEADERS, END_HEADERS | END_STREAM, id, &block(&[("grpc-status", "0")]));
        let taken = u32::try_from(body.len()).unwrap_or(0);
        if taken > 0 {
            self.frames.send(WINDOW_UPDATE, 0, 0, &taken.to_be_bytes());
        }
    }

    fn say_goodbye(&mut self, last: u32, closes: bool) {
        (self.last, self.closes) = (last, closes);
        self.frames.send(GOAWAY, 0, 0, &[last.to_be_bytes(), [0; 4]].concat());
    }

    fn refuse(&mut self, id: u32) {
        const REFUSED_STREAM: u32 = 7;
        self.frames.send(RST_STREAM, 0, id, &REFUSED_STREAM.to_be_bytes());
    }

    fn end(&mut self) {
        const MAX_CONCURRENT_STREAMS: u8 = 3;
        match self.ending {
            Ending::Close => (self.last, self.closes) = (self.newest, true),
            Ending::GoodbyeAndClose => self.say_goodbye(self.newest, true),
            Ending::Goodbye => self.say_goodbye(self.newest, false),
            Ending::GoodbyeTwice => {
                self.say_goodbye(MANY, false);
                self.frames.send(PING, 0, 0, b"goodbye!");
            }
            Ending::NoStreams => {
                self.last = self.newest;
                self.frames.send(SETTINGS, 0, 0, &[0, MAX_CONCURRENT_STREAMS, 0, 0, 0, 0]);
            }
            Ending::Refuse => self.last = self.newest,
        }
    }
}
