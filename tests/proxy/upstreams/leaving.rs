//! Connections of HTTP/2 that their endpoint does not keep: none of them is chosen again, and what was not seen on one is sent
//! on another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use model::Protocol as Speaks;
use proxy::{Config, Protocol};
use rustls::ServerConfig;
use system_tests::frames::{ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, SETTINGS, block};
use system_tests::{Authority, Client, Ending, Frames, Gate, LeavingUpstream, Sluice, Upstream, eventually};

const RETRIES: &str = "sluicegate_retries_total";
const STATUS_200: u8 = 0x88;

fn tls() -> Arc<ServerConfig> {
    let authority = Authority::new();
    let (chain, key) = authority.certify(&["any.test"]);
    Arc::new(authority.server(&chain, &key, b"h2"))
}

fn sluice(change: impl FnOnce(&mut Config), speaks: Speaks, upstreams: &[&LeavingUpstream]) -> Sluice {
    let sluice = Sluice::with(change, &[]);
    let addresses: Vec<_> = upstreams.iter().map(|upstream| upstream.address).collect();
    sluice.publish_speaking(speaks, &addresses);
    sluice
}

fn post(client: &mut Client, body: &str) -> (u16, String) {
    let length = body.len();
    client.send(format!("POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: {length}\r\n\r\n{body}"));
    let answer = client.response();
    (answer.status(), answer.text())
}

#[test]
fn however_an_endpoint_ends_its_connections_that_costs_no_request_of_any_method() {
    for ending in Ending::ALL {
        for (speaks, tls) in [(Speaks::Grpc, None), (Speaks::Grpcs, Some(tls()))] {
            let upstream = LeavingUpstream::start(2, ending, tls);
            let sluice = sluice(|_| {}, speaks, &[&upstream]);
            let mut client = Client::connect(sluice.address);
            for turn in 1..=10 {
                assert_eq!(post(&mut client, "body"), (200, "body".to_owned()), "{ending:?} {speaks:?}");
                assert_eq!(upstream.answered(), turn, "{ending:?} {speaks:?}: each is seen once");
                // A request that comes together with an end without a word may be written before that is read.
                if ending == Ending::Close {
                    eventually("it is closed", || upstream.ended() == turn / 2);
                }
            }
            assert!((5..=10).contains(&upstream.connections()), "{ending:?} {speaks:?}");
        }
    }
}

#[test]
fn requests_that_come_at_the_same_time_as_goodbyes_are_all_answered_and_each_is_seen_once() {
    for ending in [Ending::GoodbyeAndClose, Ending::Goodbye, Ending::GoodbyeTwice, Ending::Refuse] {
        let upstreams = [0; 3].map(|_| LeavingUpstream::start(20, ending, None));
        let sluice = sluice(|_| {}, Speaks::Grpc, &upstreams.each_ref());
        let address = sluice.address;
        let clients: Vec<_> = (0..16)
            .map(|_| {
                thread::spawn(move || {
                    let mut client = Client::connect(address);
                    let answers = (0..40).map(|_| post(&mut client, "body"));
                    answers.filter(|(status, _)| *status != 200).collect::<Vec<_>>()
                })
            })
            .collect();
        let failed: Vec<_> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        assert_eq!(failed, [], "{ending:?}");
        assert_eq!(upstreams.iter().map(LeavingUpstream::answered).sum::<usize>(), 16 * 40, "{ending:?}");
        let connections: usize = upstreams.iter().map(LeavingUpstream::connections).sum();
        assert!(connections < 16 * 40 / 4, "{ending:?}: {connections} connections");
    }
}

/// An upstream whose first connection holds the first request back, answers the second, and says that this was the last. It
/// tells when that is known.
fn holding(gate: &Gate, known: &Arc<AtomicBool>) -> Upstream {
    let (gate, known) = (gate.clone(), Arc::clone(known));
    Upstream::scripted(move |peer| {
        let first = peer.place == 0;
        let Ok(mut frames) = Frames::accept(&mut peer.stream) else { return };
        loop {
            match frames.read() {
                Ok((SETTINGS, flags, ..)) if flags & ACK == 0 => frames.send(SETTINGS, ACK, 0, b""),
                Ok((HEADERS, _, 1, _)) if first => {}
                Ok((HEADERS, _, id, _)) => {
                    frames.send(HEADERS, END_HEADERS | END_STREAM, id, &[STATUS_200]);
                    if first {
                        frames.send(GOAWAY, 0, 0, &[id.to_be_bytes(), [0; 4]].concat());
                        frames.send(PING, 0, 0, b"is it so");
                    }
                }
                Ok((PING, ACK, ..)) => {
                    known.store(true, Ordering::SeqCst);
                    gate.pass();
                    frames.send(HEADERS, END_HEADERS, 1, &[STATUS_200]);
                    frames.send(DATA, END_STREAM, 1, b"at last");
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    })
}

#[test]
fn what_began_before_a_goodbye_is_answered_on_its_connection_which_carries_nothing_else() {
    let (gate, known) = (Gate::default(), Arc::default());
    let upstream = holding(&gate, &known);
    let sluice = Sluice::start(&[]);
    sluice.publish_speaking(Speaks::Grpc, &[upstream.address]);
    let mut clients = [0; 2].map(|_| Client::connect(sluice.address));
    clients[0].request("POST", "/");
    eventually("it has begun", || upstream.connections() == 1);
    assert_eq!(clients[1].request("POST", "/").response().status(), 200);
    eventually("the goodbye is known", || known.load(Ordering::SeqCst));
    for _ in 0..5 {
        assert_eq!(clients[1].request("POST", "/").response().status(), 200);
    }
    assert_eq!((upstream.connections(), sluice.count(RETRIES)), (2, 0));
    gate.open();
    assert_eq!(clients[0].response().text(), "at last");
    eventually("then it is closed", || upstream.ended() == 1);
}

/// An upstream whose first connection says that it has looked at none of so many requests, when all of them have come.
fn refusing_all(requests: usize) -> Upstream {
    Upstream::scripted(move |peer| {
        let (first, mut begun) = (peer.place == 0, 0);
        let Ok(mut frames) = Frames::accept(&mut peer.stream) else { return };
        loop {
            match frames.read() {
                Ok((SETTINGS, flags, ..)) if flags & ACK == 0 => frames.send(SETTINGS, ACK, 0, b""),
                Ok((HEADERS, ..)) if first => {
                    begun += 1;
                    if begun == requests {
                        frames.send(GOAWAY, 0, 0, &[0; 8]);
                    }
                }
                Ok((HEADERS, _, id, _)) => {
                    frames.send(HEADERS, END_HEADERS | END_STREAM, id, &[STATUS_200]);
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    })
}

#[test]
fn requests_that_are_refused_at_the_same_time_share_the_connection_that_is_opened_for_them() {
    let upstream = refusing_all(8);
    let sluice = Sluice::start(&[]);
    sluice.publish_speaking(Speaks::Grpc, &[upstream.address]);
    let mut clients: Vec<_> = (0..8).map(|_| Client::connect(sluice.address)).collect();
    for client in &mut clients {
        client.request("POST", "/");
    }
    for client in &mut clients {
        assert_eq!(client.response().status(), 200);
    }
    assert_eq!((upstream.connections(), sluice.count(RETRIES)), (2, 8));
}

/// An upstream that says goodbye as soon as it has said what it takes.
fn about_to_end() -> Upstream {
    const SETTINGS_AND_GOAWAY: &[u8] = b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0";
    Upstream::scripted(|peer| {
        // Both at once.
        let _ = peer.send(SETTINGS_AND_GOAWAY);
        peer.discard();
    })
}

#[test]
fn an_endpoint_that_takes_connections_only_to_end_them_costs_no_request_while_there_is_another() {
    let ending = about_to_end();
    let good = LeavingUpstream::start(usize::MAX, Ending::Close, None);
    let sluice = Sluice::start(&[]);
    sluice.publish_speaking(Speaks::Grpc, &[ending.address, good.address]);
    let mut client = Client::connect(sluice.address);
    for _ in 0..20 {
        assert_eq!(post(&mut client, "body").0, 200);
    }
    sluice.publish_speaking(Speaks::Grpc, &[ending.address]);
    let connections = ending.connections();
    assert_eq!(post(&mut client, "body").0, 502, "alone it is given up");
    assert!(ending.connections() - connections <= 10, "after few tries");
}

/// An upstream that takes one request at a time, answers before it is whole, and never says that it does not want the rest.
fn hasty() -> Upstream {
    Upstream::scripted(|peer| {
        const ONE_STREAM: [u8; 6] = [0, 3, 0, 0, 0, 1];
        let Ok(mut frames) = Frames::accept(&mut peer.stream) else { return };
        frames.send(SETTINGS, 0, 0, &ONE_STREAM);
        loop {
            match frames.read() {
                Ok((SETTINGS, flags, ..)) if flags & ACK == 0 => frames.send(SETTINGS, ACK, 0, b""),
                Ok((HEADERS, _, id, _)) => {
                    frames.send(HEADERS, END_HEADERS | END_STREAM, id, &[STATUS_200]);
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    })
}

#[test]
fn a_stream_whose_request_goes_on_behind_its_answer_takes_a_place_and_no_other_request_waits_behind_it() {
    let upstream = hasty();
    let speaks = Protocol { http2_cleartext: true, ..Protocol::default() };
    let sluice = Sluice::speaking(speaks, |_| {}, &[]);
    sluice.publish_speaking(Speaks::Grpc, &[upstream.address]);
    let mut early = Frames::connect(sluice.address);
    let head = [(":method", "POST"), (":scheme", "http"), (":authority", "host.test"), (":path", "/")];
    // Its body never ends, so for the endpoint's side its stream does not either.
    early.send(HEADERS, END_HEADERS, 1, &block(&head));
    assert_eq!(early.outcome(1), system_tests::frames::Outcome::Status(200));
    // On the first connection it could be written at any later time, and so be seen twice.
    assert_eq!(Client::connect(sluice.address).request("POST", "/").response().status(), 200);
    assert_eq!((upstream.connections(), sluice.count(RETRIES)), (2, 0));
}
