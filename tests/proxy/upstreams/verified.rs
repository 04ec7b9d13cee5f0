//! TLS with endpoints: which are trusted, what they are told, and what a change of that costs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::{Protocol, Published, Transport, UpstreamTls};
use system_tests::{Authority, Client, GrpcUpstream, Message, SecureUpstream, Sluice, Upstream, eventually};
use tls::{AllCredentials, Credentials};

const HTTP_1_1: &[u8] = b"http/1.1";

/// A data plane, and what its Secret `test/mine` has.
struct Edge {
    sluice: Sluice,
    credentials: Published<AllCredentials>,
}

impl Edge {
    fn new(mine: Option<Credentials>) -> Edge {
        let credentials = Published::new(all(mine));
        let live = credentials.clone();
        Edge { sluice: Sluice::with(|config| config.upstream.credentials = live, &[]), credentials }
    }

    fn get(&self, tls: UpstreamTls, endpoint: SocketAddr) -> Message {
        self.publish(Protocol::Https, tls, endpoint);
        Client::connect(self.sluice.address).get("/")
    }

    fn publish(&self, protocol: Protocol, tls: UpstreamTls, endpoint: SocketAddr) {
        let transport = Transport { protocol: Some(protocol), tls, ..Transport::default() };
        self.sluice.publish_over(transport, &[endpoint]);
    }
}

fn all(mine: Option<Credentials>) -> AllCredentials {
    AllCredentials::new(mine.map(|mine| ("test/mine".into(), Arc::new(mine))))
}

fn believing(authority: &Authority) -> Credentials {
    Credentials::parse(Some(authority.pem().as_bytes()), None).unwrap()
}

/// Verified by the Secret, as this name.
fn verified(name: &str) -> UpstreamTls {
    UpstreamTls { secret: Some("mine".into()), verify: true, name: Some(name.into()), send_name: false }
}

fn upstream(authority: &Authority, name: &str) -> SecureUpstream {
    let (chain, key) = authority.certify(&[name]);
    SecureUpstream::start(authority.server(&chain, &key, HTTP_1_1))
}

#[test]
fn an_endpoint_is_sent_a_request_only_if_its_certificate_is_as_it_should_be() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (good, stranger) = (upstream(&authority, "web.test"), upstream(&other, "web.test"));
    let edge = Edge::new(Some(believing(&authority)));
    let answer = edge.get(verified("web.test"), good.address);
    assert_eq!((answer.status(), answer.text().as_str()), (200, "name=- certificates=0"));
    for (why, name, endpoint) in
        [("another name", "else.test", &good), ("another authority", "web.test", &stranger)]
    {
        let before = endpoint.requests();
        let answer = edge.get(verified(name), endpoint.address);
        assert_eq!((answer.status(), answer.text().contains("handshake")), (502, true), "{why}");
        assert_eq!(endpoint.requests(), before, "{why}");
    }
}

#[test]
fn an_endpoint_is_told_its_name_where_that_is_asked_for() {
    let authority = Authority::new();
    let upstream = upstream(&authority, "web.test");
    let edge = Edge::new(None);
    let named = UpstreamTls { name: Some("web.test".into()), send_name: true, ..UpstreamTls::default() };
    assert_eq!(edge.get(named, upstream.address).text(), "name=web.test certificates=0");
    assert_eq!(edge.get(UpstreamTls::default(), upstream.address).text(), "name=- certificates=0");
}

#[test]
fn an_endpoint_that_asks_for_a_certificate_is_shown_ours() {
    let authority = Authority::new();
    let (chain, key) = authority.certify(&["web.test"]);
    let upstream = SecureUpstream::start(authority.server_for_its_own(&chain, &key, HTTP_1_1));
    let (ours, our_key) = authority.certify(&["edge.test"]);
    let shown = Credentials::parse(None, Some((ours.as_bytes(), our_key.as_bytes()))).unwrap();
    let edge = Edge::new(Some(shown));
    assert_eq!(edge.get(UpstreamTls::default(), upstream.address).status(), 502, "shown none");
    let tls = UpstreamTls { secret: Some("mine".into()), ..UpstreamTls::default() };
    assert_eq!(edge.get(tls, upstream.address).text(), "name=- certificates=1");
}

#[test]
fn nothing_is_sent_as_long_as_the_secret_does_not_have_what_it_takes() {
    let authority = Authority::new();
    let upstream = upstream(&authority, "web.test");
    let (ours, our_key) = authority.certify(&["edge.test"]);
    let without_authorities = Credentials::parse(None, Some((ours.as_bytes(), our_key.as_bytes()))).unwrap();
    let tls = UpstreamTls { secret: Some("mine".into()), ..UpstreamTls::default() };
    for (why, edge, tls) in [
        ("no Secret, to verify", Edge::new(None), verified("web.test")),
        ("no Secret, to be shown", Edge::new(None), tls),
        ("no authorities", Edge::new(Some(without_authorities)), verified("web.test")),
    ] {
        let answer = edge.get(tls, upstream.address);
        assert_eq!((answer.status(), answer.text().contains("credentials")), (503, true), "{why}");
    }
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn connections_that_were_verified_by_an_authority_that_is_gone_carry_nothing_more() {
    let (before, after) = (Authority::new(), Authority::new());
    let (old, new) = (upstream(&before, "web.test"), upstream(&after, "web.test"));
    let edge = Edge::new(Some(believing(&before)));
    let mut client = Client::connect(edge.sluice.address);
    edge.publish(Protocol::Https, verified("web.test"), old.address);
    assert_eq!((client.get("/").status(), client.get("/").status(), old.connections()), (200, 200, 1));
    edge.credentials.publish(all(Some(believing(&after))));
    edge.publish(Protocol::Https, verified("web.test"), old.address);
    assert_eq!((client.get("/").status(), old.requests()), (502, 2), "the idle connection is not used");
    edge.publish(Protocol::Https, verified("web.test"), new.address);
    assert_eq!(client.get("/").status(), 200, "and the client's own goes on");
}

#[test]
fn a_new_secret_that_says_the_same_opens_connections_anew_and_costs_no_request() {
    let authority = Authority::new();
    let upstream = upstream(&authority, "web.test");
    let edge = Edge::new(Some(believing(&authority)));
    let mut client = Client::connect(edge.sluice.address);
    for round in 1..=5 {
        edge.credentials.publish(all(Some(believing(&authority))));
        edge.publish(Protocol::Https, verified("web.test"), upstream.address);
        assert_eq!((client.get("/").status(), client.get("/").status()), (200, 200));
        assert_eq!(upstream.connections(), round);
    }
}

#[test]
fn endpoints_of_http2_are_verified_too() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (chain, key) = authority.certify(&["web.test"]);
    let upstream = GrpcUpstream::start(100, Some(Arc::new(authority.server(&chain, &key, b"h2"))));
    let call = "POST /test.Echo/One HTTP/1.1\r\nHost: host.test\r\nContent-Type: application/grpc\r\n\
                Content-Length: 10\r\n\r\n\0\0\0\0\x05hello";
    for (believed, status) in [(&authority, 200), (&other, 502)] {
        let edge = Edge::new(Some(believing(believed)));
        edge.publish(Protocol::Grpcs, verified("web.test"), upstream.address);
        let mut client = Client::connect(edge.sluice.address);
        assert_eq!(client.send(call).response().status(), status);
    }
    eventually("both have connected", || upstream.connections() == 2);
}

#[test]
fn an_endpoint_that_stalls_the_handshake_is_given_up_in_time_and_another_one_answers() {
    let authority = Authority::new();
    let (good, silent) = (upstream(&authority, "web.test"), Upstream::scripted(|peer| peer.discard()));
    let live = Published::new(all(Some(believing(&authority))));
    let sluice = Sluice::with(
        |config| {
            config.upstream.credentials = live;
            config.upstream.connect_timeout = Duration::from_millis(300);
        },
        &[],
    );
    let transport =
        Transport { protocol: Some(Protocol::Https), tls: verified("web.test"), ..Transport::default() };
    sluice.publish_over(transport.clone(), &[silent.address]);
    assert_eq!(Client::connect(sluice.address).get("/").status(), 504);
    sluice.publish_over(transport, &[silent.address, good.address]);
    for _ in 0..10 {
        assert_eq!(Client::connect(sluice.address).get("/").status(), 200);
    }
}
