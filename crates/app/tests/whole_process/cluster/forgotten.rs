//! An API server that has forgotten where we were (`410 Gone`).

use k8s_openapi::api::networking::v1::Ingress;
use rustix::process::Signal;

use crate::support::Cluster;

#[test]
fn what_happened_while_nobody_listened_is_known_after_a_new_list_and_connections_stay() {
    let cluster = Cluster::own("forgotten");
    let gate = cluster.gate(&["--watch-namespace-selector", "team=shop"]);
    let (one, two) = (cluster.upstream("one"), cluster.upstream("two"));
    let namespace = |name: &str, team: &str| {
        format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {{team: {team}}}}}}}")
    };
    cluster.apply(&namespace("forgotten", "shop"));
    cluster.apply(&namespace("moving", "shop"));
    cluster.apply(&cluster.service("web", &[one.address]));
    for name in ["kept", "leaving"] {
        cluster.apply(&cluster.ingress(name, &format!("{name}.example"), "web"));
    }
    let moved = cluster.ingress("moved", "moved.example", "web");
    cluster.apply(&moved.replacen("{name: moved}", "{name: moved, namespace: moving}", 1));
    for host in ["kept.example", "leaving.example"] {
        gate.answers(host, 200, "one");
    }
    gate.answers("moved.example", 503, "");
    let mut client = gate.client();
    assert_eq!(client.get("kept.example", "/").body, "one");

    gate.signal(Signal::STOP);
    cluster.delete::<Ingress>("leaving");
    cluster.apply(&cluster.ingress("new", "new.example", "web"));
    cluster.apply(&cluster.slice("web", &[two.address]));
    cluster.apply(&namespace("moving", "other"));
    cluster.plane.compact().unwrap();
    gate.signal(Signal::CONT);

    gate.answers("leaving.example", 404, "");
    gate.answers("moved.example", 404, "");
    gate.answers("new.example", 200, "two");
    gate.answers("kept.example", 200, "two");
    assert_eq!(client.get("kept.example", "/").body, "two", "on the connection from before");
    assert!(gate.log().contains("gone from the list"), "it was no relist:\n{}", gate.log());
}
