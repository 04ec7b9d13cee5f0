//! Answers before the answer on streams of HTTP/2: written past h2, so each has to be on the right stream, whatever else is
//! sent between and beside the requests.

use std::collections::BTreeMap;
use std::future::poll_fn;

use bytes::Bytes;
use http::{Request, Response};
use system_tests::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, block,
};
use system_tests::{Gate, Http2, PATIENCE, Sluice, Upstream};
use tokio::net::TcpStream;

use super::sluice;

const STREAMS: u32 = 80;
/// Literal fields that enter no table.
const HINTS: &[u8] = b"\x08\x03103\0\x04link";

/// An upstream that hints at each request's target, and then says it.
fn hinting() -> Upstream {
    Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let target = request.target();
            let hints = format!("HTTP/1.1 103 Early Hints\r\nLink: {target}\r\nConnection: close\r\n\r\n");
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{target}", target.len());
            let _ = peer.send(hints + &answer);
        }
    })
}

/// Begins the request of a stream in one of several ways, and says whether it can be answered.
fn begin(frames: &mut Frames<std::net::TcpStream>, id: u32) -> bool {
    let path = format!("/{id}");
    let method = if id.is_multiple_of(5) { "POST" } else { "GET" };
    let mut fields =
        vec![(":method", method), (":scheme", "http"), (":authority", "host.test"), (":path", &path)];
    match id % 5 {
        0 => {
            frames.send(HEADERS, END_HEADERS, id, &block(&fields));
            frames.send(DATA, 0, id, b"hello");
            frames.send(HEADERS, END_HEADERS | END_STREAM, id, &block(&[("x-sum", "5")]));
        }
        1 => {
            fields.push(("connection", "close"));
            frames.send(HEADERS, END_HEADERS | END_STREAM, id, &block(&fields));
        }
        2 => {
            let block = block(&fields);
            frames.send(HEADERS, END_STREAM, id, &block[..9]);
            frames.send(CONTINUATION, END_HEADERS, id, &block[9..]);
        }
        3 => {
            frames.send(PING, 0, 0, b"12345678");
            frames.send(HEADERS, END_HEADERS | END_STREAM, id, &block(&fields));
        }
        _ => frames.send(HEADERS, END_HEADERS | END_STREAM, id, &block(&fields)),
    }
    id % 5 != 1
}

/// What comes on each of these streams until all have ended: hints, and the body.
fn read(
    frames: &mut Frames<std::net::TcpStream>,
    mut left: Vec<u32>,
) -> BTreeMap<u32, (Vec<String>, String)> {
    let mut seen = BTreeMap::<u32, (Vec<String>, String)>::new();
    while !left.is_empty() {
        let (kind, flags, id, payload) = frames.read().expect("a frame");
        assert_ne!(kind, GOAWAY, "{payload:?}");
        let (hints, body) = seen.entry(id).or_default();
        match kind {
            HEADERS if payload.starts_with(HINTS) => {
                assert!(flags & END_STREAM == 0 && body.is_empty());
                hints.push(String::from_utf8_lossy(&payload[HINTS.len() + 1..]).into_owned());
            }
            HEADERS => body.push('>'),
            DATA => body.push_str(&String::from_utf8_lossy(&payload)),
            RST_STREAM => body.push_str("reset"),
            _ => continue,
        }
        if kind == RST_STREAM || flags & END_STREAM != 0 && matches!(kind, HEADERS | DATA) {
            left.retain(|one| *one != id);
        }
    }
    seen
}

#[test]
fn each_is_on_the_stream_of_its_request_and_before_its_answer() {
    let upstream = hinting();
    let sluice = sluice(&upstream);
    let mut frames = Frames::connect(sluice.address);
    let ids: Vec<u32> = (0..STREAMS).map(|n| 2 * n + 1).collect();
    let answered: Vec<bool> = ids.iter().map(|id| begin(&mut frames, *id)).collect();
    let seen = read(&mut frames, ids.clone());
    for (id, is_answered) in ids.iter().zip(answered) {
        let (hints, body) = &seen[id];
        let expected = if is_answered { format!(">/{id}") } else { "reset".to_owned() };
        let hinted = if is_answered { vec![format!("/{id}")] } else { vec![] };
        assert_eq!((hints, body), (&hinted, &expected), "stream {id}");
    }
}

#[test]
fn a_client_that_takes_a_smaller_table_is_told_the_answer_alone() {
    let upstream = hinting();
    let sluice = sluice(&upstream);
    let mut frames = Frames::connect(sluice.address);
    frames.send(SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0]);
    begin(&mut frames, 3);
    assert_eq!(read(&mut frames, vec![3])[&3], (vec![], ">/3".to_owned()));
}

/// Asks as a library does, and gives back what comes before the answer, and the answer.
async fn ask(sluice: &Sluice, path: &str) -> (Vec<Response<()>>, Response<Bytes>) {
    let socket = TcpStream::connect(sluice.address).await.expect("the proxy accepts");
    let (sender, connection) = h2::client::handshake(socket).await.expect("HTTP/2 is spoken");
    tokio::spawn(connection);
    let request = Request::get(format!("http://host.test{path}")).body(()).expect("a request");
    let mut sender = sender.ready().await.expect("a place");
    let (mut response, _) = sender.send_request(request, true).expect("it is sent");
    let mut hints = Vec::new();
    while let Some(hint) = poll_fn(|cx| response.poll_informational(cx)).await {
        hints.push(hint.expect("a head"));
    }
    let (head, mut body) = response.await.expect("an answer").into_parts();
    let body = body.data().await.expect("a body").expect("a piece");
    (hints, Response::from_parts(head, body))
}

#[test]
fn a_library_sees_them_without_what_concerns_the_hop() {
    let upstream = hinting();
    let sluice = sluice(&upstream);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let asked = async { tokio::time::timeout(PATIENCE, ask(&sluice, "/a")).await.expect("in time") };
    let (hints, answer) = runtime.block_on(asked);
    assert_eq!(hints.len(), 1);
    assert_eq!((hints[0].status().as_u16(), hints[0].headers().len()), (103, 1));
    assert_eq!(hints[0].headers()["link"], "/a");
    assert_eq!((answer.status().as_u16(), &answer.body()[..]), (200, &b"/a"[..]));
}

#[test]
fn one_does_not_wait_for_the_answer() {
    let gate = Gate::default();
    let passed = gate.clone();
    let upstream = Upstream::scripted(move |peer| {
        let _ = peer.request().and_then(|_| peer.send("HTTP/1.1 103 Early Hints\r\nLink: /1\r\n\r\n"));
        passed.pass();
        let _ = peer.respond("/1");
    });
    let sluice = sluice(&upstream);
    let mut frames = Frames::connect(sluice.address);
    let fields = [(":method", "GET"), (":scheme", "http"), (":authority", "host.test"), (":path", "/1")];
    frames.send(HEADERS, END_HEADERS | END_STREAM, 1, &block(&fields));
    let is_hints = |(kind, _, id, payload): (u8, u8, u32, Vec<u8>)| {
        (kind, id) == (HEADERS, 1) && payload.starts_with(HINTS)
    };
    while !is_hints(frames.read().expect("a frame")) {}
    gate.open();
    assert_eq!(read(&mut frames, vec![1])[&1].1, ">/1");
}

#[test]
fn a_connection_goes_on_after_them() {
    let upstream = hinting();
    let sluice = sluice(&upstream);
    let mut client = Http2::connect(sluice.address);
    for path in ["/a", "/b", "/c"] {
        assert_eq!(client.get("host.test", path).expect("an answer").body, path);
    }
}
