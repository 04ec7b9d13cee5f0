//! WebSocket between clients and endpoints of either version of HTTP.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use model::Protocol as UpstreamProtocol;
use proxy::{Config, Protocol};
use rustls::pki_types::ServerName;
use system_tests::wait::until;
use system_tests::websocket::Socket;
use system_tests::{
    Authority, Http2, PATIENCE, Sluice, Upstream, WebSocketUpstream, eventually, over_http1, over_http2,
};
use tls::{Certificate, Certificates, Entry, HTTP_1_1, HTTP_2, Tickets};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Runs what must not take for ever.
fn block_on<T>(test: impl Future<Output = T>) -> T {
    runtime().block_on(async { tokio::time::timeout(PATIENCE * 2, test).await.expect("it ends") })
}

fn sluice(change: impl FnOnce(&mut Config), endpoints: &[std::net::SocketAddr]) -> Sluice {
    Sluice::speaking(Protocol { http2_cleartext: true, ..Protocol::default() }, change, endpoints)
}

async fn connect(sluice: &Sluice) -> TcpStream {
    TcpStream::connect(sluice.address).await.unwrap()
}

/// Text, bytes, a megabyte and a ping go there and come back; then both sides say goodbye.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(mut socket: Socket<S>) {
    for message in [Message::text("hello"), Message::binary(vec![0, 255]), Message::binary(vec![7; 1 << 20])]
    {
        socket.send(message.clone()).await.unwrap();
        assert!(socket.next().await.unwrap().unwrap() == message, "what was said comes back");
    }
    socket.send(Message::Ping("are you there".into())).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("are you there".into()));
    socket.close(Some(CloseFrame { code: 4000.into(), reason: "bye".into() })).await.unwrap();
    let Message::Close(Some(end)) = socket.next().await.unwrap().unwrap() else { panic!("no goodbye") };
    assert_eq!((u16::from(end.code), end.reason.as_str()), (4000, "bye"));
    assert!(matches!(socket.next().await, None | Some(Err(Error::ConnectionClosed))));
}

#[test]
fn clients_of_both_versions_talk_to_an_endpoint_of_http1_which_chooses_the_protocol() {
    let upstream = WebSocketUpstream::start();
    let sluice = sluice(|_| {}, &[upstream.address]);
    block_on(async {
        let (socket, chosen) = over_http1(connect(&sluice).await, "/chat", "one, two").await.unwrap();
        assert_eq!(chosen.as_deref(), Some("one"));
        talk(socket).await;
        let (socket, chosen) =
            over_http2(connect(&sluice).await, "/chat?x=1", "websocket", "two, one").await.unwrap();
        assert_eq!(chosen.as_deref(), Some("two"));
        talk(socket).await;
    });
    eventually("nothing is in flight", || sluice.metrics().open().1 == 0 && upstream.open() == 0);
}

#[test]
fn clients_of_both_versions_talk_to_an_endpoint_of_http2_on_a_stream() {
    let upstream = WebSocketUpstream::over_http2(true);
    let sluice = sluice(|_| {}, &[]);
    sluice.publish_speaking(UpstreamProtocol::Grpc, &[upstream.address]);
    block_on(async {
        let (socket, chosen) = over_http1(connect(&sluice).await, "/chat", "one, two").await.unwrap();
        assert_eq!(chosen.as_deref(), Some("one"));
        talk(socket).await;
        let (socket, chosen) =
            over_http2(connect(&sluice).await, "/chat?x=1", "websocket", "two, one").await.unwrap();
        assert_eq!(chosen.as_deref(), Some("two"));
        talk(socket).await;
    });
    eventually("nothing is in flight", || sluice.metrics().open().1 == 0 && upstream.open() == 0);
}

#[test]
fn a_stream_that_an_endpoint_has_refused_unseen_is_asked_for_again() {
    let upstream = WebSocketUpstream::over_http2(true);
    let sluice = sluice(|_| {}, &[]);
    sluice.publish_speaking(UpstreamProtocol::Grpc, &[upstream.address]);
    block_on(async {
        talk(over_http2(connect(&sluice).await, "/busy", "websocket", "").await.unwrap().0).await;
    });
}

#[test]
fn an_endpoint_of_http2_that_takes_no_websocket_is_told_from_one_that_is_gone() {
    let upstream = WebSocketUpstream::over_http2(false);
    let sluice = sluice(|_| {}, &[]);
    sluice.publish_speaking(UpstreamProtocol::Grpc, &[upstream.address]);
    block_on(async {
        let (status, body) = over_http2(connect(&sluice).await, "/", "websocket", "").await.err().unwrap();
        assert_eq!((status.as_u16(), &body[..]), (502, &b"502 Bad Gateway (no-websocket)\n"[..]));
        let refused = over_http1(connect(&sluice).await, "/", "").await.err().unwrap();
        assert!(matches!(refused, Error::Http(answer) if answer.status() == 502));
    });
}

#[test]
fn clients_of_both_versions_talk_over_tls() {
    let authority = Authority::new();
    let (chain, key) = authority.certify(&["host.test"]);
    let certificate = Arc::new(Certificate::parse(chain.as_bytes(), key.as_bytes()).unwrap());
    let entry = Entry::new("test/host", vec![certificate]).unwrap();
    let live = model::Published::new(Certificates::new([(entry, vec![model::HostMatch::Any])]));
    let tls = Some(Arc::new(proxy::Tls::new(live, Tickets::default(), &[HTTP_2, HTTP_1_1])));
    let upstream = WebSocketUpstream::start();
    let sluice = Sluice::speaking(Protocol { tls, ..Protocol::default() }, |_| {}, &[upstream.address]);
    block_on(async {
        for protocol in [HTTP_1_1, HTTP_2] {
            let mut config = rustls::ClientConfig::clone(&authority.client());
            config.alpn_protocols = vec![protocol.to_vec()];
            let connector = TlsConnector::from(Arc::new(config));
            let name = ServerName::try_from("host.test").unwrap();
            let session = connector.connect(name, connect(&sluice).await).await.unwrap();
            if protocol == HTTP_2 {
                talk(over_http2(session, "/", "websocket", "").await.unwrap().0).await;
            } else {
                talk(over_http1(session, "/", "").await.unwrap().0).await;
            }
        }
    });
}

#[test]
fn an_endpoint_that_refuses_is_heard_with_its_own_words() {
    for (spoken, upstream) in [
        (UpstreamProtocol::Http, WebSocketUpstream::start()),
        (UpstreamProtocol::Grpc, WebSocketUpstream::over_http2(true)),
    ] {
        let sluice = sluice(|_| {}, &[]);
        sluice.publish_speaking(spoken, &[upstream.address]);
        block_on(async {
            let Err(Error::Http(answer)) = over_http1(connect(&sluice).await, "/deny", "").await else {
                panic!("it is refused")
            };
            assert_eq!(answer.status(), 403);
            let (status, body) =
                over_http2(connect(&sluice).await, "/deny", "websocket", "").await.err().unwrap();
            assert_eq!((status.as_u16(), &body[..]), (403, &b"not you"[..]));
        });
    }
}

#[test]
fn what_is_no_agreement_is_not_told_as_one() {
    let agreed = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n";
    for (why, answer) in [
        ("a wrong key", format!("{agreed}Upgrade: websocket\r\nSec-WebSocket-Accept: AAAA\r\n\r\n")),
        ("no key", format!("{agreed}Upgrade: websocket\r\n\r\n")),
        ("another protocol", format!("{agreed}Upgrade: chat\r\n\r\n")),
        ("an answer as to any request", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".into()),
    ] {
        let (upstream, _told) = Upstream::recording(answer);
        let sluice = sluice(|_| {}, &[upstream.address]);
        let refused =
            block_on(async { over_http2(connect(&sluice).await, "/", "websocket", "").await.err() });
        assert_eq!(refused.map(|(status, _)| status.as_u16()), Some(502), "{why}");
    }
}

#[test]
fn an_endpoint_is_asked_as_any_client_of_http1_would_ask() {
    let (upstream, told) = Upstream::recording("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    let sluice = sluice(|_| {}, &[upstream.address]);
    block_on(async { over_http2(connect(&sluice).await, "/a/../chat?x=1", "websocket", "").await.err() });
    let asked = told.recv_timeout(PATIENCE).unwrap();
    assert_eq!(asked.start, "GET /a/../chat?x=1 HTTP/1.1");
    for (field, value) in [
        ("host", "host.test"),
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("x-forwarded-proto", "http"),
    ] {
        assert_eq!(asked.field(field).as_deref(), Some(value), "{field}");
    }
    assert_eq!(asked.field("sec-websocket-key").unwrap().len(), 24);
}

#[test]
fn a_stream_for_anything_else_and_a_tunnel_to_anywhere_are_refused() {
    let upstream = WebSocketUpstream::start();
    let sluice = sluice(|_| {}, &[upstream.address]);
    block_on(async {
        let (status, body) = over_http2(connect(&sluice).await, "/", "connect-udp", "").await.err().unwrap();
        assert_eq!((status.as_u16(), &body[..]), (501, &b"501 Not Implemented (tunnel-protocol)\n"[..]));
    });
    let mut client = Http2::connect(sluice.address);
    let anywhere = http::Request::connect("host.test:443").body(Default::default()).unwrap();
    assert_eq!(client.send(anywhere).unwrap().head.status(), 405);
}

#[test]
fn a_side_that_vanishes_is_gone_for_the_other_too() {
    let upstream = WebSocketUpstream::start();
    let sluice = sluice(|_| {}, &[upstream.address]);
    let runtime = runtime();
    let open = || async { over_http2(connect(&sluice).await, "/", "websocket", "").await.unwrap().0 };
    let socket = runtime.block_on(open());
    assert_eq!(upstream.open(), 1);
    // The client's connection lives on, and says that the stream has ended.
    runtime.block_on(async { drop(socket) });
    runtime.block_on(until(|| upstream.open() == 0)).unwrap();
    let mut socket = runtime.block_on(open());
    upstream.vanish();
    runtime.block_on(async move { while let Some(Ok(_)) = socket.next().await {} });
    runtime.block_on(until(|| sluice.metrics().open().1 == 0)).unwrap();
}

#[test]
fn a_publication_and_a_drain_leave_a_stream_that_talks_alone() {
    let upstream = WebSocketUpstream::start();
    let sluice = sluice(|_| {}, &[upstream.address]);
    block_on(async {
        let (mut socket, _) = over_http2(connect(&sluice).await, "/", "websocket", "").await.unwrap();
        sluice.publish(&[]);
        sluice.drain();
        for _ in 0..20 {
            socket.send(Message::text("still")).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("still"));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        talk(socket).await;
    });
}

#[test]
fn a_stream_on_which_nothing_is_said_for_too_long_is_ended() {
    let upstream = WebSocketUpstream::start();
    let idle = Duration::from_millis(300);
    let sluice = sluice(|config| config.downstream.tunnel_idle_timeout = idle, &[upstream.address]);
    block_on(async {
        let (mut socket, _) = over_http2(connect(&sluice).await, "/", "websocket", "").await.unwrap();
        assert!(!matches!(socket.next().await, Some(Ok(_))), "nothing more is said");
    });
    eventually("nothing is in flight", || sluice.metrics().open().1 == 0 && upstream.open() == 0);
}
