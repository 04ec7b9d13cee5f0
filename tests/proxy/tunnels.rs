//! WebSocket and other switches of protocols: both sides talk through a tunnel, which nothing but its end ends.

use std::time::Duration;

use model::{Policy, Timeouts};
use system_tests::{Client, End, Gate, PATIENCE, Sluice, Upstream, WebSocketUpstream, eventually, sluice};

const ASK: &str = "GET /chat HTTP/1.1\r\nHost: host.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const AGREE: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// An upstream that agrees, says something at once, and then gives back what it hears until it hears `bye`.
fn talking() -> Upstream {
    Upstream::scripted(|peer| {
        let request = peer.request().unwrap();
        assert_eq!(request.field("upgrade").as_deref(), Some("websocket"));
        assert_eq!(request.field("connection").as_deref(), Some("upgrade"));
        assert!(request.field("sec-websocket-key").is_some());
        peer.send(format!("{AGREE}hello")).unwrap();
        while let Ok(heard) = peer.read_some(1 << 16) {
            if heard.is_empty() || heard == b"bye" {
                return;
            }
            let _ = peer.send(heard);
        }
    })
}

/// Switches, and hears the upstream's first word.
fn tunnel(sluice: &Sluice) -> Client {
    let mut client = Client::connect(sluice.address);
    let answer = client.send(ASK).head().unwrap();
    assert_eq!((answer.status(), answer.field("upgrade").as_deref()), (101, Some("websocket")));
    assert_eq!(answer.field("connection").as_deref(), Some("upgrade"));
    assert_eq!(answer.field("sec-websocket-accept").as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(hear(&mut client, 5), b"hello");
    client
}

fn hear(client: &mut Client, length: usize) -> Vec<u8> {
    let mut heard = Vec::new();
    while heard.len() < length {
        heard.extend(client.read_some(length - heard.len()).unwrap());
    }
    heard
}

#[test]
fn both_sides_talk_until_one_ends() {
    let upstream = talking();
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = tunnel(&sluice);
    for word in [&b"\x81\x05first"[..], b"\0\xff\r\n\r\n", &[7; 60_000]] {
        client.send(word);
        assert!(hear(&mut client, word.len()) == word);
    }
    assert_eq!(sluice.metrics().open().1, 1, "a tunnel is in flight");
    client.send("bye");
    assert_eq!(client.rest(), (vec![], End::Clean));
    drop(client);
    eventually("nothing is in flight", || sluice.metrics().open() == (0, 0));
}

#[test]
fn a_client_that_leaves_ends_the_tunnel_and_frees_the_endpoint() {
    let upstream = talking();
    let sluice = Sluice::start(&[upstream.address]);
    drop(tunnel(&sluice));
    eventually("nothing is in flight", || sluice.metrics().open() == (0, 0));
}

#[test]
fn a_publication_touches_no_tunnel() {
    let upstream = talking();
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = tunnel(&sluice);
    sluice.publish(&[]);
    std::thread::sleep(Duration::from_millis(100));
    client.send("still");
    assert_eq!(hear(&mut client, 5), b"still");
}

#[test]
fn a_drain_lets_a_tunnel_be_and_ends_it_in_the_last_part_of_its_time() {
    let upstream = talking();
    let times = |config: &mut proxy::Config| {
        config.idle_timeout = Duration::from_millis(500);
        config.max_request_time = Duration::from_millis(1500);
    };
    let mut sluice = Sluice::with(times, &[upstream.address]);
    let mut client = tunnel(&sluice);
    sluice.drain();
    let since = std::time::Instant::now();
    client.send("still");
    assert_eq!(hear(&mut client, 5), b"still");
    // A new one is taken, too: as long as the listener is open, this is the best place that there is.
    let mut other = tunnel(&sluice);
    assert_eq!(client.rest(), (vec![], End::Clean));
    let lasted = since.elapsed();
    assert!(lasted >= Duration::from_millis(950), "{lasted:?}");
    assert_eq!(other.rest(), (vec![], End::Clean));
    drop((client, other));
    assert_eq!(sluice.finished_within(PATIENCE).expect("no connection is left").cut, 0);
}

#[test]
fn a_tunnel_that_is_silent_for_longer_than_the_proxy_or_its_route_says_is_ended() {
    const IDLE: Duration = Duration::from_secs(1);
    let upstream = talking();
    let limit = |config: &mut proxy::Config| config.downstream.tunnel_idle_timeout = IDLE;
    let by_proxy = Sluice::with(limit, &[upstream.address]);
    let (by_route, timeouts) = (Sluice::start(&[]), Timeouts { tunnel: Some(IDLE), ..Timeouts::default() });
    let policy = Policy { timeouts, ..Policy::default() };
    by_route.publish_table(sluice::table_with(2, policy, &[sluice::ready(upstream.address)]));
    for sluice in [by_proxy, by_route] {
        let mut client = tunnel(&sluice);
        for _ in 0..4 {
            std::thread::sleep(Duration::from_millis(300));
            client.send("x");
            assert_eq!(hear(&mut client, 1), b"x");
        }
        assert_eq!(client.rest(), (vec![], End::Clean));
    }
}

#[test]
fn an_upstream_that_does_not_agree_answers_as_ever_and_the_connection_goes_on() {
    let upstream = Upstream::answering("no");
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    let answer = client.send(ASK).response();
    assert_eq!((answer.status(), answer.text().as_str(), answer.closes()), (200, "no", false));
    assert_eq!(client.get("/").status(), 200);
}

#[test]
fn no_connection_is_upgraded_that_has_not_asked_for_just_that() {
    let upstream = Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            assert_eq!(request.field("upgrade"), None, "{request:?}");
            let _ = peer.send(AGREE);
        }
    });
    let sluice = Sluice::start(&[upstream.address]);
    for fields in [
        "Upgrade: websocket",
        "Connection: upgrade",
        "Connection: upgrade\r\nUpgrade: h2c",
        "Connection: upgrade\r\nUpgrade: websocket, h2c",
        "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c",
    ] {
        let mut client = Client::connect(sluice.address);
        let answer = client.send(format!("GET / HTTP/1.1\r\nHost: host.test\r\n{fields}\r\n\r\n")).response();
        assert_eq!(answer.status(), 502, "{fields}");
    }
    let mut client = Client::connect(sluice.address);
    let with_body = ASK.replace("\r\n\r\n", "\r\nContent-Length: 1\r\n\r\nx");
    assert_eq!(client.send(with_body).response().status(), 502);
}

/// What is no request in any case, and what looks like one.
const EARLY: [&[u8]; 4] =
    [b"EARLY", b"\x81\x85\n\r\n\0", b"GET /smuggled HTTP/1.1\r\nHost: host.test\r\n\r\n", b"\r\n\r\n\r\n"];

#[test]
fn what_is_said_early_is_passed_on_once_the_upstream_agrees_and_not_before() {
    for early in EARLY {
        let gate = Gate::default();
        let (passed, (tell, told)) = (gate.clone(), std::sync::mpsc::channel());
        let upstream = Upstream::scripted(move |peer| {
            let _ = peer.request();
            passed.pass();
            let _ = peer.send(AGREE);
            let mut heard = Vec::new();
            while !heard.ends_with(b"bye") {
                match peer.read_some(1 << 16) {
                    Ok(more) if !more.is_empty() => heard.extend(more),
                    _ => break,
                }
            }
            let _ = tell.send(heard);
        });
        let sluice = Sluice::start(&[upstream.address]);
        let mut client = Client::connect(sluice.address);
        client.send([ASK.as_bytes(), early].concat());
        eventually("the upstream is asked", || upstream.requests() == 1);
        let asked = upstream.received();
        client.send(early);
        assert!(client.is_quiet_for(Duration::from_millis(50)));
        assert_eq!(upstream.received(), asked, "nothing is said before it agrees");
        gate.open();
        assert_eq!(client.head().unwrap().status(), 101);
        client.send("bye");
        let heard = told.recv_timeout(PATIENCE).unwrap();
        assert_eq!(
            heard.escape_ascii().to_string(),
            [early, early, b"bye"].concat().escape_ascii().to_string()
        );
        assert_eq!(upstream.connections(), 1);
    }
}

#[test]
fn an_endpoint_of_either_version_hears_what_was_said_early() {
    for (protocol, upstream) in [
        (model::Protocol::Http, WebSocketUpstream::start()),
        (model::Protocol::Grpc, WebSocketUpstream::over_http2(true)),
    ] {
        let sluice = Sluice::start(&[]);
        sluice.publish_speaking(protocol, &[upstream.address]);
        let mut client = Client::connect(sluice.address);
        client.send([ASK.as_bytes(), b"\x81\x85\0\0\0\0early"].concat());
        assert_eq!(client.head().unwrap().status(), 101);
        assert_eq!(hear(&mut client, 7), b"\x81\x05early");
    }
}

#[test]
fn more_may_be_said_early_than_is_held() {
    let upstream = Upstream::scripted(|peer| {
        let _ = peer.request();
        let _ = peer.send(AGREE);
        let mut left = 1_000_000;
        while left > 0 {
            match peer.read_some(1 << 16) {
                Ok(more) if !more.is_empty() && more.iter().all(|byte| *byte == 7) => left -= more.len(),
                _ => return,
            }
        }
        let _ = peer.send("all");
    });
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.send([ASK.as_bytes(), &[7; 1_000_000]].concat());
    assert_eq!(client.head().unwrap().status(), 101);
    assert_eq!(hear(&mut client, 3), b"all");
}

#[test]
fn what_is_said_before_the_upstream_has_declined_is_no_request() {
    for early in EARLY {
        let gate = Gate::default();
        let upstream = Upstream::gated(&gate, "no");
        let sluice = Sluice::start(&[upstream.address]);
        let mut client = Client::connect(sluice.address);
        client.send([ASK.as_bytes(), early].concat());
        eventually("the upstream is asked", || upstream.requests() == 1);
        gate.open();
        let answer = client.response();
        assert_eq!((answer.status(), answer.text().as_str(), answer.closes()), (200, "no", true));
        assert_eq!(client.rest(), (vec![], End::Clean));
        sluice.publish(&[]);
        let mut client = Client::connect(sluice.address);
        let answer = client.send([ASK.as_bytes(), early].concat()).response();
        assert_eq!((answer.status(), answer.closes()), (503, true));
        assert_eq!(client.rest(), (vec![], End::Clean));
        assert_eq!(upstream.requests(), 1);
    }
}

#[test]
fn what_stands_behind_an_upgrade_that_is_not_granted_is_the_next_request() {
    let upstream = Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let _ = peer.respond(request.target());
        }
    });
    let sluice = Sluice::start(&[upstream.address]);
    let next = "GET /2 HTTP/1.1\r\nHost: host.test\r\n\r\nGET /3 HTTP/1.1\r\nHost: host.test\r\n\r\n";
    for fields in
        ["Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA", "Upgrade: other/1"]
    {
        let mut client = Client::connect(sluice.address);
        client.send(format!("GET /1 HTTP/1.1\r\nHost: host.test\r\n{fields}\r\n\r\n{next}"));
        for target in ["/1", "/2", "/3"] {
            let answer = client.response();
            assert_eq!((answer.text().as_str(), answer.closes()), (target, false), "{fields}");
        }
        assert_eq!(client.get("/4").text(), "/4", "{fields}");
    }
    // More of them than are handed on at a time.
    let wish = "GET /1 HTTP/1.1\r\nHost: host.test\r\nUpgrade: h2c\r\n\r\nGET /2 HTTP/1.1\r\nHost: host.test\r\n\r\n";
    let mut client = Client::connect(sluice.address);
    client.send(wish.repeat(600));
    for _ in 0..600 {
        assert_eq!((client.response().text(), client.response().text()), ("/1".into(), "/2".into()));
    }
    // A request that is under way is not made to wait, or to end, by the wish of one behind it.
    let mut client = Client::connect(sluice.address);
    client.send(format!("GET /1 HTTP/1.1\r\nHost: host.test\r\n\r\n{ASK}"));
    for target in ["/1", "/chat"] {
        let answer = client.response();
        assert_eq!((answer.text().as_str(), answer.closes()), (target, false));
    }
}
