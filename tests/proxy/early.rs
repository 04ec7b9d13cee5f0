//! Endpoints that answer before they have read a request, and close: a client that is still sending must see the answer.

use std::net::SocketAddr;
use std::thread;

use bytes::Bytes;
use http_body_util::Full;
use model::Protocol as Spoken;
use proxy::Protocol;
use system_tests::frames::{END_HEADERS, END_STREAM, Frames, HEADERS};
use system_tests::{Client, Http2, Peer, Sluice, Upstream};

const TRIES: usize = 20;
/// More than all buffers on the way take.
const BODY_BYTES: usize = 24 << 20;
const TOO_LARGE: &str = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig";

/// How an endpoint ends a connection whose request it has not read.
const ENDS: [fn(&mut Peer); 2] = [|_| {}, Peer::reset];

fn answering_early(end: fn(&mut Peer)) -> Upstream {
    Upstream::scripted(move |peer| {
        let _ = peer.head().and_then(|_| peer.send(TOO_LARGE));
        end(peer);
    })
}

/// Uploads to it, and what is seen of the answer by a client that looks at it last, like many libraries.
fn upload(to: SocketAddr) -> String {
    let mut client = Client::connect(to);
    client.send(format!("POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: {BODY_BYTES}\r\n\r\n"));
    let piece = vec![b'x'; 64 << 10];
    for _ in 0..BODY_BYTES / piece.len() {
        if let Err(error) = client.try_send(&piece) {
            return error.to_string();
        }
    }
    client.try_response().map_or_else(|error| error.to_string(), |answer| answer.text())
}

#[test]
fn a_client_that_has_sent_all_sees_the_answer_of_an_endpoint_that_has_read_nothing() {
    for end in ENDS {
        let upstream = answering_early(end);
        let sluice = Sluice::start(&[upstream.address]);
        for _ in 0..TRIES / 4 {
            assert_eq!(upload(sluice.address), "big");
        }
    }
}

#[test]
fn a_client_that_reads_while_it_sends_sees_it_too() {
    for end in ENDS {
        let upstream = answering_early(end);
        let sluice = Sluice::start(&[upstream.address]);
        for _ in 0..TRIES {
            let mut client = Client::connect(sluice.address);
            client.send("POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 300000\r\n\r\n");
            let mut sending = client.stream().try_clone().expect("a socket");
            let sender = thread::spawn(move || std::io::Write::write_all(&mut sending, &[b'x'; 300_000]));
            assert_eq!(client.response().text(), "big");
            let _ = sender.join().expect("no panic");
        }
    }
}

fn over_http2(sluice: &Sluice, bytes: usize) -> (u16, Bytes) {
    let mut client = Http2::connect(sluice.address);
    let request = client.request("POST", "host.test", "/").body(Full::from(vec![b'x'; bytes]));
    let answer = client.send(request.expect("a request")).expect("an answer");
    (answer.head.status().as_u16(), answer.body)
}

#[test]
fn over_http2_it_is_seen_too_and_so_is_our_own_refusal() {
    let cleartext = Protocol { http2_cleartext: true, ..Protocol::default() };
    for end in ENDS {
        let upstream = answering_early(end);
        let sluice = Sluice::speaking(cleartext.clone(), |_| {}, &[upstream.address]);
        for _ in 0..TRIES {
            assert_eq!(over_http2(&sluice, 1 << 20), (413, Bytes::from_static(b"big")));
        }
    }
    let sluice = Sluice::speaking(cleartext, |config| config.downstream.body_bytes_max = 4, &[]);
    assert_eq!(over_http2(&sluice, 1 << 20).0, 413);
}

#[test]
fn an_endpoint_of_http2_that_has_answered_and_reads_no_more_holds_no_client() {
    const STATUS_200: &[u8] = &[0x88];
    let upstream = Upstream::scripted(|peer| {
        let mut frames = Frames::accept(&peer.stream).expect("HTTP/2 is spoken");
        while let Ok((kind, _, id, _)) = frames.read() {
            if kind == HEADERS {
                frames.send(HEADERS, END_HEADERS | END_STREAM, id, STATUS_200);
            }
        }
    });
    let sluice = Sluice::start(&[]);
    sluice.publish_speaking(Spoken::Grpc, &[upstream.address]);
    assert_eq!(upload(sluice.address), "", "a whole answer");
}

#[test]
fn an_endpoint_that_answers_no_word_before_it_closes_has_not_answered() {
    for end in ENDS {
        let upstream = Upstream::scripted(move |peer| {
            let _ = peer.head();
            end(peer);
        });
        let sluice = Sluice::start(&[upstream.address]);
        let mut client = Client::connect(sluice.address);
        client.send("POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 300000\r\n\r\n");
        let _ = client.try_send(&[b'x'; 300_000]);
        assert_eq!(client.response().status(), 502);
        assert_eq!(upstream.connections(), 1, "it may have been seen");
    }
}

#[test]
fn a_connection_that_was_written_to_in_vain_is_not_used_again() {
    let upstream = answering_early(|_| {});
    let sluice = Sluice::start(&[upstream.address]);
    for _ in 0..TRIES {
        let mut client = Client::connect(sluice.address);
        client.send("POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 70000\r\n\r\n");
        let _ = client.try_send(&[b'x'; 70_000]);
        assert_eq!(client.response().status(), 413);
    }
    assert_eq!(upstream.connections(), TRIES);
}
