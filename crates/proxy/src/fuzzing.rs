//! What the fuzz targets see of the parts that are private: the same code, behind functions of bytes.
//!
//! Only there with the feature `fuzzing`, which nothing that is shipped asks for. Never: code of its own that could be
//! right where the proxy is wrong.

#[cfg(test)]
mod against_hyper;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use bytes::Bytes;
use http::HeaderMap;
use http::header::HeaderName;
use http_body::Frame;

use crate::access_log::Logger;
use crate::connection::http2::budget::Budget;
use crate::connection::http2::field_blocks::FieldBlocks;
use crate::connection::http2::turn::Turn;
use crate::frames::Frames;
use crate::guard;
use crate::headers;
use crate::metrics::Cells;
use crate::proxy_header::{self, Parsed};
use crate::upstream::http1::answer::{HeadReader, append};
use crate::upstream::http1::{Framing, Limits};

/// Fields of a head.
pub const FIELDS_MAX: usize = 100;

/// The guard of one HTTP/1 connection.
#[derive(Debug)]
pub struct Guard(guard::Guard);

impl Guard {
    /// One with these limits.
    pub fn new(line_bytes_max: usize, head_bytes_max: usize) -> Guard {
        Guard(guard::Guard::new(guard::Limits { line_bytes_max, head_bytes_max, fields_max: FIELDS_MAX }))
    }

    /// Follows one read: how many bytes may pass, and how many heads end among them.
    pub fn follow(&mut self, bytes: &[u8]) -> (usize, u32) {
        let followed = self.0.follow(bytes);
        (followed.passed, followed.heads)
    }

    /// The word for why nothing passes any more.
    pub fn refused(&self) -> Option<&'static str> {
        self.0.refused().map(crate::error::Refusal::as_str)
    }

    /// Where in those bytes one must be escaped.
    pub fn odd(&self) -> &[usize] {
        self.0.odd()
    }

    /// Whether what comes now is held until it is decided which protocol it is of.
    pub fn holds(&self) -> bool {
        self.0.holds()
    }

    /// It is this one.
    pub fn release(&mut self) {
        self.0.release();
    }

    /// Whether no byte of a next request has come.
    pub fn at_boundary(&self) -> bool {
        self.0.at_boundary()
    }
}

/// What a client of HTTP/2 may send beside messages.
#[derive(Debug)]
pub struct Allowance(Budget);

impl Allowance {
    /// One of this many frames, before the preface.
    pub fn new(max: u32) -> Allowance {
        Allowance(Budget::new(max, 0))
    }

    /// Whether the client may go on after these bytes.
    pub fn receive(&mut self, bytes: &[u8]) -> bool {
        self.0.receive(bytes, 0)
    }
}

/// The turns in which these bytes are handed on, from the preface on.
pub fn turns(mut bytes: &[u8]) -> Vec<&[u8]> {
    let (turn, mut frames, mut turns) = (Turn::new(), Frames::of_a_client(), Vec::new());
    while !bytes.is_empty() {
        turn.begin();
        let mut taken = 0;
        while taken < bytes.len() && !turn.is_over() {
            taken += turn.take(&bytes[taken..], &mut frames);
        }
        let (now, rest) = bytes.split_at(taken);
        turns.push(now);
        bytes = rest;
    }
    turns
}

/// How many of these bytes, which come in pieces of this size from the preface on, are not held back as a part of a field
/// block that is not whole. None if one is larger than `max`.
pub fn passed(bytes: &[u8], size: usize, max: usize) -> Option<usize> {
    let (mut blocks, mut seen, mut passed) = (FieldBlocks::of_a_client(max), 0, 0);
    for piece in bytes.chunks(size) {
        match blocks.follow(piece).ok()? {
            0 => {}
            now => passed = seen + now,
        }
        seen += piece.len();
    }
    Some(passed)
}

/// What an endpoint of HTTP/1 has answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Its status; none as long as its head is not whole.
    pub status: Option<u16>,
    /// Heads of interim responses before it.
    pub interims: usize,
    /// Its body, as far as that came.
    pub body: Vec<u8>,
    /// Fields behind the body.
    pub trailers: usize,
    /// Whether it has ended before the connection, or with it if it is framed so.
    pub is_whole: bool,
    /// Whether another request may be sent on its connection.
    pub keeps: bool,
    /// Whether what came is no HTTP, or could be read in two ways.
    pub is_broken: bool,
}

/// Reads what an endpoint sends, in pieces of this size, until its connection ends.
pub fn answer(bytes: &[u8], size: usize, asks_for_head: bool) -> Answer {
    let limits = Limits { bytes_max: 1 << 10, fields_max: FIELDS_MAX };
    let (mut reader, mut room, mut read) = (HeadReader::default(), HeaderMap::new(), Bytes::new());
    let (mut answer, mut framing) = (Answer::default(), None::<Framing>);
    for piece in bytes.chunks(size) {
        append(&mut read, Bytes::copy_from_slice(piece));
        while framing.is_none() {
            match reader.parse(&mut read, &limits, asks_for_head, &mut room) {
                Ok(Some(head)) if head.is_interim() => answer.interims += 1,
                Ok(Some(head)) => {
                    (answer.status, answer.keeps) = (Some(head.status.as_u16()), head.keeps);
                    framing = Some(head.framing);
                }
                Ok(None) => break,
                Err(_) => return Answer { is_broken: true, ..answer },
            }
        }
        let Some(framing) = &mut framing else { continue };
        loop {
            match framing.next(&mut read, &limits).map(|frame| frame.map(Frame::into_data)) {
                Ok(Some(Ok(data))) => answer.body.extend_from_slice(&data),
                Ok(Some(Err(frame))) => {
                    answer.trailers = frame.into_trailers().map_or(0, |fields| fields.len())
                }
                Ok(None) => break,
                Err(_) => return Answer { is_broken: true, ..answer },
            }
        }
        if framing.is_over() {
            answer.is_whole = true;
            return answer;
        }
    }
    answer.is_whole = framing.is_some_and(|mut framing| framing.end().is_ok());
    answer
}

/// What is read of a PROXY header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// All of it: client and local address, if it says any, and its bytes.
    Whole {
        /// Where the bytes come from and where they went.
        origin: Option<(SocketAddr, SocketAddr)>,
        /// How many bytes belong to the header.
        length: usize,
    },
    /// Its beginning.
    More,
    /// None.
    Malformed,
}

/// Reads a PROXY header.
pub fn proxy_header(bytes: &[u8]) -> ProxyHeader {
    match proxy_header::parse(bytes) {
        Parsed::Whole { origin, length } => {
            ProxyHeader::Whole { origin: origin.map(|it| (it.client, it.local)), length }
        }
        Parsed::More => ProxyHeader::More,
        Parsed::Malformed => ProxyHeader::Malformed,
    }
}

/// Takes from a request's fields what must not cross the hop, in the order in which the proxy does.
pub fn sanitise(fields: &mut HeaderMap, trusted: bool) {
    headers::strip_hop_by_hop(fields);
    headers::strip_aliases(fields, trusted, false);
}

/// Whether a trailer of this name is dropped.
pub fn is_refused_in_trailers(name: &HeaderName) -> bool {
    headers::trailers::is_refused_in_trailers(name)
}

/// What a worker writes for one request: fields of the draft, fields of the end, and a number.
pub fn access_log_line(
    draft: &[(&'static str, &[u8])],
    end: &[(&'static str, &[u8])],
    number: u64,
) -> Vec<u8> {
    let (sender, receiver) = sync_channel(1);
    let logger = Logger::new(Some(sender), Arc::new(Cells::default()));
    logger.tick();
    let draft = logger.draft(|line| draft.iter().for_each(|(name, value)| line.bytes(name, value)));
    logger.finish(draft.expect("the log is on"), |line| {
        line.number("status", number);
        end.iter().for_each(|(name, value)| line.bytes(name, value));
    });
    drop(logger);
    receiver.recv().expect("a logger's end hands its last lines over")
}
