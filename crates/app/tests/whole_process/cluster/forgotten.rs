//! An API server that has forgotten where we were (`410 Gone`).

use k8s_openapi::api::networking::v1::Ingress;
use rustix::process::Signal;

use crate::support::{Client, Cluster, Gate, Relay, Slowness, Traffic};

fn namespace(name: &str, team: &str) -> String {
    format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {{team: {team}}}}}}}")
}

/// The program behind a relay, serving the Ingresses of the namespaces of a team: `kept`, `leaving` and `moved`.
fn serving(cluster: &Cluster, endpoint: std::net::SocketAddr) -> (Relay, Gate, tempfile::NamedTempFile) {
    let (relay, kubeconfig) = cluster.relay(Slowness::default());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, kubeconfig).unwrap();
    let team = ["--watch-namespace-selector", "team in (shop, cart)"];
    let gate = cluster.gate_with(file.path().to_str().unwrap(), &team).ready();
    cluster.apply(&namespace(&cluster.namespace, "shop"));
    cluster.apply(&namespace("moving", "cart"));
    cluster.apply(&cluster.service("web", &[endpoint]));
    for name in ["kept", "leaving"] {
        cluster.apply(&cluster.ingress(name, &format!("{name}.example"), "web"));
    }
    let moved = cluster.ingress("moved", "moved.example", "web");
    cluster.apply(&moved.replacen("{name: moved}", "{name: moved, namespace: moving}", 1));
    for host in ["kept.example", "leaving.example"] {
        gate.answers(host, 200, "one");
    }
    gate.answers("moved.example", 503, "");
    (relay, gate, file)
}

#[test]
fn what_happened_while_the_process_stood_still_is_known_after_a_new_list_and_connections_stay() {
    let cluster = Cluster::own("forgotten");
    let (one, two) = (cluster.upstream("one"), cluster.upstream("two"));
    let (relay, gate, _kubeconfig) = serving(&cluster, one.address);
    let mut client = gate.client();
    assert_eq!(client.get("kept.example", "/").body, "one");

    gate.signal(Signal::STOP);
    relay.cut();
    cluster.delete::<Ingress>("leaving");
    cluster.apply(&cluster.ingress("new", "new.example", "web"));
    cluster.apply(&cluster.slice("web", &[two.address]));
    cluster.apply(&namespace("moving", "other"));
    cluster.plane.compact().unwrap();
    relay.mend();
    gate.signal(Signal::CONT);

    gate.answers("leaving.example", 404, "");
    gate.answers("moved.example", 404, "");
    gate.answers("new.example", 200, "two");
    gate.answers("kept.example", 200, "two");
    assert_eq!(client.get("kept.example", "/").body, "two", "on the connection from before");
    let relisted = |kind: &str| gate.log().contains(&format!("kind={kind} objects=1"));
    assert!(relisted("Ingress") && relisted("Namespace"), "the watches told of it:\n{}", gate.log());

    // The same under traffic, and nothing has changed.
    let traffic = Traffic::start(gate.http, "kept.example");
    cluster.plane.compact().unwrap();
    cluster.apply(&cluster.slice("web", &[one.address]));
    gate.answers("kept.example", 200, "one");
    traffic.end();
    stays_on(&mut client);
}

fn stays_on(client: &mut Client) {
    assert_eq!(client.get("kept.example", "/").body, "one", "on the connection from before");
}
