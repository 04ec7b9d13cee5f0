//! All that come while processes are killed under them: clients that keep their connections, clients that come anew
//! for each request, and a probe. What is inside a process that is killed is lost with it; nothing else may be.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Client, Gate, eventually};

/// Between two requests of one client: in a closed loop they would leave no CPU to the processes.
const THINK: Duration = Duration::from_millis(1);
/// Of each kind of client.
const CLIENTS: usize = 4;

/// A request without an answer.
#[derive(Debug)]
pub(crate) struct Loss {
    /// When its connection was opened.
    opened: Instant,
    /// When the loss was seen.
    seen: Instant,
    #[expect(dead_code, reason = "it is shown")]
    why: String,
}

impl Loss {
    /// Whether it can have been inside a process that was killed between these two moments.
    pub(crate) fn is_due_to(&self, before: Instant, after: Instant) -> bool {
        self.opened < after && self.seen >= before
    }
}

struct Survivor {
    answered: Arc<AtomicU64>,
    thread: JoinHandle<Vec<Loss>>,
}

/// All of them.
pub(crate) struct Survivors {
    stop: Arc<AtomicBool>,
    all: Vec<Survivor>,
}

/// A connection, and when it was opened.
struct Connection {
    client: Client,
    opened: Instant,
}

impl Connection {
    /// Fails the test if it is refused.
    fn open(to: SocketAddr) -> Connection {
        let stream = TcpStream::connect(to).expect("no client is refused");
        Connection { client: Client::on(stream), opened: Instant::now() }
    }

    /// Whether it can be used again; or what was lost.
    fn visit(&mut self, host: &str, path: &str) -> Result<bool, Loss> {
        match self.client.try_get(host, path) {
            Ok(answer) => {
                assert_eq!(answer.status, 200, "{answer:?}");
                Ok(!answer.closes())
            }
            Err(error) => Err(Loss { opened: self.opened, seen: Instant::now(), why: error.to_string() }),
        }
    }
}

impl Survivors {
    pub(crate) fn start(gate: &Gate, host: &'static str) -> Survivors {
        let mut survivors = Survivors { stop: Arc::default(), all: Vec::new() };
        for _ in 0..CLIENTS {
            survivors.add(gate.http, host, "/", true);
            survivors.add(gate.http, host, "/", false);
        }
        survivors.add(gate.admin, "probe", "/ready", false);
        survivors
    }

    fn add(&mut self, to: SocketAddr, host: &'static str, path: &'static str, keeps: bool) {
        let (stop, answered) = (Arc::clone(&self.stop), Arc::<AtomicU64>::default());
        let count = Arc::clone(&answered);
        let thread = std::thread::spawn(move || {
            let (mut kept, mut losses) = (None, Vec::new());
            while !stop.load(Ordering::Relaxed) {
                let mut connection = kept.take().unwrap_or_else(|| Connection::open(to));
                match connection.visit(host, path) {
                    Ok(goes_on) => {
                        count.fetch_add(1, Ordering::Relaxed);
                        kept = (keeps && goes_on).then_some(connection);
                    }
                    Err(loss) => losses.push(loss),
                }
                std::thread::sleep(THINK);
            }
            losses
        });
        self.all.push(Survivor { answered, thread });
    }

    /// Lets each of them have some more answers.
    pub(crate) fn go_on(&self) {
        let counts = || self.all.iter().map(|survivor| survivor.answered.load(Ordering::Relaxed));
        let before: Vec<u64> = counts().collect();
        eventually("more answers", || {
            let failed = self.all.iter().any(|survivor| survivor.thread.is_finished());
            assert!(!failed, "a client was refused, or answered otherwise than 200");
            counts().zip(&before).all(|(now, before)| now > before + 5).then_some(())
        });
    }

    /// Ends it and returns how many answers there were and what was lost; fails if any client was refused.
    pub(crate) fn end(self) -> (u64, Vec<Loss>) {
        self.go_on();
        self.stop.store(true, Ordering::Relaxed);
        let (mut answers, mut losses) = (0, Vec::new());
        for survivor in self.all {
            losses.extend(survivor.thread.join().expect("no client is refused"));
            answers += survivor.answered.load(Ordering::Relaxed);
        }
        (answers, losses)
    }
}
