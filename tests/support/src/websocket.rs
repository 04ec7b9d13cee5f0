//! WebSocket as its users speak it: an upstream that gives back what it hears, and clients over HTTP/1 and HTTP/2.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::server;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Bytes, Error};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, client_async};

/// What a client speaks WebSocket with.
pub type Socket<S> = WebSocketStream<S>;

/// What an upstream speaks.
#[derive(Clone, Copy)]
enum Spoken {
    Http1,
    Http2 { takes: bool },
}

/// What an upstream remembers.
#[derive(Debug, Default)]
struct Memory {
    open: AtomicUsize,
    has_refused: AtomicBool,
}

/// A running upstream. It gives back each message, takes the first of the protocols that are offered, and answers 403 for
/// `/deny`. One of HTTP/2 refuses the first that asks for `/busy`, unseen.
#[derive(Debug)]
pub struct WebSocketUpstream {
    /// Where it listens.
    pub address: SocketAddr,
    memory: Arc<Memory>,
    /// Its tasks end with it.
    runtime: tokio::runtime::Runtime,
}

impl WebSocketUpstream {
    /// Starts one of HTTP/1.
    ///
    /// # Panics
    /// If loopback has no port left.
    pub fn start() -> WebSocketUpstream {
        Self::speaking(Spoken::Http1)
    }

    /// Starts one of HTTP/2, which takes WebSockets on its streams or has never heard of that.
    ///
    /// # Panics
    /// If loopback has no port left.
    pub fn over_http2(takes: bool) -> WebSocketUpstream {
        Self::speaking(Spoken::Http2 { takes })
    }

    fn speaking(spoken: Spoken) -> WebSocketUpstream {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let memory = Arc::<Memory>::default();
        let kept = Arc::clone(&memory);
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, spoken, Arc::clone(&kept)));
            }
        });
        WebSocketUpstream { address, memory, runtime }
    }

    /// Ends in the middle of whatever is said.
    pub fn vanish(self) {
        self.runtime.shutdown_background();
    }

    /// WebSockets that are open now.
    pub fn open(&self) -> usize {
        self.memory.open.load(Ordering::SeqCst)
    }
}

async fn serve(socket: TcpStream, spoken: Spoken, memory: Arc<Memory>) {
    let Spoken::Http2 { takes } = spoken else {
        if let Ok(socket) = accept_hdr_async(socket, agree).await {
            echo(socket, &memory.open).await;
        }
        return;
    };
    let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    if takes {
        builder.enable_connect_protocol();
    }
    let answer = |asked: Request<Incoming>| {
        let refuses = asked.uri().path() == "/busy" && !memory.has_refused.swap(true, Ordering::SeqCst);
        std::future::ready(match refuses {
            true => Err(h2::Error::from(h2::Reason::REFUSED_STREAM)),
            false => Ok(agree_on_stream(asked, Arc::clone(&memory))),
        })
    };
    let _ = builder.serve_connection(TokioIo::new(socket), service_fn(answer)).await;
}

/// As [`agree`], in the words of HTTP/2; 404 for what is no WebSocket.
fn agree_on_stream(mut asked: Request<Incoming>, memory: Arc<Memory>) -> http::Response<Full<Bytes>> {
    let wanted =
        asked.extensions().get::<hyper::ext::Protocol>().map(|wanted| wanted.as_str() == "websocket");
    let is_asked_well = asked.method() == Method::CONNECT
        && wanted == Some(true)
        && !asked.headers().contains_key("sec-websocket-key")
        && asked.headers().get("sec-websocket-version").is_some_and(|version| version == "13");
    let (status, body) = match asked.uri().path() {
        "/deny" => (StatusCode::FORBIDDEN, "not you"),
        _ if is_asked_well => (StatusCode::OK, ""),
        _ => (StatusCode::NOT_FOUND, "no WebSocket"),
    };
    let mut answer = http::Response::builder().status(status);
    if let Some(first) = first_of(asked.headers()) {
        answer = answer.header("sec-websocket-protocol", first);
    }
    if status == StatusCode::OK {
        let upgrade = hyper::upgrade::on(&mut asked);
        tokio::spawn(async move {
            if let Ok(stream) = upgrade.await {
                echo(
                    WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Server, None).await,
                    &memory.open,
                )
                .await;
            }
        });
    }
    answer.body(Full::from(body)).expect("an answer")
}

/// The first of the protocols that a client offers.
fn first_of(asked: &HeaderMap) -> Option<HeaderValue> {
    let offered = asked.get("sec-websocket-protocol")?.to_str().ok()?;
    offered.split(',').next()?.trim().parse().ok()
}

#[expect(clippy::result_large_err, reason = "as the library has it")]
fn agree(
    asked: &server::Request,
    mut answer: server::Response,
) -> Result<server::Response, server::ErrorResponse> {
    if asked.uri().path() == "/deny" {
        let mut denied = server::ErrorResponse::new(Some("not you".into()));
        *denied.status_mut() = StatusCode::FORBIDDEN;
        return Err(denied);
    }
    if let Some(first) = first_of(asked.headers()) {
        answer.headers_mut().insert("sec-websocket-protocol", first);
    }
    Ok(answer)
}

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut socket: Socket<S>, open: &AtomicUsize) {
    open.fetch_add(1, Ordering::SeqCst);
    while let Some(Ok(message)) = socket.next().await {
        if message.is_close() || (!message.is_ping() && socket.send(message).await.is_err()) {
            // The library answers pings and the goodbye by itself.
            let _ = socket.flush().await;
        }
    }
    open.fetch_sub(1, Ordering::SeqCst);
}

/// Opens a WebSocket over HTTP/1 on what is connected already.
///
/// # Errors
/// As the library says, with the answer if there was one.
pub async fn over_http1<S>(io: S, path: &str, protocols: &str) -> Result<(Socket<S>, Option<String>), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    let mut request = format!("ws://host.test{path}").into_client_request()?;
    if !protocols.is_empty() {
        let offered = protocols.parse().expect("a field");
        request.headers_mut().insert("sec-websocket-protocol", offered);
    }
    let (socket, answer) = client_async(request, io).await?;
    Ok((socket, protocol(answer.headers())))
}

/// Opens a WebSocket on a stream of HTTP/2 (RFC 8441), on what is connected already, speaking this protocol.
///
/// # Errors
/// The status of an answer that is not 200, and its body.
///
/// # Panics
/// If the other side does not speak HTTP/2, or takes no WebSocket.
pub async fn over_http2<S>(
    io: S,
    path: &str,
    wanted: &'static str,
    protocols: &str,
) -> Result<(Socket<TokioIo<Upgraded>>, Option<String>), (StatusCode, Bytes)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    use http_body_util::BodyExt;
    let (mut sender, mut connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await.expect("HTTP/2");
    // What the other side takes is known with its settings, which another task reads.
    let settled = async {
        while !connection.is_extended_connect_protocol_enabled() {
            std::future::poll_fn(|cx| {
                let _ = std::pin::Pin::new(&mut connection).poll(cx);
                std::task::Poll::Ready(())
            })
            .await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(crate::PATIENCE, settled).await.expect("it takes extended CONNECT");
    tokio::spawn(connection);
    let mut request = Request::builder().method(Method::CONNECT).uri(format!("http://host.test{path}"));
    request =
        request.extension(hyper::ext::Protocol::from_static(wanted)).header("sec-websocket-version", "13");
    if !protocols.is_empty() {
        request = request.header("sec-websocket-protocol", protocols);
    }
    let answer = sender.send_request(request.body(Empty::<Bytes>::new()).expect("a request")).await;
    let answer = answer.expect("an answer");
    if answer.status() != StatusCode::OK {
        let status = answer.status();
        return Err((status, answer.into_body().collect().await.expect("a body").to_bytes()));
    }
    assert!(!answer.headers().contains_key("sec-websocket-accept"), "that is HTTP/1's");
    let protocol = protocol(answer.headers());
    let upgraded = hyper::upgrade::on(answer).await.expect("a stream");
    Ok((WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await, protocol))
}

fn protocol(answer: &http::HeaderMap) -> Option<String> {
    Some(answer.get("sec-websocket-protocol")?.to_str().ok()?.to_owned())
}
