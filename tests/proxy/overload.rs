//! More than can be served at a time: which clients are turned away, what they are told, and that no other notices.

use proxy::Protocol;
use system_tests::{Client, End, Gate, Http2, Message, Sluice, Upstream, eventually};

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: host.test\r\n\r\n";
const OPEN: &str = "sluicegate_connections_open";

/// Told that there was only too much to do: by which word, and whether the connection ends.
fn turned_away(answer: &Message, word: &str, closes: bool) {
    assert_eq!((answer.status(), answer.closes()), (503, closes), "{answer:?}");
    assert_eq!(answer.field("retry-after").as_deref(), Some("1"), "{answer:?}");
    assert!(answer.text().contains(&format!("({word})")), "{answer:?}");
}

#[test]
fn one_client_may_have_only_so_many_connections_and_the_next_one_is_told_when_to_come_back() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::with(|config| config.downstream.connections_per_client_max = 2, &[upstream.address]);
    let mut inside: Vec<Client> = (0..2).map(|_| Client::connect(sluice.address)).collect();
    inside.iter_mut().for_each(|client| assert_eq!(client.get("/").status(), 200));
    let mut third = Client::connect(sluice.address);
    turned_away(&third.send(REQUEST).response(), "client-connections", true);
    assert_eq!(third.rest(), (vec![], End::Clean));
    assert_eq!(inside[0].get("/").status(), 200, "those inside are served");
    inside.pop();
    third.finish();
    eventually("one has left", || sluice.count(OPEN) == 1);
    assert_eq!(Client::connect(sluice.address).get("/").status(), 200);
}

#[test]
fn clients_behind_a_load_balancer_that_names_them_are_counted_one_by_one() {
    let upstream = Upstream::answering("hello");
    let protocol =
        Protocol { proxy_header_from: vec!["127.0.0.1/32".parse().unwrap()], ..Protocol::default() };
    let limit = |config: &mut proxy::Config| config.downstream.connections_per_client_max = 1;
    let sluice = Sluice::speaking(protocol, limit, &[upstream.address]);
    let ask = |client: u8| {
        let mut connection = Client::connect(sluice.address);
        connection.send(format!("PROXY TCP4 192.0.2.{client} 198.51.100.1 4711 80\r\n{REQUEST}"));
        let answer = connection.response();
        (connection, answer)
    };
    let (_first, answer) = ask(1);
    assert_eq!(answer.status(), 200);
    let (_second, answer) = ask(2);
    assert_eq!(answer.status(), 200);
    turned_away(&ask(1).1, "client-connections", true);
}

#[test]
fn a_request_too_many_is_turned_away_at_once_and_its_connection_stays() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let sluice = Sluice::with(|config| config.downstream.requests_max = 2, &[upstream.address]);
    let mut held: Vec<Client> = (0..2).map(|_| Client::connect(sluice.address)).collect();
    for client in &mut held {
        client.request("GET", "/");
    }
    eventually("both are in flight", || sluice.count("sluicegate_requests_in_flight") == 2);
    let mut third = Client::connect(sluice.address);
    turned_away(&third.get("/"), "requests", false);
    gate.open();
    held.iter_mut().for_each(|client| assert_eq!(client.response().status(), 200));
    assert_eq!(third.get("/").status(), 200);
}

#[test]
fn a_stream_too_many_is_turned_away_and_the_others_are_answered() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let protocol = Protocol { http2_cleartext: true, ..Protocol::default() };
    let sluice = Sluice::speaking(protocol, |config| config.downstream.requests_max = 1, &[upstream.address]);
    let mut client = Http2::connect(sluice.address);
    let request = |client: &Http2| client.request("GET", "host.test", "/").body(Default::default()).unwrap();
    let first = client.begin(request(&client));
    eventually("it is in flight", || sluice.count("sluicegate_requests_in_flight") == 1);
    let second = client.get("host.test", "/").unwrap();
    assert_eq!(
        (second.head.status().as_u16(), &second.head.headers()["retry-after"]),
        (503, &"1".parse().unwrap())
    );
    gate.open();
    assert_eq!(client.finish(first).unwrap().head.status(), 200);
}

#[test]
fn while_memory_is_short_new_clients_are_turned_away_and_what_has_begun_is_finished() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let sluice = Sluice::start(&[upstream.address]);
    let mut begun = Client::connect(sluice.address);
    begun.request("GET", "/");
    let mut idle = Client::connect(sluice.address);
    eventually("one is in flight, one idle", || {
        sluice.count("sluicegate_requests_in_flight") == 1
            && sluice.count("sluicegate_connections_parked") == 1
    });
    sluice.overload().set_memory_short(true);
    turned_away(&idle.get("/"), "memory", true);
    // Not even a head is read of a new client.
    let mut new = Client::connect(sluice.address);
    turned_away(&new.response(), "memory", true);
    gate.open();
    assert_eq!(begun.response().status(), 200);
    sluice.overload().set_memory_short(false);
    assert_eq!(begun.get("/").status(), 200);
    assert_eq!(new.rest(), (vec![], End::Clean));
    assert_eq!(Client::connect(sluice.address).get("/").status(), 200);
}
