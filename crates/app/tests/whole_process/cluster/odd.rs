//! Objects that the API server accepts and that make no sense: they cost no other object anything.

use crate::support::{Cluster, Traffic, eventually};

/// An Ingress whose one path is written here.
fn with_path(cluster: &Cluster, name: &str, path: &str) -> String {
    let host = format!("{name}.example");
    cluster.ingress(name, &host, "web").replacen("path: /, pathType: Prefix", path, 1)
}

/// A Service of these ports or this kind, and its slice.
fn service(cluster: &Cluster, name: &str, spec: &str, slice: &str) {
    cluster.apply(&format!("{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {spec}}}"));
    if !slice.is_empty() {
        cluster.apply(&format!(
            "{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {{name: {name}-odd, labels: \
             {{kubernetes.io/service-name: {name}}}}}, {slice}}}"
        ));
    }
    cluster.apply(&cluster.ingress(name, &format!("{name}.example"), name));
}

#[test]
fn objects_that_make_no_sense_cost_no_other_object_anything() {
    let cluster = Cluster::shared("odd");
    let gate = cluster.gate(&[]);
    let one = cluster.upstream("one");
    cluster.apply(&cluster.service("web", &[one.address]));
    cluster.apply(&cluster.ingress("good", "good.example", "web"));
    gate.answers("good.example", 200, "one");
    let traffic = Traffic::start(gate.http, "good.example");

    for (name, path) in [
        ("any", "path: /a?b=c(.*), pathType: ImplementationSpecific"),
        ("encoded", "path: /a%20b/%C3%BC, pathType: Exact"),
        ("none", "pathType: ImplementationSpecific"),
        ("long", &format!("path: /{}, pathType: Prefix", "a".repeat(3000))),
    ] {
        cluster.apply(&with_path(&cluster, name, path));
    }
    cluster.apply(&cluster.ingress("wild", "\"*.odd.example\"", "web"));
    cluster.apply(&cluster.ingress("same", "good.example", "missing"));
    let annotated = cluster.ingress("annotated", "annotated.example", "web");
    let annotations = "annotations: {nginx.ingress.kubernetes.io/auth-url: \"http://[\", unknown/thing: x}, name: annotated";
    cluster.apply(&annotated.replacen("name: annotated", annotations, 1));
    cluster.apply(&cluster.ingress("resource", "resource.example", "web").replacen(
        "service: {name: web, port: {number: 80}}",
        "resource: {apiGroup: example.org, kind: Bucket, name: web}",
        1,
    ));

    service(&cluster, "metadata", "{type: ExternalName, externalName: 169.254.169.254}", "");
    service(&cluster, "loop", "{type: ExternalName, externalName: localhost}", "");
    let ports = "{ports: [{name: http, port: 80}]}";
    let (named, address) = ("ports: [{name: http, port: 80}]", one.address.ip());
    for (name, slice) in [
        ("fqdn", format!("addressType: FQDN, {named}, endpoints: [{{addresses: [example.org]}}]")),
        ("portless", format!("addressType: IPv4, endpoints: [{{addresses: [{address}]}}]")),
        (
            "misnamed",
            format!(
                "addressType: IPv4, ports: [{{name: grpc, port: 80}}], endpoints: [{{addresses: [{address}]}}]"
            ),
        ),
        ("endless", format!("addressType: IPv4, {named}, endpoints: []")),
        (
            "udp",
            format!(
                "addressType: IPv4, ports: [{{name: http, port: 80, protocol: UDP}}], endpoints: [{{addresses: [{address}]}}]"
            ),
        ),
    ] {
        service(&cluster, name, ports, &slice);
    }
    for refused in ["127.0.0.1", "169.254.169.254", "224.0.0.1"] {
        let slice = cluster.slice("web", &[one.address]).replace(&address.to_string(), refused);
        assert!(cluster.try_apply(&slice).is_err(), "the API server takes {refused}: what is done with it?");
    }

    // All of them are known once the last one is.
    cluster.apply(&cluster.ingress("last", "last.example", "web"));
    gate.answers("last.example", 200, "one");
    gate.answers("sub.odd.example", 200, "one");
    for name in ["metadata", "loop", "fqdn", "portless", "misnamed", "endless", "udp"] {
        gate.answers(&format!("{name}.example"), 503, "");
    }
    eventually("that a route which wants access control is not served without", || {
        let answer = gate.client().get("annotated.example", "/");
        (answer.status != 200).then_some(())
    });
    assert!(gate.has_problem("forbidden-address", "169.254.169.254"), "{}", gate.page("/problems").1);
    traffic.end();
}
