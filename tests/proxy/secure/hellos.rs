//! First messages of a handshake that are too old, too long, or in pieces (rows 149 to 151 of what proxies are tested with).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use system_tests::{PATIENCE, Secure, Upstream};

use super::Edge;

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
/// A record's longest payload (RFC 8446 §5.1).
const RECORD_BYTES_MAX: usize = 1 << 14;

fn record(version: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&[HANDSHAKE, 3, version, length[0], length[1]], payload].concat()
}

/// A first message without extensions: of a client that knows nothing newer than this version.
fn hello(version: u8, compression: u8) -> Vec<u8> {
    let body = [&[3, version][..], &[7; 32], &[0, 0, 4, 0xc0, 0x13, 0, 0x2f, 1, compression]].concat();
    let message = [&[1, 0, 0, u8::try_from(body.len()).unwrap()], &body[..]].concat();
    record(version.min(1), &message)
}

/// Sends bytes and reads to the end.
fn answer(edge: &Edge, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(edge.sluice.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    // It may be refused before all of it is written.
    let _ = socket.write_all(bytes);
    let mut answer = Vec::new();
    if let Err(error) = socket.read_to_end(&mut answer) {
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "the connection does not end");
    }
    answer
}

#[test]
fn versions_before_12_and_compression_get_an_alert() {
    let upstream = Upstream::answering("hello");
    let edge = Edge::start(&[upstream.address]);
    for (version, compression) in [(0, 0), (1, 0), (2, 0), (3, 1)] {
        let answer = answer(&edge, &hello(version, compression));
        assert_eq!(
            answer.first(),
            Some(&ALERT),
            "version 3.{version}, compression {compression}: {answer:?}"
        );
        assert_eq!(answer.get(5), Some(&2), "it is fatal: {answer:?}");
    }
    edge.visitor();
}

#[test]
fn a_first_message_without_end_is_given_up() {
    let upstream = Upstream::answering("hello");
    let edge = Edge::start(&[upstream.address]);
    // It says that sixteen megabytes follow.
    let first = record(1, &[&[1, 0xff, 0xff, 0xff][..], &[0; RECORD_BYTES_MAX - 4]].concat());
    let bytes = [first, record(1, &[0; RECORD_BYTES_MAX]).repeat(7)].concat();
    assert!(bytes.len() > 1 << 16);
    assert_eq!(answer(&edge, &bytes).first().copied().unwrap_or(ALERT), ALERT);
    assert_eq!(upstream.connections(), 0);
    edge.visitor();
}

#[test]
fn a_first_message_in_pieces_of_a_byte_does_no_harm() {
    let upstream = Upstream::answering("hello");
    let edge = Edge::start(&[upstream.address]);
    let mut bytes = Vec::new();
    edge.connect("a.test").write_hello(&mut bytes);
    let pieces: Vec<u8> = bytes[5..].iter().flat_map(|byte| record(1, &[*byte])).collect();
    let mut socket = TcpStream::connect(edge.sluice.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = socket.write_all(&pieces);
    let mut first = [0];
    let _ = socket.read_exact(&mut first);
    assert!([HANDSHAKE, ALERT, 0].contains(&first[0]), "{first:?}");
    edge.visitor();
}

#[test]
fn no_client_may_send_data_that_could_be_sent_again() {
    let upstream = Upstream::answering("hello");
    let edge = Edge::start(&[upstream.address]);
    let mut config = (*edge.authority.client()).clone();
    config.enable_early_data = true;
    let config = Arc::new(config);
    let mut early = [true; 2];
    for early in &mut early {
        let mut client = Secure::connect(edge.sluice.address, "a.test", &config);
        *early = client.may_send_early();
        assert_eq!(client.get("a.test", "/").unwrap().status(), 200);
    }
    assert_eq!(early, [false, false], "the second session is resumed");
}
