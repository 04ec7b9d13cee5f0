//! Frame by frame: what a client may still send while a drain says goodbye, and is answered.

use std::io::{Read, Write};
use std::net::TcpStream;

use system_tests::{PATIENCE, Sluice, Upstream, eventually};

use super::sluice;

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

/// A client that writes and reads frames.
struct Raw(TcpStream);

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
        Raw(socket)
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// Asks for `http://h/` on this stream.
    fn ask(&mut self, stream: u8) {
        self.send(&[0, 0, 6, HEADERS, 5, 0, 0, 0, stream, 0x82, 0x86, 0x84, 0x41, 1, b'h']);
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

    /// Reads on until the goodbye; returns the last stream that is served.
    fn goodbye(&mut self) -> u32 {
        let goodbye = self.until(|frame| frame.kind == GOAWAY);
        assert_eq!(goodbye.payload[4..8], [0; 4], "no error: {goodbye:?}");
        u32::from_be_bytes(goodbye.payload[..4].try_into().unwrap())
    }
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
fn a_request_that_crosses_the_goodbye_on_its_way_is_answered() {
    let upstream = Upstream::answering("hello");
    let mut sluice = sluice(&upstream);
    let mut client = Raw::connect(&sluice);
    client.send(PREFACE);
    client.send(EMPTY_SETTINGS);
    client.ask(1);
    client.is_answered(1);
    sluice.drain();
    assert_eq!(client.goodbye(), ANY_STREAM);
    let ping = client.until(|frame| frame.kind == PING && frame.flags & ACK == 0);
    // The client has not seen the goodbye yet, as far as the other side can know.
    client.ask(3);
    client.is_answered(3);
    // Only now it has.
    client.send(&[0, 0, 8, PING, ACK, 0, 0, 0, 0]);
    client.send(&ping.payload);
    assert_eq!(client.goodbye(), 3);
    while client.frame().is_some() {}
    drop(client);
    assert_eq!(sluice.finished_within(PATIENCE).expect("nobody is left").cut, 0);
    assert_eq!(upstream.requests(), 2);
}

#[test]
fn the_end_of_an_answer_that_waits_for_its_client_is_waited_for_after_the_goodbye() {
    const WINDOW: u32 = 100;
    let body = "x".repeat(4_000);
    let upstream = Upstream::answering(&body);
    let mut sluice = sluice(&upstream);
    let mut client = Raw::connect(&sluice);
    client.send(PREFACE);
    client.send(&[&[0, 0, 6, SETTINGS, 0, 0, 0, 0, 0, 0, 4][..], &WINDOW.to_be_bytes()].concat());
    client.ask(1);
    client.is_answered(1);
    let data = |frame: &Frame| frame.kind == DATA && frame.stream == 1;
    let mut came = client.until(data).payload.len();
    eventually("all of it is here", || sluice.metrics().open().1 == 0);
    sluice.drain();
    assert_eq!(client.goodbye(), ANY_STREAM);
    let ping = client.until(|frame| frame.kind == PING && frame.flags & ACK == 0);
    client.send(&[0, 0, 8, PING, ACK, 0, 0, 0, 0]);
    client.send(&ping.payload);
    // Longer than one who carries nothing would be waited for.
    std::thread::sleep(std::time::Duration::from_secs(6));
    client.send(&[&[0, 0, 4, WINDOW_UPDATE, 0, 0, 0, 0, 1][..], &20_000_u32.to_be_bytes()].concat());
    while came < body.len() {
        came += client.until(data).payload.len();
    }
    while client.frame().is_some() {}
    drop(client);
    assert_eq!(sluice.finished_within(PATIENCE).expect("nobody is left").cut, 0);
}
