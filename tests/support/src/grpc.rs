//! An upstream that answers calls of gRPC, by the name of the method; and the codec that both sides use: bytes as they are.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Buf, BufMut};
use futures_util::stream::{BoxStream, StreamExt, unfold};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::Grpc;
use tonic::{Response, Status, Streaming};

/// Messages as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining()).into()))
    }
}

/// A running upstream.
#[derive(Debug)]
pub struct GrpcUpstream {
    /// Where it listens.
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// Its tasks end with it.
    _runtime: tokio::runtime::Runtime,
}

impl GrpcUpstream {
    /// Starts one that takes so many streams on one connection.
    ///
    /// # Panics
    /// If loopback has no port left.
    pub fn start(streams_max: u32, tls: Option<Arc<ServerConfig>>) -> GrpcUpstream {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(socket, streams_max).await,
                        Some(tls) => {
                            if let Ok(session) = TlsAcceptor::from(tls).accept(socket).await {
                                serve(session, streams_max).await;
                            }
                        }
                    }
                });
            }
        });
        GrpcUpstream { address, connections, _runtime: runtime }
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, streams_max: u32) {
    let service = service_fn(|request: Request<Incoming>| async move {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        let handler = tower::service_fn(move |call: tonic::Request<Streaming<Vec<u8>>>| {
            let method = method.clone();
            async move { answer(&method, call).await }
        });
        Ok::<_, Infallible>(Grpc::new(Raw).streaming(handler, request).await)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    let _ = builder.max_concurrent_streams(streams_max).serve_connection(TokioIo::new(io), service).await;
}

type Answers = BoxStream<'static, Result<Vec<u8>, Status>>;

/// - `One`: one message for one, `Down`: three for one, `Up`: the sum of the lengths for all, `Both`: each as it comes;
/// - `Fail`: a status of its own, `After`: one message and then a status, `Never`: nothing at all, `Stall`: one message and
///   then nothing.
async fn answer(method: &str, call: tonic::Request<Streaming<Vec<u8>>>) -> Result<Response<Answers>, Status> {
    let host = call.metadata().get("x-forwarded-host").cloned();
    let mut messages = call.into_inner();
    let answers: Answers = match method {
        "Up" => {
            let mut sum = 0;
            while let Some(message) = messages.message().await? {
                sum += message.len();
            }
            one(sum.to_string().into())
        }
        "Both" => {
            unfold(messages, |mut messages| async { Some((messages.message().await.transpose()?, messages)) })
                .boxed()
        }
        "Fail" => return Err(Status::failed_precondition("not today")),
        "Never" => std::future::pending().await,
        _ => {
            let message = messages.message().await?.unwrap_or_default();
            match method {
                "Down" => {
                    futures_util::stream::iter([message.clone(), message.clone(), message].map(Ok)).boxed()
                }
                "After" => {
                    futures_util::stream::iter([Ok(message), Err(Status::data_loss("half of it"))]).boxed()
                }
                "Stall" => one(message).chain(futures_util::stream::pending()).boxed(),
                _ => one(message),
            }
        }
    };
    let mut response = Response::new(answers);
    if let Some(host) = host {
        response.metadata_mut().insert("x-host", host);
    }
    Ok(response)
}

fn one(message: Vec<u8>) -> Answers {
    futures_util::stream::iter([Ok(message)]).boxed()
}
