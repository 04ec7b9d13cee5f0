//! A store that was emptied, or replaced by another.

use crate::support::{Cluster, Gate, Traffic};

/// A route in a namespace that may have to be made anew, and its Service.
fn create(cluster: &Cluster, name: &str, endpoint: std::net::SocketAddr) {
    cluster.apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {}}}}}", cluster.namespace));
    cluster.apply(&cluster.class());
    cluster.apply(&cluster.service(name, &[endpoint]));
    cluster.apply(&cluster.ingress(name, &format!("{name}.example"), name));
}

/// Whatever may be missing, it is told and kept, and what is new is served.
fn is_served_on(cluster: &Cluster, gate: &Gate, traffic: &Traffic, next: &str) {
    gate.tells("watch-failed", "another cluster or its store was emptied");
    traffic.go_on();
    let two = cluster.upstream("two");
    create(cluster, next, two.address);
    gate.answers(&format!("{next}.example"), 200, "two");
    assert!(gate.gives("web.example", 200, "one"));
}

#[test]
fn routes_are_served_on_when_the_store_is_emptied_and_what_is_new_is_followed() {
    let cluster = Cluster::own("emptied");
    let gate = cluster.gate(&[]);
    let one = cluster.upstream("one");
    create(&cluster, "web", one.address);
    gate.answers("web.example", 200, "one");
    // A cluster that is not young has versions which the next will not reach soon.
    for round in 0..1000 {
        cluster.apply(&format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: old}}, data: {{round: \"{round}\"}}}}"
        ));
    }
    let traffic = Traffic::start(gate.http, "web.example");

    cluster.plane.wipe().unwrap();
    is_served_on(&cluster, &gate, &traffic, "next");

    // The API server has caches of what is no more, until it is started anew.
    cluster.plane.wipe_etcd().unwrap();
    traffic.go_on();
    cluster.plane.apiserver().kill().unwrap();
    cluster.plane.apiserver().start().unwrap();
    is_served_on(&cluster, &gate, &traffic, "last");
    traffic.end();
}
