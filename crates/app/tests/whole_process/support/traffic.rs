//! Clients that ask without a pause, on connections they keep, and never try anything twice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Client, eventually};

/// Traffic for one host.
pub(crate) struct Traffic {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    clients: Vec<JoinHandle<()>>,
}

impl Traffic {
    /// Two clients, each with one connection; the first answer that is not 200 fails the test.
    pub(crate) fn start(gate: SocketAddr, host: &str) -> Traffic {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let clients = (0..2).map(|_| {
            let (stop, answered, host) = (Arc::clone(&stop), Arc::clone(&answered), host.to_owned());
            std::thread::spawn(move || {
                let mut client = Client::connect(gate);
                while !stop.load(Ordering::Relaxed) {
                    let answer = client.get(&host, "/");
                    assert_eq!(answer.status, 200, "{answer:?}");
                    answered.fetch_add(1, Ordering::Relaxed);
                    // A client in a closed loop would leave no CPU to the cluster.
                    std::thread::sleep(Duration::from_millis(1));
                }
            })
        });
        Traffic { clients: clients.collect(), stop, answered }
    }

    /// Lets some more requests be answered.
    pub(crate) fn go_on(&self) {
        let before = self.answered.load(Ordering::Relaxed);
        eventually("more answers", || {
            let failed = self.clients.iter().any(JoinHandle::is_finished);
            assert!(!failed, "a client has failed");
            (self.answered.load(Ordering::Relaxed) > before + 20).then_some(())
        });
    }

    /// Lets requests be answered for so long.
    pub(crate) fn go_on_for(&self, time: Duration) {
        let since = Instant::now();
        while since.elapsed() < time {
            self.go_on();
        }
    }

    /// Ends it, and fails if any request did; returns how many there were.
    pub(crate) fn end(self) -> u64 {
        self.go_on();
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.join().expect("every request is answered 200, on the connection it was sent on");
        }
        self.answered.load(Ordering::Relaxed)
    }
}
