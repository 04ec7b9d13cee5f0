//! The pages for operators, probes and load balancers: whether the process is alive and ready, its metrics, the live
//! routes and endpoints, and how far it is with leaving.
//!
//! Owns: the paths `/live`, `/ready`, `/state`, `/metrics`, `/routes`, `/endpoints`, `/problems` and `/explain`, the live page
//! at `/`, which of them a listener answers ([`Pages`]), and the JSON form of routes, endpoints and problems ([`json`]), which `check` and
//! `explain` print too. At the control socket also `/drain`, `/undrain` and `/upgrade`, which it passes on as a [`Command`].
//! Never: decides anything. It only reads what other crates publish, and passes commands on to them.
//! Start at [`serve`], then `pages::answer`.

mod accept;
mod command;
mod pages;
mod state;
mod ui;

pub mod json;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lifecycle::Readiness;
use model::{Problem, Published, RouteTable};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

pub use accept::Accept;
pub use command::{Command, CommandRequest, CommandSender, command_channel};
pub use state::{Dns, LoadBalancers, Registration, State};

/// Concurrent connections; more wait in the socket's backlog. A probe, a scraper and a few operators need less.
const CONNECTIONS_MAX: usize = 64;
/// Bytes of a request head; hyper's smallest buffer is 8 KiB, and no probe sends more.
const HEAD_BYTES_MAX: usize = 8 << 10;
/// From the connection to the end of the request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// From the connection to the end of the answer: a slow reader holds one connection this long and blocks no other.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(30);
/// After an accept that failed, as with no file descriptor left: trying again at once would only burn CPU.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Says what would happen to a request, or what is wrong with how it is described.
pub type Explain = Box<dyn Fn(&str) -> Result<String, String> + Send + Sync>;

/// What the pages are made of.
pub struct Sources {
    /// What the process waits for before it is ready.
    pub readiness: Readiness,
    /// The live route table.
    pub routes: Published<RouteTable>,
    /// What is wrong now.
    pub problems: Published<Vec<Problem>>,
    /// What is wrong with the ports that this process should listen on.
    pub port_problems: Published<Vec<Problem>>,
    /// Why the live table has no routes, in one line, if it has none.
    pub no_routes: Published<Option<Arc<str>>>,
    /// The state of the process.
    pub state: Box<dyn Fn() -> State + Send + Sync>,
    /// What would happen to the request that a query describes (`method`, `url`), for people; or what is wrong with the query.
    pub explain: Explain,
    /// All metrics, in Prometheus' text format 0.0.4.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
}

/// Which pages a listener answers.
#[derive(Clone, Debug)]
pub enum Pages {
    /// `/live` and `/ready`: for load balancers, which need to know no more.
    Health,
    /// All that can be read.
    All,
    /// All that, and the commands by POST: for a socket to which only operators can connect.
    Control(CommandSender),
}

/// Answers on `listener` until it is dropped. Each connection carries one request: probes and scrapers come seldom,
/// and none of them can then hold a connection that another needs.
pub async fn serve(listener: impl Accept, pages: Pages, sources: Arc<Sources>) -> Infallible {
    let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // The semaphore is never closed, so there is always a permit to come.
        let permit = Arc::clone(&free).acquire_owned().await;
        match listener.accept().await {
            Ok(stream) => {
                let (pages, sources) = (pages.clone(), Arc::clone(&sources));
                tokio::spawn(async move {
                    let _permit = permit;
                    answer_one(stream, pages, sources).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "an admin listener could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn answer_one(stream: impl AsyncRead + AsyncWrite + Unpin, pages: Pages, sources: Arc<Sources>) {
    let service = service_fn(move |request| {
        let (pages, sources) = (pages.clone(), Arc::clone(&sources));
        async move { Ok::<_, Infallible>(pages::answer(request, &pages, sources).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .keep_alive(false)
        .half_close(true)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(CONNECTION_TIME_MAX, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection to the admin listener failed"),
        Err(_) => tracing::debug!("a connection to the admin listener took too long and was closed"),
    }
}
