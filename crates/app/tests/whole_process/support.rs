//! A folder of manifests, upstreams, clients, and the program itself.

mod balancer;
mod between;
mod certificates;
mod client;
mod cluster;
mod fake_api;
mod folder;
mod gate;
pub(crate) mod moto;
mod namespaces;
mod relay;
mod survivors;
mod traffic;
mod upstream;
mod visitors;

pub(crate) use balancer::Balancer;
pub(crate) use between::{Between, Step};
pub(crate) use certificates::{Handshakes, Issued};
pub(crate) use client::Client;
pub(crate) use cluster::{Cluster, block_on, pod_address};
pub(crate) use fake_api::{FakeApi, Lie};
pub(crate) use folder::{Folder, ingress, service, slice};
pub(crate) use gate::{Gate, output, program};
pub(crate) use namespaces::{Link, in_a_namespace};
pub(crate) use relay::{Relay, Slowness};
pub(crate) use survivors::Survivors;
pub(crate) use traffic::Traffic;
pub(crate) use upstream::Upstream;
pub(crate) use visitors::Visitors;

use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again and again until something is there.
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
