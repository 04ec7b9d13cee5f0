//! A store that was emptied, or replaced by another.

use crate::support::{Cluster, Traffic};

#[test]
fn routes_are_served_on_when_the_store_is_emptied() {
    let cluster = Cluster::own("emptied");
    let gate = cluster.gate(&[]);
    let one = cluster.upstream("one");
    cluster.apply(&cluster.service("web", &[one.address]));
    cluster.apply(&cluster.ingress("web", "emptied.example", "web"));
    gate.answers("emptied.example", 200, "one");
    let traffic = Traffic::start(gate.http, "emptied.example");

    cluster.plane.wipe().unwrap();
    let since = std::time::Instant::now();
    while since.elapsed() < std::time::Duration::from_secs(15) {
        traffic.go_on();
    }
    println!("{}\n{}", gate.page("/problems").1, gate.log());
    cluster.apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {}}}}}", cluster.namespace));
    cluster.apply(&cluster.class());
    let two = cluster.upstream("two");
    cluster.apply(&cluster.service("web2", &[two.address]));
    cluster.apply(&cluster.ingress("web2", "emptied2.example", "web2"));
    gate.answers("emptied2.example", 200, "two");
    traffic.end();
}
