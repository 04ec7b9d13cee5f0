//! All that come while one process takes over from another: clients on connections they keep, clients that come
//! anew for each request, and a probe. None of them tries anything twice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Client, Gate, eventually};

/// Between two requests of one client: in a closed loop they would leave no CPU to the processes.
const THINK: Duration = Duration::from_millis(1);
/// Between two looks whether the address is ready.
const PROBE_EVERY: Duration = Duration::from_millis(10);

/// One of them, and how many answers it had.
struct Visitor {
    answered: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

/// All of them.
pub(crate) struct Visitors {
    stop: Arc<AtomicBool>,
    all: Vec<Visitor>,
}

impl Visitors {
    /// Two of each kind and a probe; the first answer that is not 200 fails the test.
    pub(crate) fn start(gate: &Gate, host: &'static str) -> Visitors {
        let mut visitors = Visitors::comers(gate, host);
        let http = gate.http;
        for _ in 0..2 {
            let mut kept = Client::connect(http);
            visitors.add(THINK, move || {
                let answer = kept.get(host, "/");
                assert_eq!(answer.status, 200, "{answer:?}");
                if answer.closes() {
                    kept = Client::connect(http);
                }
            });
        }
        visitors
    }

    /// Only those that keep nothing: two clients and the probe.
    pub(crate) fn comers(gate: &Gate, host: &'static str) -> Visitors {
        let mut visitors = Visitors { stop: Arc::default(), all: Vec::new() };
        let (http, admin) = (gate.http, gate.admin);
        visitors.add(PROBE_EVERY, move || is_ok(admin, "probe", "/ready"));
        for _ in 0..2 {
            visitors.add(THINK, move || is_ok(http, host, "/"));
        }
        visitors
    }

    fn add(&mut self, pause: Duration, mut visit: impl FnMut() + Send + 'static) {
        let (stop, answered) = (Arc::clone(&self.stop), Arc::<AtomicU64>::default());
        let count = Arc::clone(&answered);
        let thread = std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                visit();
                count.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(pause);
            }
        });
        self.all.push(Visitor { answered, thread });
    }

    /// Lets each of them have some more answers.
    pub(crate) fn go_on(&self) {
        let counts = || self.all.iter().map(|visitor| visitor.answered.load(Ordering::Relaxed));
        let before: Vec<u64> = counts().collect();
        eventually("more answers", || {
            let failed = self.all.iter().any(|visitor| visitor.thread.is_finished());
            assert!(!failed, "a visitor has failed");
            counts().zip(&before).all(|(now, before)| now > before + 10).then_some(())
        });
    }

    /// Ends it, and fails if any visit did.
    pub(crate) fn end(self) {
        self.go_on();
        self.stop.store(true, Ordering::Relaxed);
        for visitor in self.all {
            visitor.thread.join().expect("every visit is answered 200, the first time");
        }
    }
}

fn is_ok(address: SocketAddr, host: &str, path: &str) {
    let answer = Client::connect(address).get(host, path);
    assert_eq!(answer.status, 200, "{answer:?}");
}
