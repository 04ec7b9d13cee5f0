//! Which endpoint a request reaches where a cookie or a text decides.

mod canary;

use std::collections::BTreeSet;

use model::{
    Affinity, Backend, BackendKey, CookieAttributes, Keyed, Policy, SameSite, Stickiness, Template, Transport,
};
use system_tests::{Client, Message, Sluice, Upstream, sluice};

/// Endpoints that answer with their place.
fn upstreams(count: usize) -> Vec<Upstream> {
    (0..count).map(|place| Upstream::answering(&place.to_string())).collect()
}

fn affinity(stickiness: Stickiness, change_on_failure: bool) -> Affinity {
    let attributes = CookieAttributes::default();
    Affinity { cookie: "route".into(), stickiness, change_on_failure, attributes }
}

fn by(keyed: Keyed) -> Policy {
    Policy { keyed: Some(Box::new(keyed)), ..Policy::default() }
}

/// A process with two workers.
fn process() -> Sluice {
    Sluice::with(|config| config.workers = 2, &[])
}

fn publish(sluice: &Sluice, keyed: &Keyed, upstreams: &[Upstream]) {
    let endpoints: Vec<_> = upstreams.iter().map(|upstream| sluice::ready(upstream.address)).collect();
    sluice.publish_table(sluice::table_with(2, by(keyed.clone()), &endpoints));
}

/// One request on a connection of its own.
fn ask(sluice: &Sluice, fields: &str) -> Message {
    let request = format!("GET / HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n");
    let answer = Client::connect(sluice.address).send(request).response();
    assert_eq!(answer.status(), 200, "{}", answer.text());
    answer
}

/// What a client sends that has got this answer.
fn cookie(answer: &Message) -> String {
    let set = answer.field("set-cookie").expect("a cookie");
    format!("Cookie: a=b; {}\r\n", set.split(';').next().unwrap())
}

/// New clients, each with its cookie and the endpoint that it stays with.
fn clients(sluice: &Sluice, count: usize) -> Vec<(String, String)> {
    let one = |_| {
        let answer = ask(sluice, "");
        (cookie(&answer), answer.text())
    };
    (0..count).map(one).collect()
}

#[test]
fn a_client_stays_with_its_endpoint_on_every_worker_and_in_every_process() {
    let upstreams = upstreams(5);
    for stickiness in [Stickiness::Balanced, Stickiness::Persistent] {
        let (one, other) = (process(), process());
        let keyed = Keyed::Cookie(affinity(stickiness, false));
        publish(&one, &keyed, &upstreams);
        publish(&other, &keyed, &upstreams);
        let clients = clients(&one, 20);
        let reached: BTreeSet<_> = clients.iter().map(|(_, endpoint)| endpoint).collect();
        assert!(reached.len() > 1, "all clients have the same endpoint");
        for (cookie, endpoint) in &clients {
            for sluice in [&one, &one, &one, &other, &other, &other] {
                let answer = ask(sluice, cookie);
                assert_eq!((&answer.text(), answer.field("set-cookie")), (endpoint, None));
            }
        }
    }
}

#[test]
fn more_endpoints_take_their_share_of_balanced_clients_and_none_of_persistent_ones() {
    let upstreams = upstreams(5);
    for stickiness in [Stickiness::Balanced, Stickiness::Persistent] {
        let (sluice, keyed) = (process(), Keyed::Cookie(affinity(stickiness, false)));
        publish(&sluice, &keyed, &upstreams[..4]);
        let clients = clients(&sluice, 60);
        publish(&sluice, &keyed, &upstreams);
        let mut moved = 0;
        for (cookie, before) in &clients {
            let answer = ask(&sluice, cookie);
            assert_eq!(answer.field("set-cookie"), None);
            moved += usize::from(answer.text() != *before);
            assert!(answer.text() == *before || answer.text() == "4", "{} from {before}", answer.text());
        }
        match stickiness {
            Stickiness::Balanced => assert!((1..=30).contains(&moved), "{moved} of 60 moved"),
            Stickiness::Persistent => assert_eq!(moved, 0),
        }
    }
}

#[test]
fn clients_of_an_endpoint_that_is_gone_move_and_no_others_do() {
    let upstreams = upstreams(4);
    for stickiness in [Stickiness::Balanced, Stickiness::Persistent] {
        let (sluice, keyed) = (process(), Keyed::Cookie(affinity(stickiness, false)));
        publish(&sluice, &keyed, &upstreams);
        let clients = clients(&sluice, 40);
        publish(&sluice, &keyed, &upstreams[..3]);
        for (before, endpoint) in &clients {
            let answer = ask(&sluice, before);
            let is_told = answer.field("set-cookie").is_some();
            if endpoint != "3" {
                assert_eq!((&answer.text(), is_told), (endpoint, false));
                continue;
            }
            // A key leads to another endpoint by itself; of one that was named there has to be another name.
            assert_eq!(is_told, stickiness == Stickiness::Persistent);
            let now = if is_told { cookie(&answer) } else { before.clone() };
            assert_eq!(ask(&sluice, &now).text(), answer.text());
        }
    }
}

#[test]
fn a_client_whose_endpoint_fails_is_served_by_another_and_comes_back_unless_it_is_to_change() {
    let upstreams = upstreams(1);
    let refusing = Upstream::refusing();
    let endpoints = [sluice::ready(upstreams[0].address), sluice::ready(refusing)];
    let dead = endpoints[1].key.digest();
    for (stickiness, change_on_failure) in [
        (Stickiness::Persistent, false),
        (Stickiness::Persistent, true),
        (Stickiness::Balanced, false),
        (Stickiness::Balanced, true),
    ] {
        let sluice = Sluice::with(|_| {}, &[]);
        let policy = by(Keyed::Cookie(affinity(stickiness, change_on_failure)));
        sluice.publish_table(sluice::table_with(2, policy, &endpoints));
        let leads_there = |key: &u64| {
            endpoints.iter().all(|one| model::weigh(key_of(*key), one.key.digest()) <= weight(*key, dead))
        };
        let key = if stickiness == Stickiness::Persistent { dead } else { (0..).find(leads_there).unwrap() };
        for _ in 0..3 {
            let answer = ask(&sluice, &format!("Cookie: route={key:016x}|0000000000000001\r\n"));
            assert_eq!(answer.text(), "0");
            assert_eq!(answer.field("set-cookie").is_some(), change_on_failure);
            if change_on_failure {
                let again = ask(&sluice, &cookie(&answer));
                assert_eq!((again.text().as_str(), again.field("set-cookie")), ("0", None));
            }
        }
        // One that comes for the first time keeps the endpoint that answers.
        let new = ask(&sluice, "");
        let again = ask(&sluice, &cookie(&new));
        assert_eq!((again.text().as_str(), again.field("set-cookie")), ("0", None));
    }
}

fn key_of(key: u64) -> u64 {
    model::StickyValue::digest_of(key)
}

fn weight(key: u64, endpoint: u64) -> u64 {
    model::weigh(key_of(key), endpoint)
}

#[test]
fn any_value_of_a_cookie_is_served_and_one_of_nginx_stays_where_it_leads() {
    let upstreams = upstreams(3);
    let (balanced, persistent) = (process(), process());
    publish(&balanced, &Keyed::Cookie(affinity(Stickiness::Balanced, false)), &upstreams);
    publish(&persistent, &Keyed::Cookie(affinity(Stickiness::Persistent, false)), &upstreams);
    let long = "x".repeat(4000);
    for value in [
        "1611223344.123.4567.891|1bc29b36f623ba82aaf6724fd3b16718",
        "|",
        "||||",
        "%00",
        "\"",
        &long,
        "\u{e9}",
    ] {
        let fields = format!("Cookie: route={value}\r\n");
        let first = ask(&balanced, &fields);
        let is_key = !value.starts_with('|');
        assert_eq!(first.field("set-cookie").is_none(), is_key, "{value}");
        if is_key {
            assert_eq!(ask(&balanced, &fields).text(), first.text());
        }
        let first = ask(&persistent, &fields);
        assert_eq!(ask(&persistent, &cookie(&first)).text(), first.text());
    }
    for empty in ["Cookie: route=\r\n", "Cookie: route\r\n", "Cookie: xroute=1\r\n"] {
        assert!(ask(&balanced, empty).field("set-cookie").is_some(), "{empty}");
    }
}

#[test]
fn a_cookie_has_the_attributes_that_were_asked_for() {
    let upstream = Upstream::answering("hello");
    let set = |attributes: CookieAttributes, path: &str, fields: &str| {
        let sluice =
            Sluice::with(|config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()], &[]);
        let keyed = Keyed::Cookie(Affinity { attributes, ..affinity(Stickiness::Balanced, false) });
        let mut builder = model::RouteTableBuilder::default();
        let endpoints = [sluice::ready(upstream.address)];
        let backend = sluice::add_backend(&mut builder, "web", Transport::default(), &endpoints);
        let route = sluice::route("", path, "web", model::Target::Backend(backend));
        builder.route(model::Route { policy: by(keyed).into(), ..route });
        sluice.publish_table(builder.build(2));
        let request = format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n");
        let set = Client::connect(sluice.address).send(request).response().field("set-cookie").unwrap();
        set.split_once("; ").unwrap().1.to_owned()
    };
    let none = CookieAttributes::default;
    assert_eq!(set(none(), "/", ""), "Path=/; HttpOnly");
    assert_eq!(
        set(none(), "/shop/cart", "X-Forwarded-Proto: https\r\n"),
        "Path=/shop/cart; Secure; HttpOnly"
    );
    assert_eq!(set(none(), "/shop/a;b", ""), "Path=/shop; HttpOnly");
    let all = CookieAttributes {
        path: Some("/all".into()),
        domain: Some("example.com".into()),
        max_age: Some(-1),
        expires: Some(-90_000_000_000),
        secure: true,
        same_site: Some(SameSite::Strict),
        same_site_none_if_known: false,
    };
    let expected = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=-1; Domain=example.com; Path=/all; Secure; HttpOnly; \
                    SameSite=Strict";
    assert_eq!(set(all, "/", ""), expected);
    let same_site_none = |same_site_none_if_known| CookieAttributes {
        same_site: Some(SameSite::None),
        same_site_none_if_known,
        ..none()
    };
    let old = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/51.0 Safari/537.36\r\n";
    let new = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/119.0 Safari/537.36\r\n";
    let with = "Path=/; HttpOnly; SameSite=None";
    assert_eq!([set(same_site_none(false), "/", old), set(same_site_none(true), "/", new)], [with, with]);
    assert_eq!(set(same_site_none(true), "/", old), "Path=/; HttpOnly");
}

#[test]
fn each_text_has_its_endpoint_in_every_process_and_no_cookie_is_set() {
    let upstreams = upstreams(4);
    let (one, other) = (process(), process());
    let keyed = Keyed::Text(Template::parse("user-${http_x_user}").unwrap());
    publish(&one, &keyed, &upstreams);
    publish(&other, &keyed, &upstreams);
    let mut reached = BTreeSet::new();
    for user in 0..20 {
        let fields = format!("X-User: {user}\r\n");
        let first = ask(&one, &fields);
        assert_eq!(first.field("set-cookie"), None);
        for sluice in [&one, &one, &other, &other] {
            assert_eq!(ask(sluice, &fields).text(), first.text());
        }
        reached.insert(first.text());
    }
    assert!(reached.len() > 1, "all have the same endpoint");
}

#[test]
fn behind_the_address_of_a_service_another_attempt_may_find_another_endpoint() {
    for (by_service, status) in [(true, 200), (false, 502)] {
        let upstream = Upstream::scripted(|peer| {
            if peer.request().is_ok() && peer.place > 0 {
                drop(peer.respond("hello"));
            }
        });
        let sluice = Sluice::with(|_| {}, &[]);
        sluice.publish_over(Transport { by_service, ..Transport::default() }, &[upstream.address]);
        assert_eq!(Client::connect(sluice.address).get("/").status(), status);
    }
}

/// The digest by which a cookie names the backend `main`.
fn backend_digest(service: &str) -> u64 {
    let (namespace, port) = ("test".into(), "80".into());
    let key = BackendKey { namespace, service: service.into(), port, transport: std::sync::Arc::default() };
    Backend::new(key, Vec::new()).key.digest()
}
