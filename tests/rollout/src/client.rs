//! Clients: none of them ever retries, and none looks whether its connection was closed before it writes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::balancer::{Balancer, Place};
use crate::exchange::{After, connect, exchange};
use crate::manifests::idle_timeout;
use crate::options::Options;
use crate::tally::{Lost, Tally};
use crate::upstreams::HOSTS;

/// A body that is several packets long.
const BODY: usize = 4000;

/// A client that has lost a request waits, so that one fault is not counted thousands of times.
const PAUSE_AFTER_LOSS: Duration = Duration::from_millis(500);

/// How a client behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Keeps its connection and asks again at once, or nearly.
    Busy,
    /// Keeps its connection, and thinks for up to a second.
    Steady,
    /// Keeps its connection, and thinks for as long as it may.
    Idle,
    /// Keeps its connection; its requests take three seconds.
    Slow,
    /// A new connection for each request.
    Fresh,
}

/// Each kind with its share of a hundred clients.
const SHARES: [(Kind, u32); 5] =
    [(Kind::Busy, 6), (Kind::Steady, 40), (Kind::Idle, 40), (Kind::Slow, 8), (Kind::Fresh, 6)];

impl Kind {
    fn think(self, longest: Duration) -> Duration {
        let upper = match self {
            Self::Busy => Duration::from_millis(100),
            Self::Steady | Self::Slow => Duration::from_secs(1),
            Self::Fresh => Duration::from_millis(200),
            Self::Idle => longest,
        };
        upper.mul_f64(fastrand::f64())
    }

    fn path(self, number: u64) -> String {
        if self == Self::Slow { format!("/wait/3000/{number}") } else { format!("/{number}") }
    }
}

/// All clients.
pub(crate) struct Crowd {
    tally: Arc<Tally>,
    is_over: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
    runtime: Arc<Runtime>,
}

impl Crowd {
    pub(crate) fn start(options: &Options, balancer: &Arc<Balancer>) -> Result<Self> {
        let runtime =
            Arc::new(tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?);
        let mut tasks = Vec::new();
        let (tally, is_over) =
            (Arc::new(Tally::new(idle_timeout(options))), Arc::new(AtomicBool::new(false)));
        tasks.push(runtime.spawn(watch_the_clock(tally.clone(), is_over.clone())));
        for (kind, share) in SHARES {
            for _ in 0..(options.clients * share / 100).max(1) {
                let (tally, is_over, balancer) = (tally.clone(), is_over.clone(), balancer.clone());
                let client = Client { kind, longest: options.longest_idle(), tally, is_over, balancer };
                tasks.push(runtime.spawn(client.ask_until_over()));
            }
        }
        Ok(Self { tally, is_over, tasks, runtime })
    }

    pub(crate) fn tally(&self) -> Arc<Tally> {
        self.tally.clone()
    }

    /// Lets each finish its request, and returns what they have met with.
    pub(crate) fn leave(self) -> Arc<Tally> {
        self.is_over.store(true, Ordering::Relaxed);
        self.runtime.block_on(async {
            for task in self.tasks {
                let _ = task.await;
            }
        });
        self.tally
    }
}

struct Client {
    kind: Kind,
    longest: Duration,
    tally: Arc<Tally>,
    is_over: Arc<AtomicBool>,
    balancer: Arc<Balancer>,
}

/// A connection with what is told when it is lost.
struct Connection {
    stream: TcpStream,
    place: Place,
    client: Option<SocketAddr>,
    opened: Instant,
    carried: u64,
    idle_since: Instant,
}

impl Client {
    async fn ask_until_over(self) {
        let mut connection = None;
        while !self.is_over.load(Ordering::Relaxed) {
            if self.nap(self.kind.think(self.longest)).await {
                connection = self.ask(connection).await;
            }
        }
    }

    /// Thinks; false if it is over meanwhile.
    async fn nap(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            if self.is_over.load(Ordering::Relaxed) {
                return false;
            }
            sleep(left.min(Duration::from_millis(200))).await;
        }
        true
    }

    /// One request, on the connection that there is or on a new one.
    async fn ask(&self, connection: Option<Connection>) -> Option<Connection> {
        let mut connection = match connection {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let path = self.kind.path(fastrand::u64(..));
        let (request, wanted) = request(self.kind, &path);
        let (asked, idle) = (Instant::now(), connection.idle_since.elapsed());
        let outcome = exchange(&mut connection.stream, &request, &wanted).await;
        connection.idle_since = Instant::now();
        match outcome {
            Ok(after) => {
                connection.carried += 1;
                self.answered(asked.elapsed(), after);
                (after == After::Keep && self.kind != Kind::Fresh).then_some(connection)
            }
            Err(loss) => {
                let node = Some(connection.place.address);
                let (client, opened, carried) = (connection.client, connection.opened, connection.carried);
                let target = path;
                self.lose(|lost| Lost {
                    loss,
                    target,
                    connection: client,
                    opened,
                    carried,
                    idle,
                    node,
                    ..lost
                })
                .await;
                None
            }
        }
    }

    async fn connect(&self) -> Option<Connection> {
        let place = self.balancer.choose()?;
        match connect(place.address).await {
            Ok(stream) => {
                self.tally.count(self.kind, |count| count.connections += 1);
                let client = stream.local_addr().ok();
                let now = Instant::now();
                Some(Connection { stream, place, client, opened: now, carried: 0, idle_since: now })
            }
            Err(loss) => {
                let node = Some(place.address);
                self.lose(|lost| Lost { loss, node, ..lost }).await;
                None
            }
        }
    }

    fn answered(&self, took: Duration, after: After) {
        self.tally.count(self.kind, |count| {
            count.answered += 1;
            count.slowest = count.slowest.max(took);
            if after == After::Close && self.kind != Kind::Fresh {
                count.told_to_close += 1;
            }
        });
    }

    /// Tells what is known of a loss; the rest is as without a connection.
    async fn lose(&self, tell: impl FnOnce(Lost) -> Lost) {
        self.tally.lose(tell(Lost::now(self.kind)));
        sleep(PAUSE_AFTER_LOSS).await;
    }
}

/// A machine that has too much to do makes clients silent for longer than they want, and requests slow. A reader of a
/// loss should know.
async fn watch_the_clock(tally: Arc<Tally>, is_over: Arc<AtomicBool>) {
    let nap = Duration::from_millis(50);
    while !is_over.load(Ordering::Relaxed) {
        let began = Instant::now();
        sleep(nap).await;
        tally.stood_still(began.elapsed().saturating_sub(nap));
    }
}

/// A request, and what its answer's body begins with. One in four has a body, and a method that may not be tried twice.
fn request(kind: Kind, path: &str) -> (Vec<u8>, String) {
    let host = HOSTS[fastrand::usize(..HOSTS.len())];
    let end = if kind == Kind::Fresh { "Connection: close\r\n" } else { "" };
    if fastrand::u8(..4) == 0 {
        let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\n{end}Content-Length: {BODY}\r\n\r\n");
        let mut request = head.into_bytes();
        request.resize(request.len() + BODY, b'x');
        (request, format!("{path} {BODY}\n"))
    } else {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{end}\r\n");
        (request.into_bytes(), format!("{path} 0\n"))
    }
}
