//! Pods, and the slices that Kubernetes' own controller makes of them.

use k8s_openapi::api::core::v1::Pod;
use kube::api::DeleteParams;

use crate::support::{Cluster, Gate, Traffic, Upstream, block_on, eventually};

/// Answers in a row that prove that no other endpoint is asked: with two endpoints, one in 2^20 would be luck.
const IN_A_ROW: usize = 20;

/// A pod that listens where an upstream does; it runs when the test says so.
fn pod(name: &str, upstream: &Upstream) -> String {
    let port = upstream.address.port();
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, labels: {{app: web}}}}, spec: {{nodeName: node-1, \
         containers: [{{name: web, image: none, ports: [{{name: http, containerPort: {port}}}]}}]}}}}"
    )
}

fn set_ready(cluster: &Cluster, pod: &str, upstream: &Upstream, ready: bool) {
    cluster.plane.set_pod_ready(&cluster.namespace, pod, upstream.address.ip(), ready).unwrap();
}

fn create(cluster: &Cluster, name: &str, upstream: &Upstream) {
    // A new namespace has its ServiceAccount, which each pod needs, a moment later.
    eventually("a pod", || cluster.try_apply(&pod(name, upstream)).ok());
    set_ready(cluster, name, upstream, true);
}

/// Waits until exactly these answer.
fn only(gate: &Gate, names: &[&str]) {
    eventually(&format!("only {names:?}"), || {
        let mut client = gate.client();
        let answers: Vec<_> = (0..IN_A_ROW).map(|_| client.get("pods.example", "/").body).collect();
        let all = names.iter().all(|name| answers.iter().any(|answer| answer == name));
        (all && answers.iter().all(|answer| names.contains(&&**answer))).then_some(())
    });
}

/// Takes a pod away as if its grace period were over.
fn finish(cluster: &Cluster, name: &str) {
    let now = DeleteParams::default().grace_period(0);
    block_on(cluster.api::<Pod>().delete(name, &now)).unwrap();
}

#[test]
fn requests_go_to_the_pods_that_are_ready_and_to_terminating_ones_if_there_is_no_other() {
    let cluster = Cluster::shared("pods");
    let gate = cluster.gate(&[]);
    let [one, two, three] = ["one", "two", "three"].map(|name| cluster.upstream(name));
    cluster.apply(
        "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{name: http, \
         port: 80, targetPort: http}]}}",
    );
    cluster.apply(&cluster.ingress("web", "pods.example", "web"));
    gate.answers("pods.example", 503, "");
    create(&cluster, "one", &one);
    gate.answers("pods.example", 200, "one");
    let traffic = Traffic::start(gate.http, "pods.example");

    create(&cluster, "two", &two);
    only(&gate, &["one", "two"]);
    set_ready(&cluster, "one", &one, false);
    only(&gate, &["two"]);
    set_ready(&cluster, "one", &one, true);
    only(&gate, &["one", "two"]);
    // There is no kubelet, so it goes on terminating, and serving.
    cluster.delete::<Pod>("one");
    only(&gate, &["two"]);
    cluster.delete::<Pod>("two");
    only(&gate, &["one", "two"]);
    create(&cluster, "three", &three);
    only(&gate, &["three"]);
    finish(&cluster, "one");
    finish(&cluster, "two");
    only(&gate, &["three"]);
    traffic.end();

    finish(&cluster, "three");
    gate.answers("pods.example", 503, "");
}

#[test]
fn pods_that_are_replaced_one_by_one_cost_no_request() {
    let cluster = Cluster::shared("pods-rolled");
    let gate = cluster.gate(&[]);
    cluster.apply(
        "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{name: http, \
         port: 80, targetPort: http}]}}",
    );
    cluster.apply(&cluster.ingress("web", "pods.example", "web"));
    let upstreams = ["zero", "one", "two", "three", "four"].map(|name| (name, cluster.upstream(name)));
    create(&cluster, upstreams[0].0, &upstreams[0].1);
    gate.answers("pods.example", 200, "zero");
    let traffic = Traffic::start(gate.http, "pods.example");
    for pair in upstreams.windows(2) {
        let [(old, _), (new, upstream)] = pair else { unreachable!("a window of two") };
        create(&cluster, new, upstream);
        gate.answers("pods.example", 200, new);
        cluster.delete::<Pod>(old);
        finish(&cluster, old);
        only(&gate, &[new]);
    }
    traffic.end();
}
