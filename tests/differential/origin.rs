//! An upstream that writes down what arrives.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use system_tests::{Message, Upstream};

/// One proxy's upstream.
pub(crate) struct Origin {
    upstream: Upstream,
    arrived: Arc<Mutex<Vec<String>>>,
}

impl Origin {
    pub(crate) fn start() -> Origin {
        let arrived = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&arrived);
        let upstream = Upstream::scripted(move |peer| {
            while let Ok(request) = peer.request() {
                log.lock().unwrap().push(line(&request));
                if peer.respond("").is_err() {
                    return;
                }
            }
        });
        Origin { upstream, arrived }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.upstream.address
    }

    /// What has arrived since it was asked last.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.arrived.lock().unwrap())
    }
}

/// What a server goes by: method, target, host, the fields of the test's own, and the body.
fn line(request: &Message) -> String {
    let start = request.start.rsplit_once(' ').map_or("", |(start, _)| start);
    let host = request.field("host").unwrap_or_default();
    let probes = request.fields.iter().filter(|(name, _)| name.starts_with("probe") || name.contains('_'));
    let probes: Vec<String> = probes.map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{start} @{host} {probes:?} {:?}", request.text())
}
