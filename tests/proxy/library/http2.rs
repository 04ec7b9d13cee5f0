//! Where HTTP/2 is spoken on one side or on both.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use model::Protocol as Spoken;
use proxy::Protocol;
use system_tests::{Client, PATIENCE, Sluice, Upstream};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::{Row, check, lines, raw_head, telling};

/// Fields, one a line.
fn fields(text: &str) -> HeaderMap {
    let pairs = text.split("\r\n").filter_map(|line| line.split_once(": "));
    let named =
        |(name, value): (&str, &str)| Some((name.parse::<http::HeaderName>().ok()?, value.parse().ok()?));
    let mut map = HeaderMap::new();
    pairs.filter_map(named).for_each(|(name, value): (_, http::HeaderValue)| {
        map.append(name, value);
    });
    map
}

fn shown(start: &str, map: &HeaderMap, body: &[u8], trailers: Option<&HeaderMap>) -> String {
    let text = |map: &HeaderMap| {
        let line =
            |(name, value): (_, &http::HeaderValue)| format!("{name}: {}\r\n", value.to_str().unwrap_or("?"));
        map.iter().map(line).collect::<String>()
    };
    let trailers = trailers.map(|trailers| format!(" || {}", text(trailers).trim_end())).unwrap_or_default();
    format!("{} || {}{trailers}", lines(&format!("{start}\r\n{}", text(map))), String::from_utf8_lossy(body))
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

/// Asks over HTTP/2.
async fn ask(to: SocketAddr, request: Request<()>) -> String {
    let socket = TcpStream::connect(to).await.expect("the proxy accepts");
    let (sender, connection) = h2::client::handshake(socket).await.expect("HTTP/2 is spoken");
    tokio::spawn(connection);
    let mut sender = sender.ready().await.expect("a place");
    let (response, _) = sender.send_request(request, true).expect("it is sent");
    let (head, mut incoming) = match response.await {
        Ok(response) => response.into_parts(),
        Err(error) => return error.to_string(),
    };
    let mut got = Vec::new();
    while let Some(piece) = incoming.data().await {
        let piece = piece.expect("a piece");
        let _ = incoming.flow_control().release_capacity(piece.len());
        got.extend_from_slice(&piece);
    }
    let trailers = incoming.trailers().await.expect("an end");
    shown(head.status.as_str(), &head.headers, &got, trailers.as_ref())
}

fn speaking(upstream: SocketAddr) -> Sluice {
    Sluice::speaking(Protocol { http2_cleartext: true, ..Protocol::default() }, |_| {}, &[upstream])
}

/// What an endpoint of HTTP/1 is sent where a client of HTTP/2 asks for `/` with these fields.
fn forwarded(text: &str) -> String {
    let (upstream, told) = telling();
    let sluice = speaking(upstream.address);
    let mut request = Request::get("http://a/").body(()).expect("a request");
    *request.headers_mut() = fields(text);
    let answer = runtime().block_on(async {
        tokio::time::timeout(PATIENCE, ask(sluice.address, request)).await.expect("in time")
    });
    told.try_recv().map_or(answer, |head| lines(&head))
}

/// What a client of HTTP/2 is sent where an endpoint of HTTP/1 answers this.
fn relayed(method: &str, answer: &str) -> String {
    let answer = answer.to_owned();
    let upstream = Upstream::scripted(move |peer| {
        let _ = raw_head(peer).map(|_| peer.send(&answer));
    });
    let sluice = speaking(upstream.address);
    let request = Request::builder()
        .method(method)
        .uri("http://a/")
        .header("te", "trailers")
        .body(())
        .expect("a request");
    runtime().block_on(async {
        tokio::time::timeout(PATIENCE, ask(sluice.address, request)).await.expect("in time")
    })
}

/// An endpoint of HTTP/2 that answers each request with this status and these fields, and ends the stream in an empty piece
/// of a body.
async fn answer(listener: TcpListener, status: u16, headers: HeaderMap) {
    while let Ok((socket, _)) = listener.accept().await {
        let headers = headers.clone();
        tokio::spawn(async move {
            let mut connection = h2::server::handshake(socket).await.expect("HTTP/2 is spoken");
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                let mut response = Response::builder().status(status).body(()).expect("a response");
                *response.headers_mut() = headers.clone();
                let hints = Response::builder().status(103).body(()).expect("a response");
                let _ = respond.send_informational(hints);
                let mut body = respond.send_response(response, false).expect("it is sent");
                let _ = body.send_data(Bytes::new(), true);
            }
        });
    }
}

/// What a client of HTTP/1 is sent where an endpoint of HTTP/2 answers, first with 103, in this way; twice on one connection.
fn relayed_from_http2(method: &str, status: u16, text: &str) -> String {
    let runtime = runtime();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    runtime.spawn(answer(listener, status, fields(text)));
    let sluice = Sluice::start(&[]);
    sluice.publish_speaking(Spoken::Grpc, &[address]);
    let mut client = Client::connect(sluice.address);
    let mut next = || {
        let head = client.request(method, "/").head().expect("a head");
        let fields: Vec<_> = head.fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let body = if method == "HEAD" { vec![] } else { client.read_body(&head).expect("a body") };
        format!(
            "{} || {}",
            lines(&format!("{}\r\n{}", head.start, fields.join("\r\n"))),
            String::from_utf8_lossy(&body)
        )
    };
    let (first, second) = (next(), next());
    assert_eq!(first, second);
    first
}

const REQUESTS: &[Row] = &[
    ("the authority becomes the host", "x: 1", "GET / HTTP/1.1 | host: a | x: 1"),
    ("a host that says the same", "host: a", "GET / HTTP/1.1 | host: a"),
    (
        "a host that says otherwise",
        "host: b",
        "400 | content-length: 27 | content-type: text/plain; charset=utf-8 | date: now || 400 Bad Request (bad-host)\n",
    ),
    (
        "crumbs of a cookie become one field",
        "cookie: a=1\r\ncookie: b=2",
        "GET / HTTP/1.1 | cookie: a=1; b=2 | host: a",
    ),
    ("fields of one name stay apart and in order", "x: 2\r\nx: 1", "GET / HTTP/1.1 | host: a | x: 2 | x: 1"),
    ("a length of nothing", "content-length: 0", "GET / HTTP/1.1 | content-length: 0 | host: a"),
];

const RESPONSES: &[Row] = &[
    (
        "a reason goes, a date is added",
        "HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nhi",
        "200 | content-length: 2 | date: now || hi",
    ),
    ("without a length", "HTTP/1.1 200 OK\r\n\r\nhi", "200 | date: now || hi"),
    (
        "what concerns the hop goes",
        "HTTP/1.1 200 OK\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTransfer-Encoding: chunked\r\n\r\n2;a\r\nhi\r\n0\r\n\r\n",
        "200 | date: now || hi",
    ),
    (
        "trailers",
        "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n",
        "200 | date: now | trailer: X-Sum || hi || x-sum: 1",
    ),
    ("204", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "204 | date: now || "),
    (
        "205",
        "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
        "205 | content-length: 0 | date: now || ",
    ),
    (
        "304",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        "304 | content-length: 5 | date: now || ",
    ),
    (
        "an unknown status",
        "HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n",
        "299 | content-length: 0 | date: now || ",
    ),
    (
        "cookies stay apart and in order",
        "HTTP/1.1 200 OK\r\nSet-Cookie: b=1\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n",
        "200 | content-length: 0 | date: now | set-cookie: b=1 | set-cookie: a=1 || ",
    ),
];

const TO_HEAD: &[Row] = &[
    ("a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "200 | content-length: 5 | date: now || "),
    ("no length is made up", "HTTP/1.1 200 OK\r\n\r\n", "200 | date: now || "),
    (
        "304",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        "304 | content-length: 5 | date: now || ",
    ),
];

const FROM_HTTP2: &[Row] = &[
    ("GET 200", "x: 1", "HTTP/1.1 200 OK | date: now | transfer-encoding: chunked | x: 1 || "),
    ("HEAD 200", "content-length: 5", "HTTP/1.1 200 OK | content-length: 5 | date: now || "),
    ("GET 304", "content-length: 5", "HTTP/1.1 304 Not Modified | content-length: 5 | date: now || "),
    ("GET 204", "x: 1", "HTTP/1.1 204 No Content | date: now | x: 1 || "),
    ("GET 299", "x: 1", "HTTP/1.1 299  | date: now | transfer-encoding: chunked | x: 1 || "),
];

#[test]
fn each_request_of_http2_reaches_an_endpoint_of_http1_as_it_did_before() {
    check(REQUESTS, forwarded);
}

#[test]
fn each_answer_reaches_a_client_of_http2_as_it_did_before() {
    check(RESPONSES, |answer| relayed("GET", answer));
    check(TO_HEAD, |answer| relayed("HEAD", answer));
}

#[test]
fn each_answer_of_http2_reaches_a_client_of_http1_as_it_did_before() {
    let mut rows = FROM_HTTP2.iter();
    check(FROM_HTTP2, |text| {
        let (method, status) = rows.next().and_then(|(what, ..)| what.split_once(' ')).expect("a row");
        relayed_from_http2(method, status.parse().expect("a status"), text)
    });
}
