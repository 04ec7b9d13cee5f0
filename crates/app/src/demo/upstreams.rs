//! Three small HTTP servers on a thread of their own; each answers with its name. They stay up all the time: only
//! what the manifests say of them changes.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

/// The names of the upstreams. The place of each is its number everywhere in the demo.
pub(super) const NAMES: [&str; 3] = ["one", "two", "three"];

/// The running upstreams; they end with the process.
pub(super) struct Upstreams {
    addresses: [SocketAddr; NAMES.len()],
}

impl Upstreams {
    pub(super) fn start() -> io::Result<Upstreams> {
        let mut addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); NAMES.len()];
        let mut listeners = Vec::new();
        for (name, address) in NAMES.iter().zip(&mut addresses) {
            let listener = TcpListener::bind(*address)?;
            listener.set_nonblocking(true)?;
            *address = listener.local_addr()?;
            listeners.push((*name, listener));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new()
            .name("upstreams".into())
            .spawn(move || runtime.block_on(serve(listeners)))?;
        Ok(Upstreams { addresses })
    }

    pub(super) fn addresses(&self) -> [SocketAddr; NAMES.len()] {
        self.addresses
    }
}

async fn serve(listeners: Vec<(&'static str, TcpListener)>) {
    let mut tasks = tokio::task::JoinSet::new();
    for (name, listener) in listeners {
        tasks.spawn(accept(name, listener));
    }
    while let Some(ended) = tasks.join_next().await {
        if let Ok(Err(error)) = ended {
            tracing::error!(%error, "an upstream of the demo ended");
        }
    }
}

async fn accept(name: &'static str, listener: TcpListener) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _peer) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let service = service_fn(move |_: Request<Incoming>| async move {
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(name.as_bytes()))))
            });
            // The proxy closes connections as it likes; that is no failure.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
