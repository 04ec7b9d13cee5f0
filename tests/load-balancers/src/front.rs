//! Where clients of a load balancer connect. It sends TCP connections, as a Network Load Balancer does, and never moves one.

use std::collections::BTreeMap;
use std::io::copy;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::spawn;

use crate::Shared;

/// A listener of a load balancer.
pub struct Front {
    /// Where clients connect.
    pub address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    refused: AtomicUsize,
    homeless: AtomicUsize,
    sent: std::sync::Mutex<BTreeMap<String, usize>>,
}

impl Front {
    pub(crate) fn start(model: Shared, place: String, addresses: BTreeMap<String, SocketAddr>) -> Front {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, counts) = (listener.local_addr().unwrap(), Arc::new(Counts::default()));
        let shared = Arc::clone(&counts);
        spawn(move || {
            for (turn, client) in listener.incoming().enumerate() {
                let targets = model.lock().unwrap().routed(&place);
                match targets.get(turn % targets.len().max(1)) {
                    Some(target) => shared.send(client.unwrap(), target, addresses[target]),
                    None => drop(shared.homeless.fetch_add(1, Ordering::SeqCst)),
                }
            }
        });
        Front { address, counts }
    }

    /// Connections that a target refused.
    pub fn refused(&self) -> usize {
        self.counts.refused.load(Ordering::SeqCst)
    }

    /// Connections for which there was no target.
    pub fn homeless(&self) -> usize {
        self.counts.homeless.load(Ordering::SeqCst)
    }

    /// Connections that were sent to a target.
    pub fn sent(&self, target: &str) -> usize {
        self.counts.sent.lock().unwrap().get(target).copied().unwrap_or_default()
    }
}

impl Counts {
    fn send(&self, client: TcpStream, name: &str, address: SocketAddr) {
        let Ok(target) = TcpStream::connect(address) else {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return;
        };
        *self.sent.lock().unwrap().entry(name.to_owned()).or_default() += 1;
        join(client, target);
    }
}

/// Passes on what either side of a connection says, until both have ended it.
pub fn join(client: TcpStream, target: TcpStream) {
    let (to, from) = (target.try_clone().unwrap(), client.try_clone().unwrap());
    spawn(move || pump(from, to));
    spawn(move || pump(target, client));
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    // Either side may end it.
    let _ = copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
