//! Which clients may resume with which ticket.

use std::sync::Arc;

use model::Published;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, ServerConfig};
use tls::{Certificates, HTTP_1_1, KEYS_MAX, KeyError, Kind, TicketKey, Tickets, server_config};

use crate::authority::Authority;
use crate::peers::{client, meet, publish, published};

const FIRST: [u8; 48] = [1; 48];
const SECOND: [u8; 48] = [2; 48];

/// Two hosts on two certificates, and a client of theirs.
struct World {
    authority: Authority,
    live: Published<Certificates>,
}

impl World {
    fn new() -> World {
        let authority = Authority::new("root");
        let one = |name| (name, vec![authority.certificate(Kind::Ecdsa, &[name])]);
        let live = published(vec![one("a.test"), one("b.test")]);
        World { authority, live }
    }

    /// Another process with these keys.
    fn server(&self, keys: &[&[u8]]) -> (Arc<ServerConfig>, Tickets) {
        let tickets = Tickets::default();
        tickets.share(keys.iter().map(|key| key_of(key)));
        (server_config(&self.live, &tickets, &[HTTP_1_1]), tickets)
    }

    fn clients(&self) -> [ClientConfig; 2] {
        [&TLS12, &TLS13].map(|version| client(self.authority.root(), version))
    }
}

fn key_of(bytes: &[u8]) -> TicketKey {
    TicketKey::new(bytes).expect("a key")
}

fn resumes(client: &ClientConfig, server: &Arc<ServerConfig>) -> bool {
    meet(client, server, "a.test").expect("a handshake").kind == HandshakeKind::Resumed
}

#[test]
fn a_session_of_one_replica_resumes_at_another_with_the_same_key() {
    let world = World::new();
    let (one, two) = (world.server(&[&FIRST]).0, world.server(&[&FIRST]).0);
    for client in world.clients() {
        assert!(!resumes(&client, &one), "there is nothing to resume yet");
        assert!(resumes(&client, &two) && resumes(&client, &one));
    }
}

#[test]
fn a_session_resumes_after_its_key_was_followed_by_another_and_not_after_it_was_dropped() {
    let world = World::new();
    let (server, tickets) = world.server(&[&FIRST]);
    for client in world.clients() {
        tickets.share([key_of(&FIRST)]);
        assert!(!resumes(&client, &server));
        tickets.share([key_of(&SECOND), key_of(&FIRST)]);
        assert!(resumes(&client, &server), "the old key still opens");
        // What it brings from here on was sealed with the new key. TLS 1.2 keeps its old ticket unless it is given another,
        // as it is here.
        tickets.share([key_of(&SECOND)]);
        assert!(resumes(&client, &server), "the new key seals");
        tickets.share([key_of(&[3; 32])]);
        assert!(!resumes(&client, &server), "a dropped key opens nothing");
    }
}

#[test]
fn no_keys_leave_those_that_are_there() {
    let world = World::new();
    let (server, tickets) = world.server(&[]);
    assert!(!tickets.are_shared());
    for client in world.clients() {
        assert!(!resumes(&client, &server));
        tickets.share([]);
        assert!(resumes(&client, &server), "with keys of its own");
    }
    tickets.share([key_of(&FIRST)]);
    tickets.share([]);
    assert!(tickets.are_shared());
}

#[test]
fn processes_with_keys_of_their_own_resume_nothing_of_each_other() {
    let world = World::new();
    let (one, two) = (world.server(&[]).0, world.server(&[]).0);
    for client in world.clients() {
        assert!(!resumes(&client, &one));
        assert!(!resumes(&client, &two));
    }
}

#[test]
fn a_session_resumes_across_a_new_certificate() {
    let world = World::new();
    let (server, _) = world.server(&[&FIRST]);
    for client in world.clients() {
        assert!(!resumes(&client, &server));
        let renewed = world.authority.certificate(Kind::Ecdsa, &["a.test"]);
        publish(&world.live, vec![("a.test", vec![renewed])]);
        assert!(resumes(&client, &server));
    }
}

#[test]
fn a_session_of_one_name_does_not_resume_for_another() {
    let world = World::new();
    let (server, _) = world.server(&[&FIRST]);
    for client in world.clients() {
        // rustls' client keeps sessions by name: this one is made to bring that of another.
        let mut client = client;
        client.resumption = rustls::client::Resumption::store(Arc::new(OneForAll::default()));
        assert!(!resumes(&client, &server));
        let other = meet(&client, &server, "b.test").expect("a handshake");
        assert_eq!(other.kind, HandshakeKind::Full);
        meet(&client, &server, "a.test").expect("a handshake");
        assert!(resumes(&client, &server), "the client does bring what it has");
    }
}

#[test]
fn a_key_has_32_to_80_bytes() {
    for bytes in [0, 31, 81] {
        assert_eq!(TicketKey::new(&vec![7; bytes]).map(drop), Err(KeyError { bytes }));
    }
    for bytes in [32, 48, 80] {
        assert!(TicketKey::new(&vec![7; bytes]).is_ok(), "{bytes}");
    }
}

#[test]
fn of_too_many_keys_the_first_count() {
    let world = World::new();
    let keys: Vec<Vec<u8>> = (0..=KEYS_MAX).map(|at| vec![u8::try_from(at).expect("few"); 32]).collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let all = world.server(&keys).0;
    for (key, opens) in [(keys[KEYS_MAX - 1], true), (keys[KEYS_MAX], false)] {
        for client in world.clients() {
            assert!(!resumes(&client, &world.server(&[key]).0));
            assert_eq!(resumes(&client, &all), opens);
        }
    }
}

/// Sessions of all names in one place.
#[derive(Debug, Default)]
struct OneForAll(std::sync::Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    tls12: Option<rustls::client::Tls12ClientSessionValue>,
    tls13: Vec<rustls::client::Tls13ClientSessionValue>,
}

impl rustls::client::ClientSessionStore for OneForAll {
    fn set_kx_hint(&self, _: rustls::pki_types::ServerName<'static>, _: rustls::NamedGroup) {}

    fn kx_hint(&self, _: &rustls::pki_types::ServerName<'_>) -> Option<rustls::NamedGroup> {
        None
    }

    fn set_tls12_session(
        &self,
        _: rustls::pki_types::ServerName<'static>,
        value: rustls::client::Tls12ClientSessionValue,
    ) {
        self.0.lock().expect("one thread").tls12 = Some(value);
    }

    fn tls12_session(
        &self,
        _: &rustls::pki_types::ServerName<'_>,
    ) -> Option<rustls::client::Tls12ClientSessionValue> {
        self.0.lock().expect("one thread").tls12.clone()
    }

    fn remove_tls12_session(&self, _: &rustls::pki_types::ServerName<'static>) {
        self.0.lock().expect("one thread").tls12 = None;
    }

    fn insert_tls13_ticket(
        &self,
        _: rustls::pki_types::ServerName<'static>,
        value: rustls::client::Tls13ClientSessionValue,
    ) {
        self.0.lock().expect("one thread").tls13.push(value);
    }

    fn take_tls13_ticket(
        &self,
        _: &rustls::pki_types::ServerName<'static>,
    ) -> Option<rustls::client::Tls13ClientSessionValue> {
        self.0.lock().expect("one thread").tls13.pop()
    }
}
