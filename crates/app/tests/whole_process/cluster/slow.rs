//! An API server that is far away.

use std::time::Duration;

use k8s_openapi::api::networking::v1::Ingress;

use crate::support::{Cluster, Slowness, Traffic};

/// The other side of the world, on a line that is shared.
const FAR: Slowness = Slowness { latency: Duration::from_millis(300), bytes_per_second: Some(64 * 1024) };

#[test]
fn an_api_server_that_is_far_away_is_followed_all_the_same() {
    let cluster = Cluster::shared("slow");
    let (one, two) = (cluster.upstream("one"), cluster.upstream("two"));
    cluster.apply(&cluster.service("web", &[one.address]));
    cluster.apply(&cluster.ingress("web", "slow.example", "web"));
    let (_relay, kubeconfig) = cluster.relay(FAR);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, kubeconfig).unwrap();
    let gate = cluster.gate_with(file.path().to_str().unwrap(), &[]).ready();
    assert!(gate.gives("slow.example", 200, "one"), "what is ready knows everything");
    let traffic = Traffic::start(gate.http, "slow.example");
    cluster.apply(&cluster.slice("web", &[two.address]));
    gate.answers("slow.example", 200, "two");
    cluster.apply(&cluster.ingress("more", "more.example", "web"));
    gate.answers("more.example", 200, "two");
    cluster.delete::<Ingress>("more");
    gate.answers("more.example", 404, "");
    assert!(!gate.has_problem("watch-failed", ""));
    traffic.end();
}
