//! An API server that is killed, or hangs.

use std::time::{Duration, Instant};

use crate::support::{Cluster, Traffic};

/// Longer than the client of the API server waits for a connection.
const A_WHILE: Duration = Duration::from_secs(3);

#[test]
fn an_api_server_that_is_killed_or_hangs_costs_no_request_and_is_followed_again_at_once() {
    let cluster = Cluster::own("away");
    let gate = cluster.gate(&[]);
    let (one, two) = (cluster.upstream("one"), cluster.upstream("two"));
    cluster.apply(&cluster.service("web", &[one.address]));
    cluster.apply(&cluster.ingress("web", "away.example", "web"));
    gate.answers("away.example", 200, "one");
    let traffic = Traffic::start(gate.http, "away.example");

    let api = cluster.plane.apiserver();
    api.kill().unwrap();
    traffic.go_on_for(A_WHILE);
    gate.tells("watch-failed", "Ingress");
    api.start().unwrap();
    let back = Instant::now();
    cluster.apply(&cluster.slice("web", &[two.address]));
    gate.answers_soon("away.example", "two", back);
    gate.tells_no_more("watch-failed", "\"kind\":\"EndpointSlice\"");

    api.pause().unwrap();
    traffic.go_on_for(A_WHILE);
    assert!(gate.is_ready());
    api.resume().unwrap();
    let back = Instant::now();
    cluster.apply(&cluster.slice("web", &[one.address]));
    gate.answers_soon("away.example", "one", back);
    traffic.end();
}

#[test]
fn a_start_waits_for_an_api_server_that_hangs() {
    let cluster = Cluster::own("hung");
    let one = cluster.upstream("one");
    cluster.apply(&cluster.service("web", &[one.address]));
    cluster.apply(&cluster.ingress("web", "hung.example", "web"));
    let api = cluster.plane.apiserver();
    api.pause().unwrap();
    let gate = cluster.gate_with(cluster.plane.kubeconfig().to_str().unwrap(), &[]);
    let until = Instant::now() + A_WHILE;
    while Instant::now() < until {
        let (status, waits_for) = gate.page("/ready");
        assert_eq!(status, 503, "{waits_for}");
    }
    api.resume().unwrap();
    let gate = gate.ready();
    assert!(gate.gives("hung.example", 200, "one"), "what is ready knows everything");
}
