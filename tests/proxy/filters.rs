//! What a route's policy does with requests and answers.

use std::sync::Arc;

use model::{
    AddressRules, Edge, Filters, HeaderChange, HeaderEdit, Location, LocationPart, Policy, Redirect,
    RequestFilter, RequestValue, ResponseFilter,
};
use system_tests::{Client, PATIENCE, Sluice, Upstream, sluice};

pub(crate) fn value(value: RequestValue) -> LocationPart {
    LocationPart::Value(value)
}

pub(crate) fn policy(request: Vec<RequestFilter>, response: Vec<ResponseFilter>) -> Policy {
    Policy { filters: Filters::new(request, response), ..Policy::default() }
}

/// A gate whose only route has this policy, and which trusts the peers of these networks.
pub(crate) fn gate(policy: Policy, upstream: &Upstream, trusted: &[&str]) -> Sluice {
    let trusted: Vec<_> = trusted.iter().map(|network| network.parse().expect("a network")).collect();
    let sluice = Sluice::with(|config| config.trusted_proxies = trusted.clone(), &[]);
    sluice.publish_table(sluice::table_with(2, policy, &[sluice::ready(upstream.address)]));
    sluice
}

pub(crate) fn addresses(deny: &[&str], allow: &[&str]) -> RequestFilter {
    let parse = |networks: &[&str]| networks.iter().map(|raw| raw.parse().expect("a network")).collect();
    RequestFilter::Addresses(AddressRules { deny: parse(deny), allow: parse(allow) })
}

fn edit(name: &str, change: HeaderChange) -> HeaderEdit {
    HeaderEdit { name: name.into(), change }
}

#[test]
fn a_route_whose_guard_cannot_be_honoured_is_503_and_its_endpoint_hears_nothing() {
    let upstream = Upstream::answering("secret");
    let sluice = gate(policy(vec![RequestFilter::Deny], vec![]), &upstream, &[]);
    let answer = Client::connect(sluice.address).get("/");
    assert_eq!((answer.status(), answer.text().as_str()), (503, "503 Service Unavailable (denied)\n"));
    assert_eq!(upstream.connections(), 0);
}

#[test]
fn plain_http_is_sent_to_https_and_what_a_trusted_proxy_says_is_https_is_not() {
    let upstream = Upstream::answering("hello");
    for (target, location) in [
        (RequestValue::TargetWithoutSlash, "https://Any.example/a?b=%2F"),
        (RequestValue::Target, "https://Any.example/a?b=%2F/"),
    ] {
        let parts = [LocationPart::text("https://"), value(RequestValue::ClientHostName), value(target)];
        let https = RequestFilter::Https(Redirect { status: 308, to: Location::new(parts) });
        let sluice = gate(policy(vec![https], vec![]), &upstream, &["127.0.0.0/8"]);
        let mut client = Client::connect(sluice.address);
        for scheme in ["", "X-Forwarded-Proto: http\r\n"] {
            let request = format!("GET /a?b=%2F/ HTTP/1.1\r\nHost: Any.example:8080\r\n{scheme}\r\n");
            let answer = client.send(request).response();
            assert_eq!((answer.status(), answer.field("location").as_deref()), (308, Some(location)));
        }
        for other in ["https", "https, http", "wss"] {
            let request =
                format!("GET / HTTP/1.1\r\nHost: any.example\r\nX-Forwarded-Proto: {other}\r\n\r\n");
            assert_eq!(client.send(request).response().status(), 200);
        }
        let request = "GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-Host: b:1, c\r\n\r\n";
        assert_eq!(client.send(request).response().field("location").as_deref(), Some("https://b/x"));
    }
}

#[test]
fn clients_of_addresses_that_are_not_allowed_are_403_and_keep_their_connection() {
    let upstream = Upstream::answering("hello");
    let sluice = gate(policy(vec![addresses(&[], &["192.0.2.0/24"])], vec![]), &upstream, &[]);
    let mut client = Client::connect(sluice.address);
    for _ in 0..2 {
        let answer = client.get("/");
        assert_eq!((answer.status(), answer.text().as_str()), (403, "403 Forbidden (address)\n"));
    }
    assert_eq!(upstream.connections(), 0);
    sluice.publish_table(sluice::table_with(
        3,
        policy(vec![addresses(&["192.0.2.0/24"], &["127.0.0.0/8"])], vec![]),
        &[sluice::ready(upstream.address)],
    ));
    assert_eq!(client.get("/").status(), 200);
}

#[test]
fn behind_a_trusted_proxy_it_is_the_address_that_the_proxy_tells_which_counts() {
    let upstream = Upstream::answering("hello");
    let allow = || policy(vec![addresses(&[], &["192.0.2.0/24"])], vec![]);
    let trusting = gate(allow(), &upstream, &["127.0.0.0/8", "10.0.0.0/8"]);
    let doubting = gate(allow(), &upstream, &[]);
    for (told, allowed) in [
        ("X-Forwarded-For: 192.0.2.7\r\n", true),
        ("X-Forwarded-For: 198.51.100.1, 192.0.2.7, 10.1.1.1\r\n", true),
        ("X-Forwarded-For: 192.0.2.7, 198.51.100.1\r\n", false),
        ("X-Forwarded-For: 192.0.2.7, nonsense\r\n", false),
        ("X-Real-IP: 192.0.2.7\r\n", true),
        ("X-Real-IP: nonsense\r\n", false),
        ("", false),
    ] {
        let ask = |sluice: &Sluice| {
            let request = format!("GET / HTTP/1.1\r\nHost: any.example\r\n{told}\r\n");
            Client::connect(sluice.address).send(request).response().status()
        };
        assert_eq!(ask(&trusting), if allowed { 200 } else { 403 }, "{told}");
        assert_eq!(ask(&doubting), 403, "{told}");
    }
}

#[test]
fn heads_are_edited_last_on_the_way_to_an_endpoint_and_back() {
    let answer =
        "HTTP/1.1 200 OK\r\nServer: secret/1.0\r\nX-Frame-Options: ALLOW\r\nContent-Length: 0\r\n\r\n";
    let (upstream, seen) = Upstream::recording(answer);
    let request = vec![
        edit("x-team", HeaderChange::Set("shop".into())),
        edit("cookie", HeaderChange::Remove),
        edit("via", HeaderChange::Add("1.1 edge".into())),
    ];
    let response = vec![
        edit("server", HeaderChange::Remove),
        edit("x-frame-options", HeaderChange::Set("DENY".into())),
        edit("set-cookie", HeaderChange::Add("a=b".into())),
    ];
    let filters = policy(vec![RequestFilter::Headers(request)], vec![ResponseFilter::Headers(response)]);
    let sluice = gate(filters, &upstream, &[]);
    // What a client says of the connection must not reach what the route sets.
    let asked = "GET / HTTP/1.1\r\nHost: any.example\r\nConnection: x-team\r\nX-Team: forged\r\nCookie: c=d\r\n\
                 Via: 1.0 client\r\n\r\n";
    let answer = Client::connect(sluice.address).send(asked).response();
    let got = seen.recv_timeout(PATIENCE).expect("the upstream has answered");
    assert_eq!(got.field("x-team").as_deref(), Some("shop"));
    assert_eq!(got.field("cookie"), None);
    assert_eq!(got.field("via").as_deref(), Some("1.0 client|1.1 edge"));
    assert_eq!(answer.field("server"), None);
    assert_eq!(answer.field("x-frame-options").as_deref(), Some("DENY"));
    assert_eq!(answer.field("set-cookie").as_deref(), Some("a=b"));
}

#[test]
fn an_answer_that_agrees_to_an_upgrade_is_edited_like_any_other() {
    let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nServer: secret/1.0\r\n\r\n";
    let (upstream, _seen) = Upstream::recording(answer);
    let response = vec![
        edit("server", HeaderChange::Remove),
        edit("strict-transport-security", HeaderChange::Set("max-age=1".into())),
    ];
    let sluice = gate(policy(vec![], vec![ResponseFilter::Headers(response)]), &upstream, &[]);
    let asked = "GET / HTTP/1.1\r\nHost: any.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    let answer = Client::connect(sluice.address).send(asked).head().expect("an answer");
    assert_eq!((answer.status(), answer.field("upgrade").as_deref()), (101, Some("websocket")));
    assert_eq!(answer.field("server"), None);
    assert_eq!(answer.field("strict-transport-security").as_deref(), Some("max-age=1"));
}

#[test]
fn what_a_client_sends_in_another_spelling_of_a_name_that_is_set_or_removed_does_not_reach_an_endpoint() {
    let (upstream, seen) = Upstream::recording("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let request = vec![
        edit("x-user", HeaderChange::Set("anonymous".into())),
        edit("x-debug", HeaderChange::Remove),
        edit("x-team", HeaderChange::Add("shop".into())),
    ];
    let sluice = Sluice::with(|config| config.downstream.underscores = true, &[]);
    let filters = policy(vec![RequestFilter::Headers(request)], vec![]);
    sluice.publish_table(sluice::table_with(2, filters, &[sluice::ready(upstream.address)]));
    let asked = "GET / HTTP/1.1\r\nHost: any.example\r\nX_User: root\r\nX.User: root\r\nX~User: root\r\n\
                 X_Debug: 1\r\nX.Debug: 1\r\nX_Team: mine\r\nX-Use.r: kept\r\n\r\n";
    assert_eq!(Client::connect(sluice.address).send(asked).response().status(), 200);
    let got = seen.recv_timeout(PATIENCE).expect("the upstream has answered");
    assert_eq!(got.field("x-user").as_deref(), Some("anonymous"));
    for gone in ["x_user", "x.user", "x~user", "x-debug", "x_debug", "x.debug"] {
        assert_eq!(got.field(gone), None, "{gone}");
    }
    assert_eq!(got.field("x_team").as_deref(), Some("mine"));
    assert_eq!(got.field("x-team").as_deref(), Some("shop"));
    assert_eq!(got.field("x-use.r").as_deref(), Some("kept"));
}

#[test]
fn a_trailer_does_not_bring_back_what_a_route_sets_or_removes() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Secret, X-Sum\r\n\r\n\
                  2\r\nok\r\n0\r\nX-Secret: 1\r\nX-Sum: 2\r\n\r\n";
    let (upstream, seen) = Upstream::recording(answer);
    let request = vec![edit("x-team", HeaderChange::Set("shop".into()))];
    let response = vec![edit("x-secret", HeaderChange::Remove)];
    let filters = policy(vec![RequestFilter::Headers(request)], vec![ResponseFilter::Headers(response)]);
    let sluice = gate(filters, &upstream, &[]);
    let asked = "POST / HTTP/1.1\r\nHost: any.example\r\nTE: trailers\r\nConnection: TE\r\nTrailer: X-Team\r\n\
                 Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Team: forged\r\n\r\n";
    let answer = Client::connect(sluice.address).send(asked).response();
    let got = seen.recv_timeout(PATIENCE).expect("the upstream has answered");
    assert_eq!((got.text().as_str(), got.field("x-team").as_deref()), ("hi", Some("shop")));
    assert_eq!(got.trailers, []);
    assert_eq!((answer.text().as_str(), &*answer.trailers), ("ok", &[("x-sum".into(), "2".into())][..]));
}

#[test]
fn where_clients_are_believed_it_is_the_address_and_the_scheme_that_they_tell_which_count() {
    let upstream = Upstream::answering("hello");
    let to = Location::new([LocationPart::text("https://"), value(RequestValue::ClientHostName)]);
    let https = RequestFilter::Https(Redirect { status: 308, to });
    let filters = vec![addresses(&[], &["192.0.2.0/24"]), https];
    let edge = |believes| {
        let edge = compile::Profile::IngressNginx.edge().expect("an edge");
        Some(Arc::new(Edge { believes_clients: believes, real_ip: believes, ..Edge::clone(&edge) }))
    };
    let policy = |believes| Policy { edge: edge(believes), ..policy(filters.clone(), vec![]) };
    for (believes, told, status) in [
        (false, "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n", 308),
        (true, "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n", 200),
        (true, "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n", 308),
        (true, "X-Forwarded-For: 192.0.2.7, 2001:db8::1\r\nX-Forwarded-Proto: https\r\n", 403),
        (true, "X-Forwarded-Proto: https\r\n", 403),
    ] {
        let sluice = gate(policy(believes), &upstream, &[]);
        let request = format!("GET / HTTP/1.1\r\nHost: any.example\r\n{told}\r\n");
        let answer = Client::connect(sluice.address).send(request).response();
        assert_eq!(answer.status(), status, "{believes} {told}");
    }
}
