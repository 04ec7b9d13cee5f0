//! Every change of every kind becomes live.

use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::Ingress;

use crate::support::{Cluster, Gate, Traffic, eventually};

/// Waits until a host is answered so.
fn answers(gate: &Gate, host: &str, status: u16, body: &str) {
    let mut last = (0, String::new());
    eventually(&format!("{host}: {status} {body}"), || {
        let answer = gate.client().get(host, "/");
        last = (answer.status, answer.body);
        (last.0 == status && (status != 200 || last.1 == body)).then_some(())
    });
}

fn has_problem(gate: &Gate, reason: &str) -> bool {
    gate.page("/problems").1.contains(&format!("\"{reason}\""))
}

#[test]
fn an_ingress_a_service_and_its_endpoints_are_followed_from_creation_to_deletion() {
    let cluster = Cluster::shared("follow-all");
    let gate = cluster.gate(&["--reference-timeout", "1s"]);
    let (one, two) = (cluster.upstream("one"), cluster.upstream("two"));
    answers(&gate, "follow.example", 404, "");

    cluster.apply(&cluster.service("web", &[one.address]));
    cluster.apply(&cluster.ingress("web", "follow.example", "web"));
    answers(&gate, "follow.example", 200, "one");

    cluster.apply(&cluster.slice("web", &[two.address]));
    answers(&gate, "follow.example", 200, "two");

    cluster.apply(&cluster.slice("web", &[]));
    answers(&gate, "follow.example", 503, "");

    cluster.apply(&cluster.slice("web", &[one.address]));
    answers(&gate, "follow.example", 200, "one");
    cluster.delete::<EndpointSlice>("web-1");
    answers(&gate, "follow.example", 503, "");

    cluster.apply(&cluster.service("other", &[two.address]));
    cluster.apply(&cluster.ingress("web", "follow.example", "other"));
    answers(&gate, "follow.example", 200, "two");
    cluster.delete::<Service>("other");
    answers(&gate, "follow.example", 503, "");
    eventually("a problem", || has_problem(&gate, "dangling-reference").then_some(()));

    cluster.delete::<Ingress>("web");
    answers(&gate, "follow.example", 404, "");
    eventually("no problem", || (!has_problem(&gate, "dangling-reference")).then_some(()));
}

#[test]
fn a_secret_is_asked_for_by_name_once_an_ingress_names_it_and_followed_from_then_on() {
    let cluster = Cluster::shared("follow-secret");
    let gate = cluster.gate(&["--secret-grace-period", "1s"]);
    let ingress = |secret: &str| {
        let tls = format!("spec: {{tls: [{{secretName: {secret}}}], ");
        cluster.ingress("web", "secret.example", "web").replacen("spec: {", &tls, 1)
    };
    cluster.apply(&cluster.service("web", &[]));
    cluster.apply(&ingress("tls"));
    let told = |text: &str| gate.page("/problems").1.contains(text);
    eventually("that it is missing", || {
        told("names Secret follow-secret/tls, which does not exist").then_some(())
    });

    let secret =
        |data: &str| format!("{{apiVersion: v1, kind: Secret, metadata: {{name: tls}}, stringData: {data}}}");
    cluster.apply(&secret("{tls.crt: a}"));
    eventually("that it is incomplete", || told("has no tls.key").then_some(()));
    cluster.apply(&secret("{tls.crt: a, tls.key: b}"));
    eventually("that all is well", || (!told("follow-secret/tls")).then_some(()));
    cluster.delete::<Secret>("tls");
    eventually("that it is missing", || told("follow-secret/tls, which does not exist").then_some(()));
}

#[test]
fn pointing_an_ingress_at_a_new_service_and_deleting_the_old_one_costs_no_request() {
    let cluster = Cluster::shared("follow-order");
    let gate = cluster.gate(&[]);
    let upstreams = ["zero", "one", "two"].map(|name| cluster.upstream(name));
    cluster.apply(&cluster.service("web-0", &[upstreams[0].address]));
    cluster.apply(&cluster.ingress("web", "order.example", "web-0"));
    answers(&gate, "order.example", 200, "zero");
    let traffic = Traffic::start(gate.http, "order.example");
    for round in 1..30 {
        let (old, new) = (format!("web-{}", round - 1), format!("web-{round}"));
        cluster.apply(&cluster.service(&new, &[upstreams[round % 3].address]));
        cluster.apply(&cluster.ingress("web", "order.example", &new));
        cluster.delete::<Service>(&old);
        cluster.delete::<EndpointSlice>(&format!("{old}-1"));
    }
    traffic.end();
}

/// Makes the second half of a change once the first is live and requests have met it; none of them fails.
fn by_halves(gate: &Gate, first: impl FnOnce(), second: impl FnOnce()) {
    let traffic = Traffic::start(gate.http, "halves.example");
    traffic.go_on();
    first();
    gate.tells("pending-reference", "3600s");
    traffic.go_on();
    second();
    gate.tells_no_more("pending-reference", "");
    traffic.end();
}

#[test]
fn objects_that_change_one_after_the_other_cost_no_request_and_slices_that_go_take_their_endpoints_along() {
    let cluster = Cluster::shared("follow-halves");
    let gate = cluster.gate(&["--reference-timeout", "1h"]);
    let upstream = cluster.upstream("one");
    let both = cluster.service("web", &[upstream.address]);
    let (service, slice) = both.split_once("\n---\n").unwrap();
    let renamed = |object: &str| object.replace("name: http", "name: http-web");
    let ingress = cluster.ingress("web", "halves.example", "web");
    cluster.apply(&both);
    cluster.apply(&ingress);
    answers(&gate, "halves.example", 200, "one");

    by_halves(&gate, || cluster.apply(&renamed(service)), || cluster.apply(&renamed(slice)));
    by_halves(&gate, || cluster.apply(slice), || cluster.apply(service));
    by_halves(
        &gate,
        || cluster.apply(&ingress.replace("number: 80", "number: 8000")),
        || cluster.apply(&service.replace("port: 80", "port: 8000")),
    );
    by_halves(
        &gate,
        || cluster.delete::<Service>("web"),
        || cluster.apply(&service.replace("port: 80", "port: 8000")),
    );
    cluster.delete::<Service>("web");
    gate.tells("pending-reference", "");
    answers(&gate, "halves.example", 200, "one");
    cluster.delete::<EndpointSlice>("web-1");
    answers(&gate, "halves.example", 503, "");
}
