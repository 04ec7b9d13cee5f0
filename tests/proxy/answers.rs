//! Answers that a route gives by itself, and what it says in all of them.

use std::sync::Arc;

use model::{
    Cors, Location, LocationPart, OriginMatch, Origins, Redirect, RequestFilter, RequestValue, ResponseFilter,
};
use system_tests::{Client, Message, Upstream, sluice};

use crate::filters::{addresses, gate, policy, value};
use crate::secure::Edge;

/// For pages of `https://a.test`.
fn cors() -> (RequestFilter, ResponseFilter) {
    let cors = Arc::new(Cors {
        origins: Origins::Some([OriginMatch::parse("https://a.test")].into()),
        methods: "GET, PUT".into(),
        headers: "X-A".into(),
        expose: Some("X-B".into()),
        credentials: true,
        max_age: 600,
    });
    (RequestFilter::Cors(Arc::clone(&cors)), ResponseFilter::Cors(cors))
}

fn asked(method: &str, origin: &str) -> String {
    format!("{method} / HTTP/1.1\r\nHost: any.example\r\nOrigin: {origin}\r\n\r\n")
}

/// What a page of another origin may do with an answer.
fn said(answer: &Message) -> [Option<String>; 3] {
    ["origin", "methods", "credentials"].map(|what| answer.field(&format!("access-control-allow-{what}")))
}

fn all() -> [Option<String>; 3] {
    ["https://a.test", "GET, PUT", "true"].map(|text| Some(text.to_owned()))
}

#[test]
fn what_an_endpoint_says_of_other_origins_is_replaced_for_those_that_the_route_knows() {
    let (upstream, _seen) = Upstream::recording(
        "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: up\r\nAccess-Control-Allow-Origin: up2\r\n\
         Access-Control-Allow-Methods: UP\r\nAccess-Control-Max-Age: 1\r\nContent-Length: 0\r\n\r\n",
    );
    let (request, response) = cors();
    let sluice = gate(policy(vec![request], vec![response]), &upstream, &[]);
    let answer = Client::connect(sluice.address).send(asked("GET", "https://a.test")).response();
    assert_eq!((said(&answer), answer.field("access-control-max-age").as_deref()), (all(), Some("600")));
    assert_eq!(answer.field("access-control-expose-headers").as_deref(), Some("X-B"));
    let answer = Client::connect(sluice.address).send(asked("GET", "https://b.test")).response();
    assert_eq!(said(&answer), [Some("up|up2".into()), Some("UP".into()), None]);
}

#[test]
fn pages_of_other_origins_may_read_our_refusals_too() {
    let (request, response) = cors();
    let upstream = Upstream::answering("secret");
    let filters = policy(vec![request.clone(), addresses(&["127.0.0.0/8"], &[])], vec![response.clone()]);
    let sluice = gate(filters, &upstream, &[]);
    let mut client = Client::connect(sluice.address);
    for (method, status) in [("GET", 403), ("OPTIONS", 204)] {
        let answer = client.send(asked(method, "https://a.test")).response();
        assert_eq!((answer.status(), said(&answer)), (status, all()));
    }
    let answer = client.send(asked("OPTIONS", "https://b.test")).response();
    assert_eq!((answer.status(), said(&answer)), (403, [None, None, None]));
    assert_eq!(upstream.connections(), 0);

    let dead = sluice::ready(Upstream::refusing());
    sluice.publish_table(sluice::table_with(3, policy(vec![request], vec![response]), &[dead]));
    let answer = client.send(asked("GET", "https://a.test")).response();
    assert_eq!((answer.status(), said(&answer)), (502, all()));
}

#[test]
fn clients_of_tls_alone_are_told_to_stay_with_it_in_every_answer() {
    let (upstream, _seen) = Upstream::recording(
        "HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=0\r\nContent-Length: 0\r\n\r\n",
    );
    let hsts = || vec![ResponseFilter::Hsts("max-age=5; includeSubDomains".into())];
    let edge = Edge::start(&[]);
    let told = |answer: &Message| answer.field("strict-transport-security");
    for (generation, filters, status) in [
        (2, policy(vec![], hsts()), 200),
        (3, policy(vec![addresses(&["127.0.0.0/8"], &[])], hsts()), 403),
        (4, policy(vec![RequestFilter::Deny], hsts()), 503),
        (5, policy(vec![RequestFilter::Redirect(elsewhere("https://b.test"))], hsts()), 301),
    ] {
        let table = sluice::table_with(generation, filters, &[sluice::ready(upstream.address)]);
        edge.sluice.publish_table(table);
        let answer = edge.connect("a.test").get("a.test", "/").expect("an answer");
        assert_eq!(answer.status(), status);
        assert_eq!(told(&answer).as_deref(), Some("max-age=5; includeSubDomains"), "{status}");
    }
    let plain = gate(policy(vec![], hsts()), &upstream, &["127.0.0.0/8"]);
    let request = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\n\r\n";
    assert_eq!(told(&Client::connect(plain.address).send(request).response()).as_deref(), Some("max-age=0"));
}

fn elsewhere(text: &str) -> Redirect {
    Redirect { status: 301, to: Location::new([LocationPart::text(text)]) }
}

#[test]
fn a_name_leads_to_another_with_the_scheme_and_port_that_a_trusted_proxy_tells() {
    let upstream = Upstream::answering("hello");
    let parts = [
        value(RequestValue::ClientScheme),
        LocationPart::text("://b.test:"),
        value(RequestValue::ClientPort),
        value(RequestValue::TargetWithoutSlash),
    ];
    let www = Redirect { status: 308, to: Location::new(parts) };
    let told = "X-Forwarded-Proto: https\r\nX-Forwarded-Port: 8443\r\n";
    for (trusted, fields, location) in [
        (&["127.0.0.0/8"][..], told, "https://b.test:8443/x"),
        (&[], told, "http://b.test:80/x"),
        (&[], "", "http://b.test:80/x"),
    ] {
        let sluice = gate(policy(vec![RequestFilter::Redirect(www.clone())], vec![]), &upstream, trusted);
        let request = format!("GET /x/ HTTP/1.1\r\nHost: www.b.test\r\n{fields}\r\n");
        let answer = Client::connect(sluice.address).send(request).response();
        assert_eq!((answer.status(), answer.field("location").as_deref()), (308, Some(location)));
    }
}

#[test]
fn what_would_end_a_field_does_not_get_into_a_location() {
    let upstream = Upstream::answering("hello");
    let to = Redirect { status: 301, to: Location::new([value(RequestValue::Path)]) };
    let sluice = gate(policy(vec![RequestFilter::Redirect(to)], vec![]), &upstream, &[]);
    let request = "GET /a%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: a\r\n\r\n";
    let answer = Client::connect(sluice.address).send(request).response();
    assert_eq!(answer.field("set-cookie"), None);
    assert_eq!(answer.field("location").as_deref(), Some("/a%0D%0ASet-Cookie:%20a=b"));
}
