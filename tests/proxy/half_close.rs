//! A client that closes its sending side. Before its answer has come that means that it is gone, as it does to nginx:
//! nobody could tell it from one that has left.

use std::time::Duration;

use proxy::Protocol;
use system_tests::{Client, End, Gate, Sluice, Upstream, eventually};

#[test]
fn a_client_that_closes_its_side_before_its_answer_has_come_gets_none_and_its_upstream_learns_of_it() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    client.request("GET", "/");
    eventually("the request is in flight", || upstream.requests() == 1);
    client.finish();
    // Neither an answer nor a refusal: both would be the answer to a request that was taken back.
    assert_eq!(client.rest().0, Vec::<u8>::new());
    eventually("nothing is left of it", || sluice.metrics().open() == (0, 0));
    gate.open();
    eventually("the upstream's connection is closed", || upstream.ended() == 1);
}

#[test]
fn a_client_that_closes_its_side_after_its_answer_has_come_sees_a_clean_end() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.get("/").text(), "hello");
    client.finish();
    assert_eq!(client.rest(), (vec![], End::Clean));
    eventually("nothing is left of it", || sluice.metrics().open() == (0, 0));
}

#[test]
fn a_client_that_closes_its_side_during_a_drain_does_not_hold_it_up() {
    let upstream = Upstream::answering("hello");
    let mut sluice = Sluice::start(&[upstream.address]);
    let mut clients: Vec<_> = (0..5).map(|_| Client::connect(sluice.address)).collect();
    clients.iter_mut().for_each(|client| assert_eq!(client.get("/").text(), "hello"));
    sluice.drain();
    clients.iter_mut().for_each(Client::finish);
    let report = sluice.finished_within(Duration::from_secs(10)).expect("nobody is left");
    assert_eq!(report.cut, 0);
}

#[test]
fn a_client_that_closes_its_side_in_the_middle_of_a_head_or_a_preface_is_let_go_at_once() {
    let protocol = Protocol { http2_cleartext: true, ..Protocol::default() };
    for (sluice, begun) in [
        (Sluice::start(&[]), "GET / HT"),
        (Sluice::speaking(protocol.clone(), |_| {}, &[]), "PRI * HT"),
        (Sluice::speaking(protocol, |_| {}, &[]), "GET / HT"),
    ] {
        let mut client = Client::connect(sluice.address);
        client.send(begun);
        client.finish();
        let asked = std::time::Instant::now();
        eventually("nothing is left of it", || {
            sluice.metrics().accepted() == 1 && sluice.metrics().open().0 == 0
        });
        let head_timeout = proxy::Config::default().downstream.head_timeout;
        assert!(asked.elapsed() < head_timeout, "{begun:?} was waited for");
    }
}
