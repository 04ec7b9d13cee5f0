//! An upstream that answers each request with its name, and holds those for `/held` back until it is told to go on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use test_support::{eventually, gate};

/// A running upstream; its threads end with the test.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    waiting: Arc<AtomicUsize>,
    held: gate::Gate,
}

impl Upstream {
    pub(crate) fn start(name: &'static str) -> Upstream {
        Upstream::at(Ipv4Addr::LOCALHOST.into(), name)
    }

    /// Starts where a pod could be.
    pub(crate) fn at(address: IpAddr, name: &'static str) -> Upstream {
        let (waiting, held) = (Arc::<AtomicUsize>::default(), gate::Gate::default());
        let (counted, holds) = (Arc::clone(&waiting), held.clone());
        let upstream = test_support::Upstream::scripted_at(address, move |peer| {
            while let Ok(request) = peer.request() {
                if request.start.contains("/held") {
                    counted.fetch_add(1, Ordering::SeqCst);
                    holds.pass();
                }
                if peer.respond(name).is_err() {
                    return;
                }
            }
        });
        Upstream { address: upstream.address, waiting, held }
    }

    /// Waits until a request is held back.
    pub(crate) fn wait_until_one_is_held(&self) {
        eventually("a held request", || self.waiting.load(Ordering::SeqCst) > 0);
    }

    /// Lets all held requests go on.
    pub(crate) fn release(&self) {
        self.held.open();
    }
}
