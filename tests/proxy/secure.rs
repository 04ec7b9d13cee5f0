//! TLS: what a client sees of it, and what it does not change.

mod clients;
mod handshake;
mod hellos;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use model::{HostMatch, Published};
use proxy::{Config, Protocol, Tls};
use system_tests::{Authority, End, PATIENCE, Secure, Sluice, Upstream, eventually};
use tls::{Certificate, Certificates, Entry, HTTP_1_1, Tickets};

/// A data plane that speaks TLS, and the authority that its certificates are from.
pub(crate) struct Edge {
    pub(crate) sluice: Sluice,
    authority: Authority,
    certificates: Published<Certificates>,
}

impl Edge {
    pub(crate) fn start(endpoints: &[SocketAddr]) -> Edge {
        Edge::with(|_| {}, endpoints)
    }

    /// With a certificate for `a.test` and `b.test`, and one of its own for `c.test`.
    fn with(change: impl FnOnce(&mut Config), endpoints: &[SocketAddr]) -> Edge {
        let authority = Authority::new();
        let certificates = Published::new(table(&authority));
        let tls = Tls::new(certificates.clone(), Tickets::default(), &[HTTP_1_1]);
        let protocol = Protocol { tls: Some(Arc::new(tls)), ..Protocol::default() };
        Edge { sluice: Sluice::speaking(protocol, change, endpoints), authority, certificates }
    }

    pub(crate) fn connect(&self, name: &str) -> Secure {
        Secure::connect(self.sluice.address, name, &self.authority.client())
    }

    /// A client that is connected and was answered once.
    fn visitor(&self) -> Secure {
        let mut client = self.connect("a.test");
        assert_eq!(client.get("a.test", "/").unwrap().status(), 200);
        client
    }
}

fn table(authority: &Authority) -> Certificates {
    let entry = |name: &'static str, hosts: &[&str]| {
        let (chain, key) = authority.certify(hosts);
        let certificate = Certificate::parse(chain.as_bytes(), key.as_bytes()).unwrap();
        let hosts = hosts.iter().map(|host| HostMatch::parse(host).unwrap()).collect();
        (Entry::new(name, vec![Arc::new(certificate)]).unwrap(), hosts)
    };
    Certificates::new([entry("test/ab", &["a.test", "b.test"]), entry("test/c", &["c.test"])])
}

#[test]
fn a_request_over_tls_is_served_and_the_upstream_learns_that_it_was_one() {
    let upstream = Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let fields = ["x-forwarded-proto", "x-forwarded-port", "forwarded"];
            let text = fields.map(|name| request.field(name).unwrap()).join(" ");
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
            let _ = peer.send(answer);
        }
    });
    let edge = Edge::start(&[upstream.address]);
    let mut client = edge.connect("a.test");
    for _ in 0..2 {
        let text = client.get("a.test", "/").unwrap().text();
        assert_eq!(text, "https 443 for=127.0.0.1;host=a.test;proto=https");
    }
}

#[test]
fn a_connection_that_was_parked_goes_on_as_if_it_never_was() {
    let upstream = Upstream::answering("hello");
    let edge = Edge::start(&[upstream.address]);
    let mut client = edge.visitor();
    for _ in 0..3 {
        eventually("the connection is parked", || edge.sluice.count("sluicegate_connections_parked") == 1);
        assert_eq!(client.get("a.test", "/").unwrap().text(), "hello");
    }
}

#[test]
fn large_bodies_arrive_whole_both_ways() {
    let body = vec![b'x'; 3 << 20];
    let upstream = Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let _ = peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", request.body.len()));
            let _ = peer.send(&request.body);
        }
    });
    let edge = Edge::start(&[upstream.address]);
    let mut client = edge.connect("a.test");
    for _ in 0..2 {
        let head = format!("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: {}\r\n\r\n", body.len());
        client.send(head.as_bytes()).unwrap();
        client.send(&body).unwrap();
        assert!(client.response().unwrap().body == body);
    }
}

#[test]
fn a_host_with_another_certificate_is_misdirected_and_one_with_the_same_is_not() {
    let upstream = Upstream::answering("hello");
    let edge = Edge::start(&[upstream.address]);
    let mut client = edge.connect("a.test");
    assert_eq!(client.get("b.test", "/").unwrap().status(), 200);
    assert_eq!(client.get("c.test", "/").unwrap().status(), 421);
    assert_eq!(client.get("nowhere.test", "/").unwrap().status(), 421);
    assert_eq!(client.get("A.test:443", "/").unwrap().status(), 200);
    assert_eq!(upstream.requests(), 2);
}

#[test]
fn a_new_certificate_is_for_new_connections_and_touches_no_other() {
    let upstream = Upstream::answering("hello");
    let edge = Edge::start(&[upstream.address]);
    let mut old = edge.visitor();
    let shown = old.certificate();
    edge.certificates.publish(table(&edge.authority));
    assert_eq!(old.get("a.test", "/").unwrap().status(), 200);
    assert_eq!(old.get("b.test", "/").unwrap().status(), 200, "the hosts still share one");
    let new = edge.visitor();
    assert!(shown.is_some() && new.certificate() != shown);
}

#[test]
fn an_idle_connection_is_kept_through_a_drain_and_ends_with_the_word_of_tls_for_it() {
    let upstream = Upstream::answering("hello");
    let mut edge = Edge::start(&[upstream.address]);
    let mut client = edge.visitor();
    edge.sluice.drain();
    std::thread::sleep(Duration::from_millis(200));
    assert!(client.get("a.test", "/").unwrap().closes());
    assert_eq!(client.rest(), (vec![], End::Clean));
    drop(client);
    assert_eq!(edge.sluice.finished_within(PATIENCE).expect("no connection is left").cut, 0);
}

#[test]
fn a_silent_connection_is_closed_after_the_idle_time_with_a_handshake_or_without() {
    let upstream = Upstream::answering("hello");
    let edge = Edge::with(|config| config.idle_timeout = Duration::from_millis(300), &[upstream.address]);
    let mut client = edge.visitor();
    assert_eq!(client.rest(), (vec![], End::Clean));
    let mut silent = TcpStream::connect(edge.sluice.address).unwrap();
    silent.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(silent.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_refused_head_is_answered_and_the_answer_arrives() {
    let upstream = Upstream::answering("hello");
    let edge = Edge::start(&[upstream.address]);
    let mut client = edge.visitor();
    client.send(b"GET / HTTP/1.1\r\nHost: a.test\nX: y\r\n\r\n").unwrap();
    assert_eq!(client.response().unwrap().status(), 400);
    assert_eq!(client.rest(), (vec![], End::Clean));
    assert_eq!(upstream.requests(), 1);
}

#[test]
fn a_body_that_ends_with_the_connection_is_not_whole_and_is_not_passed_on_as_such() {
    let (tell, told) = std::sync::mpsc::channel();
    let upstream = Upstream::scripted(move |peer| {
        let _ = tell.send(peer.request().is_ok());
    });
    let edge = Edge::start(&[upstream.address]);
    let mut client = edge.connect("a.test");
    client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhalf").unwrap();
    client.socket().shutdown(std::net::Shutdown::Write).unwrap();
    assert!(!told.recv_timeout(PATIENCE).unwrap());
}

#[test]
fn a_client_that_does_not_read_is_cut_after_the_write_timeout() {
    let upstream = Upstream::scripted(|peer| {
        let _ = peer.request();
        let _ = peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 64 << 20));
        while peer.send(vec![b'x'; 1 << 20]).is_ok() {}
    });
    let edge = Edge::with(
        |config| config.downstream.write_timeout = Duration::from_millis(300),
        &[upstream.address],
    );
    let mut client = edge.connect("a.test");
    client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").unwrap();
    eventually("the client is cut", || edge.sluice.metrics().open().0 == 0);
    let mut socket = client.socket();
    let _ = socket.flush();
}
