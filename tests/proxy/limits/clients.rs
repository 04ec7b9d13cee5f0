//! What a route's limits on one client's requests refuse.

use std::num::NonZeroU32;
use std::time::Duration;

use model::{Filters, Policy, RateLimit, RequestFilter, RequestLimits};
use system_tests::{Client, Gate, Sluice, Upstream, eventually, sluice};

/// None, with the statuses of nginx.
fn none() -> RequestLimits {
    let (rate_status, in_flight_status) = (503, 503);
    RequestLimits { rates: Vec::new(), rate_status, in_flight: None, in_flight_status, exempt: Vec::new() }
}

/// A burst that does not run out while a test lasts.
fn burst(burst: u32) -> RequestLimits {
    RequestLimits { rates: vec![RateLimit { every: Duration::from_secs(3600), burst }], ..none() }
}

fn at_a_time(most: u32) -> RequestLimits {
    RequestLimits { in_flight: NonZeroU32::new(most), ..none() }
}

fn limited(limits: RequestLimits) -> Policy {
    Policy { filters: Filters::new(vec![RequestFilter::Limits(limits)], Vec::new()), ..Policy::default() }
}

/// Two workers behind a trusted proxy, and a route with these limits.
fn gate(limits: RequestLimits, upstream: &Upstream) -> Sluice {
    let change = |config: &mut proxy::Config| {
        config.workers = 2;
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    };
    let sluice = Sluice::with(change, &[]);
    sluice.publish_table(sluice::table_with(2, limited(limits), &[sluice::ready(upstream.address)]));
    sluice
}

fn from(client: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: host.test\r\nX-Forwarded-For: {client}\r\n\r\n")
}

fn status(sluice: &Sluice, client: &str) -> u16 {
    Client::connect(sluice.address).send(from(client)).response().status()
}

#[test]
fn a_client_has_its_burst_over_all_its_connections_and_workers_and_another_has_its_own() {
    let upstream = Upstream::answering("hello");
    let sluice = gate(burst(4), &upstream);
    let statuses = [0; 8].map(|_| status(&sluice, "192.0.2.1"));
    assert_eq!(statuses, [200, 200, 200, 200, 200, 503, 503, 503]);
    assert_eq!((status(&sluice, "192.0.2.2"), upstream.requests()), (200, 6));
    // What is remembered does not depend on the table.
    let again = sluice::table_with(3, limited(burst(4)), &[sluice::ready(upstream.address)]);
    sluice.publish_table(again);
    assert_eq!(status(&sluice, "192.0.2.1"), 503);
    // The addresses of one IPv6 network of 64 bits are one client's.
    let statuses = [1, 2, 3, 4, 5, 6].map(|host| status(&sluice, &format!("2001:db8::{host}")));
    assert_eq!(statuses, [200, 200, 200, 200, 200, 503]);
}

#[test]
fn a_client_that_is_refused_keeps_its_connection_and_is_told_as_its_route_says() {
    let upstream = Upstream::answering("hello");
    let sluice = gate(RequestLimits { rate_status: 429, ..burst(0) }, &upstream);
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.get("/").status(), 200);
    let answer = client.get("/");
    assert_eq!((answer.status(), answer.closes()), (429, false));
    assert_eq!(answer.text(), "429 Too Many Requests (rate)\n");
    assert_eq!(client.get("/").status(), 429);
}

#[test]
fn clients_that_are_exempt_have_no_limit() {
    let upstream = Upstream::answering("hello");
    let exempt = vec!["192.0.2.0/25".parse().unwrap()];
    let sluice = gate(RequestLimits { exempt, in_flight: NonZeroU32::new(1), ..burst(0) }, &upstream);
    assert_eq!([0; 4].map(|_| status(&sluice, "192.0.2.127")), [200; 4]);
    assert_eq!([0; 2].map(|_| status(&sluice, "192.0.2.128")), [200, 503]);
}

#[test]
fn a_client_has_only_so_many_requests_in_flight_and_one_that_ends_makes_room() {
    let pass = Gate::default();
    let upstream = Upstream::gated(&pass, "late");
    let sluice = gate(at_a_time(2), &upstream);
    let waiting = [0; 2].map(|_| {
        let mut client = Client::connect(sluice.address);
        client.send(from("192.0.2.1"));
        client
    });
    eventually("both wait", || upstream.requests() == 2);
    assert_eq!(status(&sluice, "192.0.2.1"), 503);
    let mut other = Client::connect(sluice.address);
    other.send(from("192.0.2.2"));
    eventually("another client's waits", || upstream.requests() == 3);
    let [gone, mut stays] = waiting;
    drop(gone);
    eventually("the request is given up", || sluice.count("sluicegate_requests_in_flight") == 2);
    pass.open();
    assert_eq!((stays.response().status(), other.response().status()), (200, 200));
    for _ in 0..5 {
        assert_eq!(status(&sluice, "192.0.2.1"), 200, "those that have ended count no more");
    }
}
