//! Objects that belong together change one after the other, with as long as it takes in between: no request notices.

use crate::support::{Folder, Gate, Traffic, Upstream, ingress, service, slice};

const HOST: &str = "web.example";

/// That a half is live is told as this.
const PENDING: &str = "pending-reference";

/// As long as endpoints of before may go on, longer than a test runs.
const FOR_EVER: [&str; 2] = ["--reference-timeout", "1h"];

fn shop(upstream: &Upstream) -> Folder {
    Folder::new(&[
        ("web.yaml", ingress("web", HOST, "/", "web")),
        ("service.yaml", service("web")),
        ("slice.yaml", slice("web", upstream.address, true)),
    ])
}

/// The Service or its slice with another name for the port.
fn renamed(object: &str) -> String {
    object.replace("name: http", "name: http-web")
}

/// Makes a change by halves, the second once the first is live and requests have met it; none of them fails.
fn by_halves(gate: &Gate, first: impl FnOnce(), second: impl FnOnce()) {
    let traffic = Traffic::start(gate.http, HOST);
    traffic.go_on();
    first();
    gate.tells(PENDING, "3600s");
    traffic.go_on();
    second();
    gate.tells_no_more(PENDING, "");
    traffic.end();
}

#[test]
fn a_port_is_renamed_in_the_service_and_then_in_its_slices_and_back_the_other_way_round() {
    let upstream = Upstream::start("one");
    let (folder, service, slice) = (shop(&upstream), service("web"), slice("web", upstream.address, true));
    let gate = Gate::start(&folder, &FOR_EVER);
    by_halves(
        &gate,
        || folder.write("service.yaml", &renamed(&service)),
        || folder.write("slice.yaml", &renamed(&slice)),
    );
    by_halves(&gate, || folder.write("slice.yaml", &slice), || folder.write("service.yaml", &service));
}

#[test]
fn an_ingress_names_a_port_that_its_service_gets_later() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let gate = Gate::start(&folder, &FOR_EVER);
    by_halves(
        &gate,
        || folder.write("web.yaml", &ingress("web", HOST, "/", "web").replace("number: 80", "number: 8000")),
        || folder.write("service.yaml", &service("web").replace("port: 80", "port: 8000")),
    );
}

#[test]
fn an_ingress_names_a_service_that_is_made_later_and_whose_endpoint_is_ready_later_still() {
    let (one, two) = (Upstream::start("one"), Upstream::start("two"));
    let folder = shop(&one);
    let gate = Gate::start(&folder, &FOR_EVER);
    by_halves(
        &gate,
        || folder.write("web.yaml", &ingress("web", HOST, "/", "new")),
        || {
            folder.write("new.yaml", &service("new"));
            gate.tells("no-endpoint-slice", "new");
            folder.write("new-slice.yaml", &slice("new", two.address, false));
            gate.tells_no_more("no-endpoint-slice", "new");
            assert!(gate.gives(HOST, 200, "one"));
            folder.write("new-slice.yaml", &slice("new", two.address, true));
        },
    );
    assert!(gate.gives(HOST, 200, "two"));
}

#[test]
fn a_service_is_deleted_and_made_anew_while_its_slices_stay() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let gate = Gate::start(&folder, &FOR_EVER);
    by_halves(&gate, || folder.remove("service.yaml"), || folder.write("service.yaml", &service("web")));
}

#[test]
fn an_endpoint_that_is_removed_or_not_ready_is_out_at_once_even_so() {
    let (one, two) = (Upstream::start("one"), Upstream::start("two"));
    let folder = shop(&one);
    let gate = Gate::start(&folder, &FOR_EVER);
    folder.write("service.yaml", &renamed(&service("web")));
    gate.tells(PENDING, "");
    assert!(gate.gives(HOST, 200, "one"));
    folder.write("slice.yaml", &slice("web", one.address, false));
    gate.answers(HOST, 503, "");
    folder.write("slice.yaml", &slice("web", one.address, true));
    gate.answers(HOST, 200, "one");
    folder.remove("service.yaml");
    folder.remove("slice.yaml");
    gate.answers(HOST, 503, "");
    gate.tells_no_more(PENDING, "");
    // Nothing of it comes back with what is right again.
    folder.write("slice.yaml", &slice("web", two.address, true));
    folder.write("service.yaml", &service("web"));
    gate.answers(HOST, 200, "two");
}

#[test]
fn what_is_wrong_is_told_at_once_and_answered_503_when_the_time_is_over() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let gate = Gate::start(&folder, &["--reference-timeout", "2s"]);
    folder.write("service.yaml", &renamed(&service("web")));
    gate.tells(PENDING, "for up to 2s");
    assert!(gate.gives(HOST, 200, "one"));
    gate.answers(HOST, 503, "");
    gate.tells("no-endpoint-slice", "http-web");
    assert!(!gate.has_problem(PENDING, ""));
    folder.write("web.yaml", &ingress("web", HOST, "/", "nothing"));
    gate.tells("dangling-reference", "nothing");
    folder.write("web.yaml", &ingress("web", HOST, "/", "web"));
    folder.write("slice.yaml", &renamed(&slice("web", upstream.address, true)));
    gate.answers(HOST, 200, "one");
}
