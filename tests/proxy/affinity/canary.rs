//! Clients that stay, where a route has a canary.

use model::{
    Keyed, Primary, RequestCondition, Route, RouteTable, RouteTableBuilder, Share, Split, SplitRule,
    Stickiness, Target, Transport, ValueMatch,
};
use system_tests::{Sluice, Upstream, sluice};

use super::{affinity, ask, backend_digest, by, cookie};

/// `main` and its canary, which gets so many of a hundred requests, and those with `x-canary: always`.
fn table(main: &[&Upstream], canary: &[&Upstream], weight: u32, others_stick: bool) -> RouteTable {
    let mut builder = RouteTableBuilder::default();
    let mut add = |name: &str, upstreams: &[&Upstream]| {
        let endpoints: Vec<_> = upstreams.iter().map(|upstream| sluice::ready(upstream.address)).collect();
        sluice::add_backend(&mut builder, name, Transport::default(), &endpoints)
    };
    let (main, canary) = (add("main", main), add("canary", canary));
    let value = ValueMatch::Exact("always".into());
    let condition = RequestCondition::Header { name: "x-canary".into(), value };
    let shares = vec![Share { backend: main, weight: 100 - weight }, Share { backend: canary, weight }];
    let split = Split::new(vec![SplitRule { condition, backend: canary }], shares).unwrap();
    let split = split.of_variants(Primary { backend: main, others_stick });
    let policy = by(Keyed::Cookie(affinity(Stickiness::Balanced, false)));
    let route = sluice::route("", "/", "web", Target::Split(Box::new(split)));
    builder.route(Route { policy: policy.into(), ..route });
    builder.build(2)
}

fn start(table: RouteTable) -> Sluice {
    let sluice = Sluice::start(&[]);
    sluice.publish_table(table);
    sluice
}

const ALWAYS: &str = "X-Canary: always\r\n";

#[test]
fn a_client_stays_with_the_backend_that_served_it_whatever_header_and_weight_say() {
    let (main, canary) = (Upstream::answering("main"), Upstream::answering("canary"));
    let sluice = start(table(&[&main], &[&canary], 0, true));
    let (of_main, of_canary) = (ask(&sluice, ""), ask(&sluice, ALWAYS));
    assert_eq!((of_main.text().as_str(), of_canary.text().as_str()), ("main", "canary"));
    for _ in 0..5 {
        assert_eq!(ask(&sluice, &cookie(&of_canary)).text(), "canary");
        assert_eq!(ask(&sluice, &format!("{}{ALWAYS}", cookie(&of_main))).text(), "main");
    }
}

#[test]
fn a_canary_that_keeps_none_of_its_clients_sets_no_cookie_and_takes_none_from_the_primary_one() {
    let (main, canary) = (Upstream::answering("main"), Upstream::answering("canary"));
    let sluice = start(table(&[&main], &[&canary], 0, false));
    assert_eq!(ask(&sluice, ALWAYS).field("set-cookie"), None);
    let of_canary = format!("Cookie: route=1|{:016x}\r\n", backend_digest("canary"));
    assert_eq!(ask(&sluice, &of_canary).text(), "main");
    let of_main = cookie(&ask(&sluice, ""));
    assert_eq!(ask(&sluice, &format!("{of_main}{ALWAYS}")).text(), "main");
}

#[test]
fn while_a_canary_has_no_endpoint_its_primary_backend_serves_its_requests_and_its_clients() {
    let (main, canary) = (Upstream::answering("main"), Upstream::answering("canary"));
    let sluice = start(table(&[&main], &[&canary], 100, true));
    let of_canary = ask(&sluice, "");
    assert_eq!(of_canary.text(), "canary");
    sluice.publish_table(table(&[&main], &[], 100, true));
    for fields in ["", ALWAYS, &cookie(&of_canary)] {
        assert_eq!(ask(&sluice, fields).text(), "main", "{fields}");
    }
    // The primary one's requests are not for its canary.
    sluice.publish_table(table(&[], &[&canary], 0, true));
    let answer = system_tests::Client::connect(sluice.address).get("/");
    assert_eq!(answer.status(), 503);
}
