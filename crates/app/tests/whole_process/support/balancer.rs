//! A stand-in for a load balancer of TCP connections: it checks each target's health, needs a few failures to believe
//! one, learns late, and never moves a connection that it has made.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{sleep, spawn};
use std::time::Duration;

/// Between two checks of a target.
const CHECK_EVERY: Duration = Duration::from_millis(200);
/// What is not answered by then has failed; a busy machine is no failure.
const CHECK_TIME_MAX: Duration = Duration::from_secs(5);
/// Failures in a row until a target is believed to be ill.
const THRESHOLD: u32 = 2;
/// From then until no new client is sent there: a balancer is many machines, and they tell each other.
const LAG: Duration = Duration::from_millis(300);

/// One process, as the balancer sees it.
struct Target {
    http: SocketAddr,
    health: SocketAddr,
    is_in: AtomicBool,
    /// Whether it has failed a check, which the balancer itself does not believe yet.
    has_failed: AtomicBool,
    /// Connections sent there after that.
    sent_late: AtomicUsize,
    /// Connections that it refused.
    refused: AtomicUsize,
}

/// A running balancer; its threads end with the test.
pub(crate) struct Balancer {
    pub(crate) address: SocketAddr,
    targets: Arc<Vec<Target>>,
}

impl Balancer {
    /// In front of processes of which each has an address for clients and one for checks.
    pub(crate) fn start(targets: &[(SocketAddr, SocketAddr)]) -> Balancer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let targets: Arc<Vec<Target>> = Arc::new(targets.iter().map(Target::new).collect());
        for place in 0..targets.len() {
            let targets = Arc::clone(&targets);
            spawn(move || targets[place].check());
        }
        let shared = Arc::clone(&targets);
        spawn(move || {
            for (turn, client) in listener.incoming().enumerate() {
                // All are ill: it sends to all, as real ones do.
                let fit: Vec<&Target> = shared.iter().filter(|it| it.is_in.load(Ordering::SeqCst)).collect();
                let target = if fit.is_empty() { &shared[0] } else { fit[turn % fit.len()] };
                target.send(client.unwrap());
            }
        });
        Balancer { address, targets }
    }

    /// Connections that a target was sent although it had said that it wants none.
    pub(crate) fn sent_late(&self, place: usize) -> usize {
        self.targets[place].sent_late.load(Ordering::SeqCst)
    }

    /// Connections that were refused, by any target.
    pub(crate) fn refused(&self) -> usize {
        self.targets.iter().map(|target| target.refused.load(Ordering::SeqCst)).sum()
    }

    /// Whether a target is sent no new client any more.
    pub(crate) fn has_let_go_of(&self, place: usize) -> bool {
        !self.targets[place].is_in.load(Ordering::SeqCst)
    }
}

impl Target {
    fn new(&(http, health): &(SocketAddr, SocketAddr)) -> Target {
        let (is_in, has_failed) = (AtomicBool::new(true), AtomicBool::new(false));
        Target {
            http,
            health,
            is_in,
            has_failed,
            sent_late: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        }
    }

    fn check(&self) {
        let mut failures = 0;
        loop {
            failures = if is_healthy(self.health) { 0 } else { failures + 1 };
            self.has_failed.store(failures > 0, Ordering::SeqCst);
            if failures == THRESHOLD {
                sleep(LAG);
                self.is_in.store(false, Ordering::SeqCst);
            }
            sleep(CHECK_EVERY);
        }
    }

    fn send(&self, client: TcpStream) {
        if self.has_failed.load(Ordering::SeqCst) {
            self.sent_late.fetch_add(1, Ordering::SeqCst);
        }
        let Ok(target) = TcpStream::connect(self.http) else {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return;
        };
        load_balancers::join(client, target);
    }
}

fn is_healthy(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(CHECK_TIME_MAX))?;
        stream.write_all(b"GET /ready HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
