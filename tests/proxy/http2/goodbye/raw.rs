//! A client of HTTP/2 that writes and reads frame by frame.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use system_tests::frames::take;
pub(super) use system_tests::frames::{
    ACK, DATA, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, SETTINGS, WINDOW_UPDATE,
};
use system_tests::{PATIENCE, Sluice};

pub(super) const EMPTY_SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
/// The largest number of a stream: no stream is refused yet.
pub(super) const ANY_STREAM: u32 = (1 << 31) - 1;

/// A client that writes and reads frames.
pub(super) struct Raw(pub(super) BufReader<TcpStream>);

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

impl Raw {
    pub(super) fn connect(sluice: &Sluice) -> Raw {
        let socket = TcpStream::connect(sluice.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        Raw(BufReader::new(socket))
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// Connects, and says what comes before requests.
    pub(super) fn greet(sluice: &Sluice) -> Raw {
        let mut client = Raw::connect(sluice);
        client.send(PREFACE);
        client.send(EMPTY_SETTINGS);
        client
    }

    /// Asks for `http://h/` on this stream.
    pub(super) fn ask(&mut self, stream: u8) {
        self.send(&[0, 0, 6, HEADERS, 5, 0, 0, 0, stream, 0x82, 0x86, 0x84, 0x41, 1, b'h']);
    }

    /// Asks for it on this stream and on the next, in one piece.
    pub(super) fn ask_twice(&mut self, first: u8) {
        let ask = |stream| [0, 0, 6, HEADERS, 5, 0, 0, 0, stream, 0x82, 0x86, 0x84, 0x41, 1, b'h'];
        self.send(&[ask(first), ask(first + 2)].concat());
    }

    /// The next frame; `None` at the end of the connection.
    pub(super) fn frame(&mut self) -> Option<Frame> {
        if self.0.fill_buf().unwrap().is_empty() {
            return None;
        }
        let (kind, flags, stream, payload) = take(&mut self.0).unwrap();
        Some(Frame { kind, flags, stream, payload })
    }

    /// Reads on until there is a frame like this.
    pub(super) fn until(&mut self, like: impl Fn(&Frame) -> bool) -> Frame {
        loop {
            let frame = self.frame().expect("the connection goes on");
            if like(&frame) {
                return frame;
            }
        }
    }

    /// Reads on until this stream is answered with 200, the eighth entry of HPACK's static table.
    pub(super) fn is_answered(&mut self, stream: u32) {
        let head = self.until(|frame| frame.kind == HEADERS && frame.stream == stream);
        assert_eq!(head.payload[0], 0x88, "{head:?}");
    }

    /// Reads on until this stream has its whole answer.
    pub(super) fn has_its_answer(&mut self, stream: u32) {
        self.is_answered(stream);
        self.until(|frame| frame.kind == DATA && frame.stream == stream && frame.flags & END_STREAM != 0);
    }

    /// Reads on until the goodbye, without a question for a sign of life before it; returns the last stream that is served.
    pub(super) fn goodbye(&mut self) -> u32 {
        let goodbye = self.until(|frame| frame.kind == GOAWAY || is_question(frame));
        last_stream(&goodbye)
    }

    /// Reads on until that question, and answers it.
    pub(super) fn answers_the_question(&mut self) {
        let question = self.until(is_question);
        self.send(&[0, 0, 8, PING, ACK, 0, 0, 0, 0]);
        self.send(&question.payload);
    }

    /// Nothing comes but the end of the connection.
    pub(super) fn has_ended(&mut self) {
        if let Some(frame) = self.frame() {
            panic!("{frame:?} behind the end");
        }
    }
}

fn is_question(frame: &Frame) -> bool {
    frame.kind == PING && frame.flags & ACK == 0
}

fn last_stream(goodbye: &Frame) -> u32 {
    assert_eq!(goodbye.kind, GOAWAY, "{goodbye:?}");
    assert_eq!(goodbye.payload[4..8], [0; 4], "no error: {goodbye:?}");
    u32::from_be_bytes(goodbye.payload[..4].try_into().unwrap())
}
