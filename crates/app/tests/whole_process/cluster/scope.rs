//! Which Ingresses are ours: by namespace, by its labels, and by class.

use k8s_openapi::api::networking::v1::IngressClass;
use kube::Api;
use kube::api::DeleteParams;

use crate::support::{Cluster, Gate, Traffic, block_on};

fn namespace(name: &str, team: &str) -> String {
    format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {{team: {team}}}}}}}")
}

/// Puts a manifest of this namespace into another.
fn moved_to(namespace: &str, manifest: &str) -> String {
    manifest.replace("metadata: {name: ", &format!("metadata: {{namespace: {namespace}, name: "))
}

/// An IngressClass of a name and a controller, and what stands in its metadata beside.
fn class(name: &str, controller: &str, more: &str) -> String {
    format!(
        "{{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {{name: {name}{more}}}, spec: {{controller: \
         {controller}}}}}"
    )
}

/// What is served once is served: the route of another object, created later, shows that this one was passed over.
fn passes_over(cluster: &Cluster, gate: &Gate, host: &str, marker: &str) {
    cluster.apply(&cluster.ingress(marker, &format!("{marker}.example"), "web"));
    gate.answers(&format!("{marker}.example"), 200, "one");
    gate.answers(host, 404, "");
}

#[test]
fn only_the_namespaces_that_are_named_are_served() {
    let cluster = Cluster::shared("scope-named");
    let one = cluster.upstream("one");
    cluster.apply(&namespace("scope-second", "any"));
    cluster.apply(&namespace("scope-other", "any"));
    let gate = cluster.gate(&["--watch-namespace", "scope-named,scope-second"]);
    for (place, host) in [("scope-other", "other.example"), ("scope-second", "second.example")] {
        cluster.apply(&moved_to(place, &cluster.service("web", &[one.address])));
        cluster.apply(&moved_to(place, &cluster.ingress("web", host, "web")));
    }
    cluster.apply(&cluster.service("web", &[one.address]));
    gate.answers("second.example", 200, "one");
    passes_over(&cluster, &gate, "other.example", "named");
}

#[test]
fn a_namespace_is_served_while_it_has_the_labels() {
    let cluster = Cluster::shared("scope-labels");
    let one = cluster.upstream("one");
    cluster.apply(&namespace("scope-labels", "labels"));
    cluster.apply(&namespace("scope-moving", "none"));
    let gate = cluster.gate(&["--watch-namespace-selector", "team=labels"]);
    cluster.apply(&cluster.service("web", &[one.address]));
    cluster.apply(&moved_to("scope-moving", &cluster.service("web", &[one.address])));
    cluster.apply(&moved_to("scope-moving", &cluster.ingress("web", "moving.example", "web")));
    passes_over(&cluster, &gate, "moving.example", "labelled");
    let traffic = Traffic::start(gate.http, "labelled.example");
    for _ in 0..3 {
        cluster.apply(&namespace("scope-moving", "labels"));
        gate.answers("moving.example", 200, "one");
        cluster.apply(&namespace("scope-moving", "none"));
        gate.answers("moving.example", 404, "");
    }
    traffic.end();
}

#[test]
fn an_ingress_is_ours_while_its_class_is() {
    let cluster = Cluster::shared("scope-class");
    let gate = cluster.gate(&[]);
    let one = cluster.upstream("one");
    let classes: Api<IngressClass> = Api::all(cluster.client.clone());
    let delete = |name: &str| drop(block_on(classes.delete(name, &DeleteParams::default())).unwrap());
    let ingress = |class: &str| {
        let ours = cluster.ingress("web", "class.example", "web");
        ours.replacen("ingressClassName: scope-class", &format!("ingressClassName: {class}"), 1)
    };
    let ours = "test.example/scope-class";
    cluster.apply(&cluster.service("web", &[one.address]));
    cluster.apply(&cluster.ingress("stays", "stays.example", "web"));
    gate.answers("stays.example", 200, "one");
    let traffic = Traffic::start(gate.http, "stays.example");

    cluster.apply(&ingress("scope-class"));
    gate.answers("class.example", 200, "one");
    cluster.apply(&ingress("scope-second"));
    gate.answers("class.example", 404, "");
    // A class may be created after its Ingresses.
    cluster.apply(&class("scope-second", ours, ""));
    gate.answers("class.example", 200, "one");
    delete("scope-second");
    gate.answers("class.example", 404, "");
    // Its controller cannot be changed, but it can be deleted and created with another.
    cluster.apply(&class("scope-second", "test.example/others", ""));
    passes_over(&cluster, &gate, "class.example", "later");
    assert!(cluster.try_apply(&class("scope-second", ours, "")).is_err());
    cluster.apply(&ingress("scope-class"));
    gate.answers("class.example", 200, "one");
    delete("scope-second");
    traffic.end();
}

#[test]
fn an_ingress_without_a_class_is_ours_while_ours_is_the_default() {
    let cluster = Cluster::shared("scope-default");
    let gate = cluster.gate(&[]);
    let one = cluster.upstream("one");
    let ours = "test.example/scope-default";
    cluster.apply(&cluster.service("web", &[one.address]));
    // Created before there is a default: the API server writes that into those that are created later.
    let ingress = cluster.ingress("web", "default.example", "web");
    cluster.apply(&ingress.replacen("ingressClassName: scope-default, ", "", 1));
    passes_over(&cluster, &gate, "default.example", "defaulted");
    let traffic = Traffic::start(gate.http, "defaulted.example");
    let is_default = ", annotations: {ingressclass.kubernetes.io/is-default-class: \"true\"}";
    cluster.apply(&class("scope-default", ours, is_default));
    gate.answers("default.example", 200, "one");
    cluster.apply(&class("scope-default", ours, ""));
    gate.answers("default.example", 404, "");
    traffic.end();
}
