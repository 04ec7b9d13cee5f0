//! A cluster that is about to take our node away says so by a taint.

use serde_json::json;

use crate::support::{Client, Cluster, Gate, eventually};

const HOST: &str = "taints.example.com";
const NODE: &str = "going";
/// What a cluster-autoscaler, a karpenter and the handler of a cloud's notices say.
const TAINTS: [&str; 3] =
    ["ToBeDeletedByClusterAutoscaler", "karpenter.sh/disrupted", "aws-node-termination-handler/spot-itn"];

fn taint(cluster: &Cluster, keys: &[&str]) {
    let taints: Vec<_> = keys.iter().map(|key| json!({"key": key, "effect": "NoSchedule"})).collect();
    let node =
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}, "spec": {"taints": taints}});
    cluster.apply(&node.to_string());
}

fn phase(gate: &Gate, phase: &str) {
    eventually(phase, || (gate.json("/state")["phase"] == phase).then_some(()));
}

fn is_healthy(gate: &Gate) -> bool {
    let log = gate.log();
    let (_, rest) = log.split_once("load balancers are answered at http://").expect("its line in the log");
    let health = rest.split_once("/ready").unwrap().0.parse().unwrap();
    Client::connect(health).get("balancer", "/ready").status == 200
}

#[test]
fn a_process_on_a_node_that_is_to_be_taken_away_is_a_lame_duck_until_the_taint_is_gone() {
    let cluster = Cluster::shared("taints");
    cluster.plane.create_node(NODE).unwrap();
    let upstream = cluster.upstream("one");
    cluster.apply(&cluster.ingress("web", HOST, "web"));
    cluster.apply(&cluster.service("web", &[upstream.address]));
    let gate = cluster.gate(&["--node-name", NODE, "--health", "127.0.0.1:0"]);
    gate.answers(HOST, 200, "one");
    let mut idle = gate.client();
    for key in TAINTS {
        assert!(is_healthy(&gate) && !idle.get(HOST, "/").closes());
        taint(&cluster, &["example.org/other", key]);
        phase(&gate, "lame duck");
        assert!(gate.json("/state")["reasons"][0].as_str().unwrap().contains(key));
        assert!(!is_healthy(&gate));
        // Old and new clients are served, and told to leave.
        for client in [&mut idle, &mut gate.client()] {
            let answer = client.get(HOST, "/");
            assert_eq!((answer.status, answer.closes()), (200, true), "{answer:?}");
        }
        std::mem::replace(&mut idle, gate.client()).wait_until_closed();
        taint(&cluster, &["example.org/other"]);
        phase(&gate, "serving");
    }
    assert!(is_healthy(&gate));
}

#[test]
fn a_taint_of_another_node_or_one_that_keeps_pods_away_means_nothing() {
    let cluster = Cluster::shared("other-taints");
    for node in ["ours", "another"] {
        cluster.plane.create_node(node).unwrap();
    }
    let tainted = |node: &str, key: &str| {
        let taints = json!([{"key": key, "effect": "NoSchedule"}]);
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}, "spec": {"taints": taints}})
    };
    let gate = cluster.gate(&["--node-name", "ours", "--health", "127.0.0.1:0"]);
    cluster.apply(&tainted("another", TAINTS[0]).to_string());
    cluster.apply(&tainted("ours", "node.kubernetes.io/unschedulable").to_string());
    let knows = |what: &str| eventually(what, || gate.log().contains(what).then_some(()));
    knows("node.kubernetes.io/unschedulable:NoSchedule");
    assert_eq!(gate.json("/state")["phase"], "serving");
    assert!(is_healthy(&gate));
}
