//! What answers: pages over HTTP/1, calls over HTTP/2 without TLS, each after a moment; and the page that a browser asks
//! from, with a place for what it has counted.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const PAGE: &str = include_str!("programs/browser/page.html");
/// A request is in flight for long enough to be met by a goodbye.
const MOMENT: Duration = Duration::from_millis(3);

type Body = BoxBody<Bytes, Infallible>;

pub(crate) struct Upstream {
    pub(crate) web: SocketAddr,
    pub(crate) calls: SocketAddr,
    result: Arc<Mutex<Option<String>>>,
    _runtime: Runtime,
}

impl Upstream {
    pub(crate) fn start() -> Result<Upstream> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let bind = || runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let (web, calls) = (bind()?, bind()?);
        let addresses = (web.local_addr()?, calls.local_addr()?);
        let result = Arc::new(Mutex::new(None));
        let place = Arc::clone(&result);
        runtime.spawn(async move {
            while let Ok((socket, _)) = web.accept().await {
                let place = Arc::clone(&place);
                let service = service_fn(move |request| page(request, Arc::clone(&place)));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
            }
        });
        runtime.spawn(async move {
            while let Ok((socket, _)) = calls.accept().await {
                let http2 = http2::Builder::new(TokioExecutor::new());
                tokio::spawn(http2.serve_connection(TokioIo::new(socket), service_fn(call)));
            }
        });
        Ok(Upstream { web: addresses.0, calls: addresses.1, result, _runtime: runtime })
    }

    /// What a browser has counted.
    pub(crate) fn result(&self) -> Option<String> {
        self.result.lock().expect("no holder panics").clone()
    }
}

async fn page(
    request: Request<Incoming>,
    place: Arc<Mutex<Option<String>>>,
) -> Result<Response<Body>, hyper::Error> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    tokio::time::sleep(MOMENT).await;
    let answer = match &*path {
        "/page" => PAGE,
        "/result" => {
            *place.lock().expect("no holder panics") = Some(String::from_utf8_lossy(&body).into_owned());
            ""
        }
        _ => "hello",
    };
    let mut answer = Response::new(Full::new(Bytes::from_static(answer.as_bytes())).boxed());
    if path == "/page" {
        answer.headers_mut().insert("content-type", HeaderValue::from_static("text/html"));
    }
    Ok(answer)
}

/// One empty message, whatever was asked.
async fn call(request: Request<Incoming>) -> Result<Response<Body>, hyper::Error> {
    request.into_body().collect().await?;
    tokio::time::sleep(MOMENT).await;
    let trailers = HeaderMap::from_iter([(
        http::header::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static("0"),
    )]);
    let message = Full::new(Bytes::from_static(&[0; 5])).with_trailers(async move { Some(Ok(trailers)) });
    let mut answer = Response::new(message.boxed());
    answer.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    Ok(answer)
}
