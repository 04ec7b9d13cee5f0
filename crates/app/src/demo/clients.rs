//! Clients that keep their connections, send one request after the other, and never send one twice.

use std::io;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use bytes::Bytes;
use http::header::{CONNECTION, HOST};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Stopping;
use super::expected::Expected;
use super::shop::URLS;
use super::tally::{Failure, Tally};
use super::upstreams::NAMES;

/// Clients, each with one connection: enough to keep requests in flight at every moment.
const CLIENTS: usize = 16;
/// A request that takes longer is lost. Far above what any takes here.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// After a failure, so that a proxy that is gone is not asked a million times.
const PAUSE: Duration = Duration::from_millis(20);

/// The running clients.
pub(super) struct Clients(JoinHandle<()>);

impl Clients {
    /// Starts the clients on a thread of their own.
    pub(super) fn start(
        address: SocketAddr,
        tally: &Tally,
        expected: &Expected,
        stopping: &Stopping,
    ) -> io::Result<Clients> {
        let client =
            Client { address, tally: tally.clone(), expected: expected.clone(), stopping: stopping.clone() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("clients".into()).spawn(move || {
            runtime.block_on(async {
                let mut tasks = tokio::task::JoinSet::new();
                (0..CLIENTS).for_each(|place| drop(tasks.spawn(client.clone().run(place))));
                tasks.join_all().await;
            });
        })?;
        Ok(Clients(thread))
    }

    /// Waits for their end.
    pub(super) fn join(self) -> anyhow::Result<()> {
        self.0.join().map_err(|_| anyhow!("the clients of the demo failed"))
    }
}

#[derive(Clone)]
struct Client {
    address: SocketAddr,
    tally: Tally,
    expected: Expected,
    stopping: Stopping,
}

/// Whether a connection can be used again.
#[derive(PartialEq, Eq)]
enum After {
    Keep,
    Close,
}

impl Client {
    async fn run(self, place: usize) {
        let mut urls = (0..URLS.len()).cycle().skip(place);
        while !self.stopping.is_set() {
            match self.one_connection(&mut urls).await {
                Ok(()) => {}
                Err(failure) => {
                    self.tally.drop(failure);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Sends requests until the proxy says that the connection ends.
    async fn one_connection(&self, urls: &mut impl Iterator<Item = usize>) -> Result<(), Failure> {
        let stream = TcpStream::connect(self.address).await.map_err(|_| Failure::Connect)?;
        stream.set_nodelay(true).map_err(|_| Failure::Connect)?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| Failure::Connect)?;
        tokio::spawn(connection);
        for url in urls {
            let sent = self.request(&mut sender, url);
            match timeout(ANSWER_WITHIN, sent).await.unwrap_or(Err(Failure::TooLate))? {
                After::Keep => {}
                After::Close => return Ok(()),
            }
        }
        Ok(())
    }

    async fn request(&self, sender: &mut SendRequest<Empty<Bytes>>, url: usize) -> Result<After, Failure> {
        let (host, target) = URLS[url];
        let request =
            Request::get(target).header(HOST, host).body(Empty::new()).map_err(|_| Failure::NoAnswer)?;
        let (begun, since) = (Instant::now(), self.expected.now(url));
        // Nothing was announced, so a connection that is gone by now was closed under this request.
        sender.ready().await.map_err(|_| Failure::NoAnswer)?;
        let answer = sender.send_request(request).await.map_err(|_| Failure::NoAnswer)?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|_| Failure::CutShort)?.to_bytes();
        if head.status != StatusCode::OK {
            return Err(Failure::Status);
        }
        let upstream = NAMES.iter().position(|name| name.as_bytes() == body).ok_or(Failure::WrongUpstream)?;
        if !self.expected.allows(url, since, upstream) {
            return Err(Failure::WrongUpstream);
        }
        self.tally.answer(begun.elapsed());
        Ok(after(&head.headers))
    }
}

fn after(headers: &HeaderMap) -> After {
    let close =
        headers.get_all(CONNECTION).iter().any(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
    if close { After::Close } else { After::Keep }
}
