//! A client that speaks HTTP/2, as well as any library does; and the frames of one that does not.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use crate::PATIENCE;

/// One connection.
pub struct Http2 {
    runtime: Runtime,
    sender: SendRequest<Full<Bytes>>,
    connection: JoinHandle<hyper::Result<()>>,
    scheme: &'static str,
}

/// An answer, all of it.
#[derive(Debug)]
pub struct Answer {
    /// The head.
    pub head: Response<()>,
    /// The body.
    pub body: Bytes,
    /// The trailers.
    pub trailers: Option<HeaderMap>,
}

/// A request that was sent.
pub struct Begun(JoinHandle<Result<Answer, String>>);

impl Http2 {
    /// Connects without TLS, knowing that HTTP/2 is spoken.
    ///
    /// # Panics
    /// If it is not.
    pub fn connect(to: SocketAddr) -> Http2 {
        let runtime = runtime();
        let (sender, connection) = runtime.block_on(async {
            let socket = TcpStream::connect(to).await.expect("the proxy accepts");
            let (sender, connection) = handshake(TokioIo::new(socket)).await;
            (sender, tokio::spawn(connection))
        });
        Http2 { runtime, sender, connection, scheme: "http" }
    }

    /// Connects with TLS and agrees on HTTP/2.
    ///
    /// # Panics
    /// If it is not agreed to.
    pub fn secure(to: SocketAddr, name: &str, config: &ClientConfig) -> Http2 {
        let runtime = runtime();
        let mut config = config.clone();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let (sender, connection) = runtime.block_on(async {
            let socket = TcpStream::connect(to).await.expect("the proxy accepts");
            let session =
                TlsConnector::from(Arc::new(config)).connect(name, socket).await.expect("a session");
            assert_eq!(session.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            let (sender, connection) = handshake(TokioIo::new(session)).await;
            (sender, tokio::spawn(connection))
        });
        Http2 { runtime, sender, connection, scheme: "https" }
    }

    /// A request for this path of a host, to be completed.
    ///
    /// # Panics
    /// If host or path is malformed.
    pub fn request(&self, method: &str, host: &str, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(format!("{}://{host}{path}", self.scheme))
    }

    /// Asks and reads the answer.
    ///
    /// # Errors
    /// If none comes, or only a part.
    pub fn get(&mut self, host: &str, path: &str) -> Result<Answer, String> {
        let request = self.request("GET", host, path).body(Full::default()).expect("a request");
        self.send(request)
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// If none comes, or only a part.
    pub fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        self.send_all(vec![request]).remove(0)
    }

    /// Sends requests at the same time and reads all answers, in their order.
    ///
    /// # Panics
    /// If that takes too long.
    pub fn send_all(&mut self, requests: Vec<Request<Full<Bytes>>>) -> Vec<Result<Answer, String>> {
        let sent: Vec<_> = {
            let _in = self.runtime.enter();
            requests
                .into_iter()
                .map(|request| tokio::spawn(answer(self.sender.send_request(request))))
                .collect()
        };
        let all = async {
            let mut answers = Vec::new();
            for answer in sent {
                answers.push(answer.await.expect("no panic"));
            }
            answers
        };
        self.runtime.block_on(async { tokio::time::timeout(PATIENCE, all).await.expect("answers in time") })
    }

    /// Sends a request, and waits for nothing.
    pub fn begin(&mut self, request: Request<Full<Bytes>>) -> Begun {
        let _in = self.runtime.enter();
        Begun(tokio::spawn(answer(self.sender.send_request(request))))
    }

    /// Reads the answer to a request that was sent before.
    ///
    /// # Errors
    /// If none comes, or only a part.
    ///
    /// # Panics
    /// If that takes too long.
    pub fn finish(&mut self, begun: Begun) -> Result<Answer, String> {
        let whole = async { tokio::time::timeout(PATIENCE, begun.0).await.expect("an answer in time") };
        self.runtime.block_on(whole).expect("no panic")
    }

    /// Sends a request and reads nothing but the head of its answer.
    ///
    /// # Panics
    /// If there is none.
    pub fn begin_unread(&mut self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        let head = self.sender.send_request(request);
        self.runtime
            .block_on(async { tokio::time::timeout(PATIENCE, head).await })
            .expect("in time")
            .expect("a head")
    }

    /// Reads the rest of an answer.
    ///
    /// # Errors
    /// If it is cut.
    ///
    /// # Panics
    /// If that takes too long.
    pub fn read(&mut self, unread: Response<Incoming>) -> Result<Bytes, String> {
        let whole = async { tokio::time::timeout(PATIENCE, unread.into_body().collect()).await };
        let whole = self.runtime.block_on(whole).expect("in time");
        whole.map(http_body_util::Collected::to_bytes).map_err(|error| format!("{error:?}"))
    }

    /// Sends a request and gives it up as soon as `when` holds.
    pub fn give_up(mut self, request: Request<Full<Bytes>>, when: impl FnMut() -> bool) {
        let begun = self.begin(request);
        crate::eventually("it is time to give up", when);
        begun.0.abort();
        let _ = self.runtime.block_on(begun.0);
        // The reset goes out while the connection lives.
        self.runtime.block_on(async { tokio::time::sleep(std::time::Duration::from_millis(100)).await });
    }

    /// Waits for the end of the connection, and says whether that is a clean one.
    ///
    /// # Panics
    /// If it does not end.
    pub fn ends_cleanly(self) -> bool {
        let Http2 { runtime, connection, sender, .. } = self;
        let ended = runtime.block_on(async { tokio::time::timeout(PATIENCE, connection).await });
        drop(sender);
        ended.expect("the connection ends").expect("no panic").is_ok()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

async fn handshake<I>(
    io: TokioIo<I>,
) -> (SendRequest<Full<Bytes>>, hyper::client::conn::http2::Connection<TokioIo<I>, Full<Bytes>, TokioExecutor>)
where
    I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    Builder::new(TokioExecutor::new()).handshake(io).await.expect("HTTP/2 is spoken")
}

async fn answer(sent: impl Future<Output = hyper::Result<Response<Incoming>>>) -> Result<Answer, String> {
    let (head, body) = sent.await.map_err(|error| format!("{error:?}"))?.into_parts();
    let whole = body.collect().await.map_err(|error| format!("{error:?}"))?;
    let trailers = whole.trailers().cloned();
    Ok(Answer { head: Response::from_parts(head, ()), body: whole.to_bytes(), trailers })
}
