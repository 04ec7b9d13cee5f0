//! What an upstream may not send: the client gets 502, no other client notices, and the connection is not used again.

use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use model::Protocol;
use proxy::Config;
use system_tests::frames::{END_HEADERS, END_STREAM, Frames, HEADERS, block};
use system_tests::{Client, Gate, PATIENCE, Sluice, Upstream, eventually};

/// Answers that are none (rows 114 and 117 to 121 of what proxies are tested with).
fn bad_heads() -> Vec<(u32, Vec<u8>)> {
    let ok = "HTTP/1.1 200 OK\r\n";
    let mut all: Vec<(u32, String)> = [
        (114, "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
        (114, "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
        (114, "Content-Length: 5, 5\r\n\r\nhello"),
        (114, "Content-Length: 5, 6\r\n\r\nhello"),
        (114, "Content-Length: -5\r\n\r\nhello"),
        (114, "Content-Length: +5\r\n\r\nhello"),
        (114, "Content-Length: 0x5\r\n\r\nhello"),
        (114, "Content-Length: 5x\r\n\r\nhello"),
        (114, "Content-Length:\r\n\r\nhello"),
        (114, "Content-Length: 18446744073709551621\r\n\r\nhello"),
        (114, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        (114, "Transfer-Encoding: chunked\r\nContent-Length: 50\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        (114, "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        (114, "Transfer-Encoding: gzip\r\n\r\nhello"),
        (114, "Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        (114, "Transfer-Encoding: chunked, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        (114, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        (114, "Transfer-Encoding: chunked, identity\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        (114, "Transfer-Encoding: xchunked\r\n\r\nhello"),
        (121, "X: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
        (121, "X: a\rY: b\r\nContent-Length: 0\r\n\r\n"),
        (121, "X: a\0b\r\nContent-Length: 0\r\n\r\n"),
        (121, "X : a\r\nContent-Length: 0\r\n\r\n"),
        (121, "X\r\nContent-Length: 0\r\n\r\n"),
        (121, ": a\r\nContent-Length: 0\r\n\r\n"),
        (121, " X: a\r\nContent-Length: 0\r\n\r\n"),
    ]
    .map(|(row, rest)| (row, format!("{ok}{rest}")))
    .into();
    all.extend(
        [
            (114, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            (118, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
            (120, "HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n"),
            (120, "HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n"),
            (120, "HTTP/1.1 2000 High\r\nContent-Length: 0\r\n\r\n"),
            (120, "HTTP/1.1 abc Odd\r\nContent-Length: 0\r\n\r\n"),
            (120, "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n"),
            (120, "HTTP/1.1200 OK\r\nContent-Length: 0\r\n\r\n"),
            (120, "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
            (120, "HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n"),
            (120, "ICY 200 OK\r\nContent-Length: 0\r\n\r\n"),
            (120, "<html>hello</html>"),
            (120, "\0\0\0\0"),
        ]
        .map(|(row, head)| (row, head.to_owned())),
    );
    all.push((117, "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(10_000) + ok + "Content-Length: 0\r\n\r\n"));
    all.push((119, format!("{ok}X: {}\r\n\r\n", "y".repeat(64 << 10))));
    all.push((
        119,
        format!("{ok}{}Content-Length: 0\r\n\r\n", "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(2000)),
    ));
    all.push((119, format!("{ok}{}\r\n", "X: y\r\n".repeat(257))));
    all.into_iter().map(|(row, head)| (row, head.into_bytes())).collect()
}

/// Rows of these answers.
pub(crate) fn rows() -> impl Iterator<Item = u32> {
    bad_heads().into_iter().map(|(row, _)| row)
}

/// An upstream that gives the answer whose number is the target, and to all else `plain`.
fn answering_by_number(answers: Vec<Vec<u8>>) -> Upstream {
    Upstream::scripted(move |peer| {
        while let Ok(request) = peer.request() {
            let number = request.target().trim_start_matches('/').parse::<usize>();
            let sent = match number.ok().and_then(|number| answers.get(number)) {
                Some(answer) => peer.send(answer),
                None => peer.respond("plain"),
            };
            if sent.is_err() {
                return;
            }
        }
    })
}

#[test]
fn an_answer_that_breaks_the_grammar_is_502_and_its_connection_is_not_used_again() {
    let heads = bad_heads();
    let upstream = answering_by_number(heads.iter().map(|(_, head)| head.clone()).collect());
    let sluice = Sluice::start(&[upstream.address]);
    let mut failures = Vec::new();
    for (number, (row, head)) in heads.iter().enumerate() {
        let (connections, requests) = (upstream.connections(), upstream.requests());
        let mut client = Client::connect(sluice.address);
        client.request("GET", &format!("/{number}"));
        // What comes before the answer may have been passed on.
        let status = loop {
            let status = client.head().map_or(0, |head| head.status());
            if !(100..200).contains(&status) {
                break status;
            }
        };
        let plain = Client::connect(sluice.address).get("/plain").text();
        let made = upstream.connections() - connections;
        let asked = upstream.requests() - requests;
        if (status, plain.as_str(), asked) != (502, "plain", 2) || (number > 0 && made != 1) {
            let shown = head.escape_ascii().to_string();
            let shown = shown.get(..160).unwrap_or(&shown);
            failures.push(format!(
                "row {row}: {shown}\n    {status}, then {plain:?}; {asked} requests, {made} new connections"
            ));
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

#[test]
fn an_answer_at_the_limits_passes() {
    let many = format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "X: y\r\n".repeat(255));
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 0\r\n\r\n", "y".repeat(60 << 10));
    let upstream = answering_by_number(vec![many.into_bytes(), long.into_bytes()]);
    let sluice = Sluice::start(&[upstream.address]);
    for target in ["/0", "/1"] {
        assert_eq!(Client::connect(sluice.address).get(target).status(), 200, "{target}");
    }
}

#[test]
fn an_answer_of_http2_has_no_more_fields_than_one_of_http1() {
    for (fields, status) in [(256, 200), (257, 502)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let mut frames = Frames::accept(listener.accept().unwrap().0).unwrap();
            while let Ok((kind, _, id, _)) = frames.read() {
                if kind == HEADERS {
                    let many = std::iter::repeat_n(("x", "y"), fields);
                    let head: Vec<_> = std::iter::once((":status", "200")).chain(many).collect();
                    frames.send(HEADERS, END_HEADERS | END_STREAM, id, &block(&head));
                }
            }
        });
        let sluice = Sluice::start(&[]);
        sluice.publish_speaking(Protocol::Grpc, &[address]);
        assert_eq!(Client::connect(sluice.address).get("/").status(), status, "{fields} fields");
    }
}

/// RFC 9112 §2.2 lets a recipient take a lone LF for the end of a line, and every proxy does so in answers: refusing
/// would only break old upstreams. The client gets proper lines.
#[test]
fn an_answer_with_sloppy_line_ends_is_relayed_with_proper_ones() {
    let head = "HTTP/1.1 200 OK\nX: a\nContent-Length: 5\n\nhello";
    let upstream = answering_by_number(vec![head.into()]);
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.send("GET /0 HTTP/1.1\r\nHost: host.test\r\nConnection: close\r\n\r\n");
    let (wire, _) = client.rest();
    let wire = String::from_utf8_lossy(&wire);
    assert!(wire.contains("\r\nx: a\r\n") && wire.ends_with("\r\n\r\nhello"), "{wire:?}");
    assert_eq!(wire.matches('\n').count(), wire.matches("\r\n").count(), "{wire:?}");
}

#[test]
fn a_body_that_breaks_the_grammar_never_looks_whole() {
    let chunks: [&[u8]; 12] = [
        b"x\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\r\nhelloworld\r\n0\r\n\r\n",
        b"5\r\nhello\rX0\r\n\r\n",
        b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5;a=\nb\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX: a\0b\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX\r\n\r\n",
    ];
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice();
    let upstream = answering_by_number(chunks.iter().map(|chunks| [head, chunks].concat()).collect());
    let sluice = Sluice::start(&[upstream.address]);
    for (number, chunks) in chunks.iter().enumerate() {
        for version in ["1.1", "1.0"] {
            let mut client = Client::connect(sluice.address);
            client.send(format!("GET /{number} HTTP/{version}\r\nHost: host.test\r\n\r\n"));
            let shown = chunks.escape_ascii();
            match client.try_response() {
                Ok(answer) => assert_eq!(answer.status(), 502, "row 115, HTTP/{version}: {shown} {answer:?}"),
                Err(error) => assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "{shown}"),
            }
            assert_eq!(Client::connect(sluice.address).get("/plain").text(), "plain", "row 115: {shown}");
        }
    }
}

#[test]
fn bytes_on_an_idle_connection_are_no_answer() {
    for forged in [
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
        "HTTP/1.1 200 OK\r\nContent-",
        "x",
        "\r\n",
        "\r\n\r\n",
    ] {
        let (gate, (tell, told)) = (Gate::default(), mpsc::channel());
        let answered = gate.clone();
        let upstream = Upstream::scripted(move |peer| {
            let place = peer.place;
            let _ = peer.request().and_then(|_| peer.respond(&place.to_string()));
            if place == 0 {
                answered.pass();
                let _ = peer.send(forged);
                let _ = tell.send(());
            }
            let _ = peer.request().and_then(|_| peer.respond("used again"));
        });
        let sluice = Sluice::start(&[upstream.address]);
        assert_eq!(Client::connect(sluice.address).get("/").text(), "0");
        gate.open();
        told.recv_timeout(PATIENCE).expect("the upstream has sent");
        let answer = Client::connect(sluice.address).get("/");
        assert_eq!((answer.status(), answer.text().as_str()), (200, "1"), "row 122: {forged:?}");
    }
}

#[test]
fn bytes_behind_a_body_change_nothing_for_the_next_client() {
    for extra in ["x", "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"] {
        let upstream = Upstream::scripted(move |peer| {
            let place = peer.place;
            let _ = peer.request();
            let _ = peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{place}{extra}"));
            let _ = peer.request();
        });
        let sluice = Sluice::start(&[upstream.address]);
        for place in ["0", "1", "2"] {
            assert_eq!(Client::connect(sluice.address).get("/").text(), place, "row 113: {extra:?}");
        }
        eventually("none is kept", || upstream.ended() >= 2);
    }
}

#[test]
fn a_head_that_breaks_off_is_502_and_one_that_stalls_is_504() {
    let part = "HTTP/1.1 200 OK\r\nContent-Le";
    let cut = Upstream::scripted(move |peer| {
        let _ = peer.request().and_then(|_| peer.send(part));
    });
    assert_eq!(Client::connect(Sluice::start(&[cut.address]).address).get("/").status(), 502);
    assert_eq!(cut.requests(), 1, "a byte of an answer has come: nothing is sent again");
    let stalls = Upstream::scripted(move |peer| {
        let _ = peer.request().and_then(|_| peer.send(part));
        let _ = peer.request();
    });
    let change = |config: &mut Config| config.upstream.head_timeout = Duration::from_millis(150);
    let sluice = Sluice::with(change, &[stalls.address]);
    assert_eq!(Client::connect(sluice.address).get("/").status(), 504);
    assert_eq!(stalls.requests(), 1);
}
