//! Hosts whose clients shake hands with the endpoint itself.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use model::{AddressRules, Filters, HostMatch, Policy, Published, RequestFilter, RouteTable};
use model::{RouteTableBuilder, Transport};
use proxy::{Protocol, Tls};
use system_tests::{
    Authority, Client, End, PATIENCE, Secure, SecureUpstream, Sluice, Upstream, eventually, sluice,
};
use tls::{Certificate, Certificates, Entry, HTTP_1_1, Tickets};

/// Where `p.test` and all below `p.test` are passed on, and `t.test` is not.
struct World {
    sluice: Sluice,
    /// Of the proxy's own certificate.
    ours: Authority,
    /// Of the endpoint's.
    theirs: Authority,
    endpoint: SecureUpstream,
    plain: Upstream,
}

fn passing(filters: Vec<RequestFilter>) -> Policy {
    Policy { passes_tls: true, filters: Filters::new(filters, Vec::new()), ..Policy::default() }
}

fn table(policy: &Policy, endpoints: &[SocketAddr], plain: SocketAddr) -> RouteTable {
    let mut table = RouteTableBuilder::default();
    let endpoints: Vec<_> = endpoints.iter().copied().map(sluice::ready).collect();
    for host in ["p.test", "*.p.test"] {
        sluice::add_route_to(&mut table, host, "/", "tls", Transport::default(), policy.clone(), &endpoints);
    }
    sluice::add_route(&mut table, "t.test", "/", "web", &[sluice::ready(plain)]);
    table.build(2)
}

impl World {
    fn new() -> World {
        let (ours, theirs) = (Authority::new(), Authority::new());
        let names = ["p.test", "a.p.test", "t.test"];
        let (chain, key) = theirs.certify(&names);
        let endpoint = SecureUpstream::start(theirs.server_for_its_own(&chain, &key, b"http/1.1"));
        let (chain, key) = ours.certify(&names);
        let certificate = Certificate::parse(chain.as_bytes(), key.as_bytes()).unwrap();
        let entry = Entry::new("test/all", vec![Arc::new(certificate)]).unwrap();
        let live = Published::new(Certificates::new([(entry, vec![HostMatch::Any])]));
        let tls = Tls::new(live, Tickets::default(), &[HTTP_1_1]);
        let protocol = Protocol { tls: Some(Arc::new(tls)), ..Protocol::default() };
        let short = |config: &mut proxy::Config| {
            config.downstream.handshakes_max = 8;
            (config.idle_timeout, config.max_request_time) =
                (std::time::Duration::from_secs(1), PATIENCE / 10);
        };
        let sluice = Sluice::speaking(protocol, short, &[]);
        let plain = Upstream::answering("plain");
        let world = World { sluice, ours, theirs, endpoint, plain };
        world.publish(vec![], &[world.endpoint.address]);
        world
    }

    fn publish(&self, filters: Vec<RequestFilter>, endpoints: &[SocketAddr]) {
        self.sluice.publish_table(table(&passing(filters), endpoints, self.plain.address));
    }

    /// A client of the endpoint, which demands a certificate of its own authority.
    fn visitor(&self, name: &str) -> Secure {
        let (chain, key) = self.theirs.certify(&["visitor"]);
        Secure::connect(self.sluice.address, name, &self.theirs.client_showing(&chain, &key))
    }
}

#[test]
fn a_client_of_such_a_host_shakes_hands_with_the_endpoint_and_others_with_us() {
    let world = World::new();
    for name in ["p.test", "P.Test", "a.p.test"] {
        let mut client = world.visitor(name);
        for _ in 0..2 {
            let expected = format!("name={} certificates=1", name.to_ascii_lowercase());
            assert_eq!(client.get("whatever", "/").unwrap().text(), expected);
        }
    }
    let mut other = Secure::connect(world.sluice.address, "t.test", &world.ours.client());
    assert_eq!(other.get("t.test", "/").unwrap().text(), "plain");
    assert_eq!(world.endpoint.connections(), 3);
    let mut clear = Client::connect(world.sluice.address);
    assert_eq!(clear.get("/").status(), 400, "that is no TLS");
}

#[test]
fn a_first_message_in_pieces_is_waited_for() {
    let world = World::new();
    let mut client = world.visitor("p.test");
    let mut hello = Vec::new();
    client.write_hello(&mut hello);
    for piece in hello.chunks(hello.len() / 5) {
        let mut socket = client.socket();
        std::io::Write::write_all(&mut socket, piece).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(client.get("p.test", "/").unwrap().status(), 200);
}

#[test]
fn an_endpoint_that_refuses_costs_no_client_its_connection() {
    let world = World::new();
    world.publish(vec![], &[Upstream::refusing(), world.endpoint.address]);
    for _ in 0..8 {
        assert_eq!(world.visitor("p.test").get("p.test", "/").unwrap().status(), 200);
    }
    world.publish(vec![], &[Upstream::refusing()]);
    assert!(world.visitor("p.test").get("p.test", "/").is_err());
    eventually("nothing is left", || world.sluice.count("sluicegate_requests_in_flight") == 0);
}

#[test]
fn what_guards_by_address_and_what_denies_holds_for_connections_too() {
    let world = World::new();
    let rules = |deny: &[&str]| {
        let deny = deny.iter().map(|network| network.parse().unwrap()).collect();
        RequestFilter::Addresses(AddressRules { deny, allow: Vec::new() })
    };
    for (filter, passes) in
        [(rules(&["192.0.2.0/24"]), true), (rules(&["127.0.0.0/8"]), false), (RequestFilter::Deny, false)]
    {
        world.publish(vec![filter.clone()], &[world.endpoint.address]);
        assert_eq!(world.visitor("p.test").get("p.test", "/").is_ok(), passes, "{filter}");
    }
    assert_eq!(world.endpoint.connections(), 1);
}

#[test]
fn what_is_passed_on_is_in_flight_and_a_drain_lets_it_be_until_its_time_is_over() {
    let mut world = World::new();
    let mut client = world.visitor("p.test");
    assert_eq!(client.get("p.test", "/").unwrap().status(), 200);
    assert_eq!(world.sluice.count("sluicegate_requests_in_flight"), 1);
    world.publish(vec![RequestFilter::Deny], &[]);
    assert_eq!(client.get("p.test", "/").unwrap().status(), 200, "a publication touches none");
    world.sluice.drain();
    assert_eq!(client.get("p.test", "/").unwrap().status(), 200);
    assert_ne!(client.rest(), (b"x".to_vec(), End::Clean));
    assert_eq!(world.sluice.finished_within(PATIENCE).expect("it ends").cut, 0);
}

#[test]
fn many_that_are_passed_on_take_no_place_from_handshakes() {
    let world = World::new();
    let mut kept: Vec<Secure> = (0..20).map(|_| world.visitor("p.test")).collect();
    for client in &mut kept {
        assert_eq!(client.get("p.test", "/").unwrap().status(), 200);
    }
    let slow = |_| {
        let mut socket = TcpStream::connect(world.sluice.address).unwrap();
        std::io::Write::write_all(&mut socket, &[22]).unwrap();
        socket
    };
    let slow: Vec<TcpStream> = (0..20).map(slow).collect();
    eventually("they are waited for", || world.sluice.count("sluicegate_connections_parked") == 0);
    let mut other = Secure::connect(world.sluice.address, "t.test", &world.ours.client());
    assert_eq!(other.get("t.test", "/").unwrap().status(), 200);
    for client in &mut kept {
        assert_eq!(client.get("p.test", "/").unwrap().status(), 200);
    }
    drop(slow);
}
