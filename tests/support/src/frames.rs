//! HTTP/2 frame by frame, so that a test can write what no library would.
//!
//! Fields are written as literals without indexing (RFC 7541 §6.2.2), so any byte may stand in them.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::PATIENCE;

/// How a connection begins (RFC 9113 §3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The type of a piece of a body (RFC 9113 §6).
pub const DATA: u8 = 0;
/// The type of the first piece of a head.
pub const HEADERS: u8 = 1;
/// The type of what is said about a stream's weight.
pub const PRIORITY: u8 = 2;
/// The type of a stream's end.
pub const RST_STREAM: u8 = 3;
/// The type of what a side wants to be known.
pub const SETTINGS: u8 = 4;
/// The type of a question for a sign of life.
pub const PING: u8 = 6;
/// The type of a connection's end.
pub const GOAWAY: u8 = 7;
/// The type of room for more of a body.
pub const WINDOW_UPDATE: u8 = 8;
/// The type of all but the first pieces of a head.
pub const CONTINUATION: u8 = 9;

/// The flag of the last frame of a stream.
pub const END_STREAM: u8 = 1;
/// The flag of an answer to settings or a question.
pub const ACK: u8 = 1;
/// The flag of the last piece of a head.
pub const END_HEADERS: u8 = 4;

/// The code for what is malformed (RFC 9113 §7).
pub const PROTOCOL_ERROR: u32 = 1;

/// What came of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A response of this status, whole.
    Status(u16),
    /// The stream alone was reset.
    Reset(u32),
    /// The connection is given up.
    GoAway(u32),
    /// The connection ended without a word.
    Closed,
}

/// One connection.
#[derive(Debug)]
pub struct Frames<S> {
    stream: S,
}

impl Frames<TcpStream> {
    /// Connects without TLS and sends the preface and empty settings.
    ///
    /// # Panics
    /// If the connection is refused.
    pub fn connect(to: SocketAddr) -> Frames<TcpStream> {
        let stream = TcpStream::connect(to).expect("the proxy accepts");
        stream.set_nodelay(true).expect("an open socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("an open socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("an open socket");
        Frames::begin(stream)
    }
}

impl<S: Read + Write> Frames<S> {
    /// Takes the other side of a connection: reads the preface and sends empty settings.
    ///
    /// # Errors
    /// If none is spoken.
    pub fn accept(mut stream: S) -> io::Result<Frames<S>> {
        stream.read_exact(&mut [0; PREFACE.len()])?;
        let mut frames = Frames { stream };
        frames.send(SETTINGS, 0, 0, b"");
        Ok(frames)
    }

    /// Sends the preface and empty settings on a stream that is open.
    ///
    /// # Panics
    /// If the stream does not take them.
    pub fn begin(mut stream: S) -> Frames<S> {
        stream.write_all(PREFACE).expect("the proxy reads");
        let mut frames = Frames { stream };
        frames.send(SETTINGS, 0, 0, b"");
        frames
    }

    /// Writes a frame. A connection that is given up need not take it.
    pub fn send(&mut self, kind: u8, flags: u8, id: u32, payload: &[u8]) {
        let mut frame = Vec::new();
        put(&mut frame, kind, flags, id, payload);
        let _ = self.stream.write_all(&frame);
        let _ = self.stream.flush();
    }

    /// Reads until something is decided about this stream.
    pub fn outcome(&mut self, id: u32) -> Outcome {
        self.outcomes([id]).remove(0)
    }

    /// Reads until something is decided about each of these streams, in whatever order.
    pub fn outcomes(&mut self, ids: impl IntoIterator<Item = u32>) -> Vec<Outcome> {
        let mut streams: Vec<(u32, u16, Option<Outcome>)> = ids.into_iter().map(|id| (id, 0, None)).collect();
        while streams.iter().any(|(_, _, outcome)| outcome.is_none()) {
            let (kind, flags, of, payload) = match self.read() {
                Ok(frame) if frame.0 != GOAWAY => frame,
                Ok((.., payload)) => return end(&streams, Outcome::GoAway(code(&payload[4..]))),
                Err(_) => return end(&streams, Outcome::Closed),
            };
            let Some((_, status, outcome)) = streams.iter_mut().find(|(id, ..)| *id == of) else { continue };
            match kind {
                RST_STREAM => *outcome = outcome.or(Some(Outcome::Reset(code(&payload)))),
                HEADERS if *status == 0 => *status = read_status(&payload),
                _ => {}
            }
            if matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0 {
                *outcome = Some(Outcome::Status(*status));
            }
        }
        end(&streams, Outcome::Closed)
    }

    /// Reads a frame: its type, flags, stream and payload.
    ///
    /// # Errors
    /// At the end of the connection.
    pub fn read(&mut self) -> io::Result<(u8, u8, u32, Vec<u8>)> {
        take(&mut self.stream)
    }
}

/// Adds a frame to what is to be written.
pub fn put(to: &mut Vec<u8>, kind: u8, flags: u8, id: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    to.extend_from_slice(&[length[1], length[2], length[3], kind, flags]);
    to.extend_from_slice(&id.to_be_bytes());
    to.extend_from_slice(payload);
}

/// Reads a frame: its type, flags, stream and payload.
///
/// # Errors
/// At the end of the connection.
pub fn take(from: &mut impl Read) -> io::Result<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    from.read_exact(&mut head)?;
    let [a, b, c, kind, flags, id @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    from.read_exact(&mut payload)?;
    Ok((kind, flags, u32::from_be_bytes(id) & (u32::MAX >> 1), payload))
}

/// What came of each stream; of those that were not decided, what ended all.
fn end(streams: &[(u32, u16, Option<Outcome>)], end: Outcome) -> Vec<Outcome> {
    streams.iter().map(|(_, _, outcome)| outcome.unwrap_or(end)).collect()
}

/// A block of fields.
pub fn block(fields: &[(impl AsRef<[u8]>, impl AsRef<[u8]>)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        string(&mut block, name.as_ref());
        string(&mut block, value.as_ref());
    }
    block
}

/// Adds a string as it is, with its length as an integer of seven bits and more (RFC 7541 §5.1, §5.2).
pub fn string(block: &mut Vec<u8>, text: &[u8]) {
    match text.len() {
        short @ ..127 => block.push(u8::try_from(short).unwrap_or(0)),
        long => {
            block.push(127);
            let mut rest = long - 127;
            while rest >= 128 {
                block.push(u8::try_from(rest % 128).unwrap_or(0) | 128);
                rest /= 128;
            }
            block.push(u8::try_from(rest).unwrap_or(0));
        }
    }
    block.extend_from_slice(text);
}

fn code(payload: &[u8]) -> u32 {
    payload.get(..4).map_or(u32::MAX, |code| u32::from_be_bytes([code[0], code[1], code[2], code[3]]))
}

/// The status stands first: an entry of the static table, or three digits in Huffman's code or as they are.
fn read_status(block: &[u8]) -> u16 {
    const STATIC: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    match block {
        // First the table may be given another size (RFC 7541 §6.3).
        [0x20..=0x3e, rest @ ..] => read_status(rest),
        [index @ 0x88..=0x8e, ..] => STATIC[usize::from(index - 0x88)],
        [_, length, text @ ..] if length & 0x80 != 0 => huffman_digits(text),
        [_, 3, text @ ..] => text.iter().take(3).fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')),
        _ => 0,
    }
}

/// RFC 7541, appendix B: 0 to 2 take five bits, the other digits six.
fn huffman_digits(text: &[u8]) -> u16 {
    let bits = text.iter().take(3).fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
    let (mut left, mut status) = (8 * text.len().min(3), 0);
    for _ in 0..3 {
        let next = |count: usize| (bits >> (left.saturating_sub(count))) & ((1 << count) - 1);
        let (digit, taken) = if next(5) < 3 { (next(5), 5) } else { (next(6).saturating_sub(0x19) + 3, 6) };
        status = status * 10 + u16::try_from(digit).unwrap_or(0);
        left = left.saturating_sub(taken);
    }
    status
}
