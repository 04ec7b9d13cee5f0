//! Frame by frame: when and how a drain says goodbye, and what a client may still send and is answered.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use system_tests::{Gate, PATIENCE, Sluice, Upstream, eventually};

use super::{sluice, sluice_with};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const EMPTY_SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
/// The largest number of a stream: no stream is refused yet.
const ANY_STREAM: u32 = (1 << 31) - 1;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;

/// A client that writes and reads frames.
struct Raw(BufReader<TcpStream>);

#[derive(Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Raw {
    fn connect(sluice: &Sluice) -> Raw {
        let socket = TcpStream::connect(sluice.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        Raw(BufReader::new(socket))
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// Connects, and says what comes before requests.
    fn greet(sluice: &Sluice) -> Raw {
        let mut client = Raw::connect(sluice);
        client.send(PREFACE);
        client.send(EMPTY_SETTINGS);
        client
    }

    /// Asks for `http://h/` on this stream.
    fn ask(&mut self, stream: u8) {
        self.send(&[0, 0, 6, HEADERS, 5, 0, 0, 0, stream, 0x82, 0x86, 0x84, 0x41, 1, b'h']);
    }

    /// Asks for it on this stream and on the next, in one piece.
    fn ask_twice(&mut self, first: u8) {
        let ask = |stream| [0, 0, 6, HEADERS, 5, 0, 0, 0, stream, 0x82, 0x86, 0x84, 0x41, 1, b'h'];
        self.send(&[ask(first), ask(first + 2)].concat());
    }

    /// The next frame; `None` at the end of the connection.
    fn frame(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        match self.0.read(&mut head[..1]).unwrap() {
            0 => return None,
            _ => self.0.read_exact(&mut head[1..]).unwrap(),
        }
        let [length @ .., _, _, _, _, _, _] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, length[0], length[1], length[2]]) as usize];
        self.0.read_exact(&mut payload).unwrap();
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// Reads on until there is a frame like this.
    fn until(&mut self, like: impl Fn(&Frame) -> bool) -> Frame {
        loop {
            let frame = self.frame().expect("the connection goes on");
            if like(&frame) {
                return frame;
            }
        }
    }

    /// Reads on until this stream is answered with 200, the eighth entry of HPACK's static table.
    fn is_answered(&mut self, stream: u32) {
        let head = self.until(|frame| frame.kind == HEADERS && frame.stream == stream);
        assert_eq!(head.payload[0], 0x88, "{head:?}");
    }

    /// Reads on until this stream has its whole answer.
    fn has_its_answer(&mut self, stream: u32) {
        self.is_answered(stream);
        self.until(|frame| frame.kind == DATA && frame.stream == stream && frame.flags & END_STREAM != 0);
    }

    /// Reads on until the goodbye, without a question for a sign of life before it; returns the last stream that is served.
    fn goodbye(&mut self) -> u32 {
        let goodbye = self.until(|frame| frame.kind == GOAWAY || is_question(frame));
        last_stream(&goodbye)
    }

    /// Reads on until that question, and answers it.
    fn answers_the_question(&mut self) {
        let question = self.until(is_question);
        self.send(&[0, 0, 8, PING, ACK, 0, 0, 0, 0]);
        self.send(&question.payload);
    }

    /// Nothing comes but the end of the connection.
    fn has_ended(&mut self) {
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

fn nothing_was_cut(sluice: &mut Sluice) {
    assert_eq!(sluice.finished_within(PATIENCE).expect("no connection is left").cut, 0);
}

/// How many bytes of a body each stream may have at first.
fn window(bytes: u32) -> Vec<u8> {
    [&[0, 0, 6, SETTINGS, 0, 0, 0, 0, 0, 0, 4][..], &bytes.to_be_bytes()].concat()
}

fn more(stream: u8, bytes: u32) -> Vec<u8> {
    [&[0, 0, 4, WINDOW_UPDATE, 0, 0, 0, 0, stream][..], &bytes.to_be_bytes()].concat()
}

#[test]
fn half_a_preface_that_came_before_the_drain_is_waited_for_and_what_follows_is_served() {
    let upstream = Upstream::answering("hello");
    let sluice = sluice(&upstream);
    let mut client = Raw::connect(&sluice);
    client.send(&PREFACE[..5]);
    eventually("it is accepted", || sluice.metrics().open().0 == 1);
    // Read as well, or about to be: both must end well.
    std::thread::sleep(std::time::Duration::from_millis(100));
    sluice.drain();
    std::thread::sleep(std::time::Duration::from_millis(100));
    client.send(&PREFACE[5..]);
    client.send(EMPTY_SETTINGS);
    client.ask(1);
    client.is_answered(1);
}

#[test]
fn the_goodbye_comes_in_one_piece_with_the_end_of_an_answer_and_alone() {
    let upstream = Upstream::answering("hello");
    let mut sluice = sluice(&upstream);
    let mut client = Raw::greet(&sluice);
    client.ask(1);
    client.has_its_answer(1);
    sluice.drain();
    // A client that asks one thing after the other reads it before it asks again.
    let mut stream = 1;
    while client.0.buffer().is_empty() {
        std::thread::sleep(Duration::from_millis(100));
        assert!(client.0.buffer().is_empty() && stream < 251, "no goodbye came");
        stream += 2;
        client.ask(stream);
        client.has_its_answer(stream.into());
    }
    assert_eq!(client.0.buffer().len(), 17, "a GOAWAY, and nothing behind it: {:?}", client.0.buffer());
    assert_eq!(client.goodbye(), ANY_STREAM);
    // It stays without a word: then the last stream is named, and the connection ends.
    assert_eq!(client.goodbye(), u32::from(stream));
    client.has_ended();
    drop(client);
    nothing_was_cut(&mut sluice);
}

#[test]
fn a_silent_connection_is_told_without_a_question_and_what_crosses_is_answered() {
    let upstream = Upstream::answering("hello");
    let mut sluice = sluice(&upstream);
    let mut client = Raw::greet(&sluice);
    client.ask(1);
    client.has_its_answer(1);
    sluice.drain();
    assert_eq!(client.goodbye(), ANY_STREAM);
    // The client has not seen the goodbye yet, as far as the other side can know.
    client.ask(3);
    client.has_its_answer(3);
    assert_eq!(client.goodbye(), 3);
    // What comes now was not seen, and the client knows.
    client.ask(5);
    client.has_ended();
    drop(client);
    nothing_was_cut(&mut sluice);
    assert_eq!(upstream.requests(), 2);
}

#[test]
fn a_client_with_two_requests_at_a_time_is_told_in_silence() {
    let upstream = Upstream::answering("hello");
    let mut sluice = sluice_with(|config| config.downstream.http2.goodbye_wait = PATIENCE * 10, &upstream);
    let mut client = Raw::greet(&sluice);
    sluice.drain();
    let since = Instant::now();
    // For longer than the goodbye is spread.
    for first in (1..).step_by(4) {
        client.ask_twice(first);
        let mut ends = 0;
        while ends < 2 {
            let frame = client
                .until(|frame| frame.kind == GOAWAY || frame.flags & END_STREAM != 0 && frame.kind == DATA);
            assert_eq!(frame.kind, DATA, "while it may be about to ask again");
            ends += 1;
        }
        if since.elapsed() > Duration::from_secs(11) {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(client.goodbye(), ANY_STREAM);
    drop(client);
    nothing_was_cut(&mut sluice);
}

#[test]
fn a_connection_that_never_spoke_is_told_and_ended_too() {
    let upstream = Upstream::answering("hello");
    let mut sluice = sluice(&upstream);
    let mut client = Raw::greet(&sluice);
    sluice.drain();
    assert_eq!(client.goodbye(), ANY_STREAM);
    assert_eq!(client.goodbye(), 0);
    client.has_ended();
    drop(client);
    nothing_was_cut(&mut sluice);
}

#[test]
fn a_connection_that_is_never_without_a_stream_is_told_in_two_steps_after_a_time_with_a_name() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let mut sluice = sluice_with(|config| config.downstream.http2.goodbye_wait = Duration::ZERO, &upstream);
    let mut client = Raw::greet(&sluice);
    client.ask(1);
    eventually("the request is in flight", || upstream.requests() == 1);
    sluice.drain();
    assert_eq!(client.goodbye(), ANY_STREAM);
    // Not seen yet, as far as the other side can know.
    client.ask(3);
    client.answers_the_question();
    assert_eq!(client.goodbye(), 3);
    gate.open();
    client.is_answered(1);
    while client.frame().is_some() {}
    drop(client);
    nothing_was_cut(&mut sluice);
    assert_eq!(upstream.requests(), 2);
}

#[test]
fn a_client_that_goes_on_after_its_goodbye_is_told_in_the_end_which_stream_was_the_last() {
    let upstream = Upstream::answering("hello");
    let mut sluice = sluice_with(|config| config.downstream.http2.goodbye_wait = Duration::ZERO, &upstream);
    let mut client = Raw::greet(&sluice);
    sluice.drain();
    assert_eq!(client.goodbye(), ANY_STREAM);
    let mut stream = 1;
    loop {
        client.ask(stream);
        let ends = |frame: &Frame| frame.kind == DATA && frame.flags & END_STREAM != 0;
        if client.until(|frame| frame.kind == GOAWAY || ends(frame)).kind == GOAWAY {
            break;
        }
        stream += 2;
    }
    client.answers_the_question();
    assert_eq!(client.goodbye(), u32::from(stream));
    drop(client);
    nothing_was_cut(&mut sluice);
}

#[test]
fn the_goodbye_waits_for_the_end_of_an_answer_that_waits_for_its_client() {
    let body = "x".repeat(4_000);
    let upstream = Upstream::answering(&body);
    let mut sluice = sluice_with(|config| config.downstream.http2.goodbye_wait = PATIENCE * 10, &upstream);
    let mut client = Raw::connect(&sluice);
    client.send(PREFACE);
    client.send(&window(100));
    client.ask(1);
    client.is_answered(1);
    let data = |frame: &Frame| frame.kind == DATA && frame.stream == 1;
    let mut came = client.until(data).payload.len();
    eventually("all of it is here", || sluice.metrics().open().1 == 0);
    sluice.drain();
    // Longer than the goodbye is spread.
    std::thread::sleep(Duration::from_secs(11));
    client.send(&more(1, 20_000));
    while came < body.len() {
        let frame = client.until(|frame| data(frame) || frame.kind == GOAWAY);
        assert_eq!(frame.kind, DATA, "in the middle of an answer");
        came += frame.payload.len();
    }
    assert_eq!(client.goodbye(), ANY_STREAM);
    drop(client);
    nothing_was_cut(&mut sluice);
}

#[test]
fn the_end_of_an_answer_that_waits_for_its_client_is_waited_for_after_the_goodbye() {
    let body = "x".repeat(4_000);
    let upstream = Upstream::answering(&body);
    let mut sluice = sluice_with(|config| config.downstream.http2.goodbye_wait = Duration::ZERO, &upstream);
    let mut client = Raw::connect(&sluice);
    client.send(PREFACE);
    client.send(&window(100));
    client.ask(1);
    client.is_answered(1);
    let data = |frame: &Frame| frame.kind == DATA && frame.stream == 1;
    let mut came = client.until(data).payload.len();
    eventually("all of it is here", || sluice.metrics().open().1 == 0);
    sluice.drain();
    assert_eq!(client.goodbye(), ANY_STREAM);
    client.answers_the_question();
    // Longer than one that carries nothing would be waited for.
    std::thread::sleep(Duration::from_secs(6));
    client.send(&more(1, 20_000));
    while came < body.len() {
        came += client.until(data).payload.len();
    }
    while client.frame().is_some() {}
    drop(client);
    nothing_was_cut(&mut sluice);
}

#[test]
fn a_client_that_stops_in_the_middle_of_a_frame_is_not_waited_for() {
    let upstream = Upstream::answering("hello");
    let mut sluice = sluice_with(|config| config.idle_timeout = PATIENCE * 10, &upstream);
    let mut client = Raw::greet(&sluice);
    client.ask(1);
    client.has_its_answer(1);
    client.send(&[0, 0, 6, HEADERS, 5]);
    sluice.drain();
    assert_eq!(client.goodbye(), ANY_STREAM);
    client.has_ended();
    drop(client);
    nothing_was_cut(&mut sluice);
}
