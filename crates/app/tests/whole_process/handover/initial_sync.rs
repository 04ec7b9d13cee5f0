//! A successor accepts no client before it has read all that it needs to know.

use super::{HOST, Shop, has_handed_over, logs};
use crate::support::{Gate, Lie, Visitors, eventually, program};

impl Shop {
    /// A process that cannot read one kind of object, until the API server is honest.
    fn process_without(&self, kind: &'static str) -> Gate {
        self.api.lie(move |ask| (ask.kind == kind).then_some(Lie::Close));
        let mut command = program(&["run", "--no-events", "--kubeconfig"]);
        Gate::run(command.arg(self.api.kubeconfig()).arg("--handover").arg(self.path()))
    }

    /// Waits until it has tried in vain three times more.
    fn is_asked_for(&self, kind: &str) {
        let asked = || self.api.asked(|ask| ask.is_list_of(kind));
        let before = asked();
        eventually(&format!("lists of {kind}"), || (asked() >= before + 3).then_some(()));
    }
}

/// The predecessor serves all clients until its successor too knows this kind of object.
fn waits_for(kind: &'static str) {
    let shop = Shop::open();
    let mut first = shop.process();
    let visitors = Visitors::start(&first, HOST);
    let second = shop.process_without(kind);
    logs(&second, "took over from process");
    shop.is_asked_for(kind);
    visitors.go_on();
    assert!(!first.log().contains("handed over"), "{}", first.log());
    shop.api.be_honest();
    has_handed_over(&first);
    visitors.go_on();
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    visitors.end();
}

#[test]
fn a_successor_that_knows_no_endpoints_yet_does_not_take_over() {
    waits_for("endpointslices");
}

#[test]
fn a_successor_that_knows_no_services_yet_does_not_take_over() {
    waits_for("services");
}

#[test]
fn a_successor_that_knows_no_ingresses_yet_does_not_take_over() {
    waits_for("ingresses");
}

#[test]
fn a_first_process_that_knows_no_endpoints_yet_lets_its_clients_wait() {
    let shop = Shop::open();
    let gate = shop.process_without("endpointslices");
    let mut client = gate.client();
    client.send(HOST, "/");
    shop.is_asked_for("endpointslices");
    assert_eq!(gate.page("/ready").0, 503);
    shop.api.be_honest();
    // Neither a 404 nor a 503 before.
    assert_eq!(client.answer().status, 200);
}
