//! Passwords.

use std::net::SocketAddr;
use std::time::Instant;

use system_tests::{Client, Message, Sluice, Upstream, sluice};

use super::{addresses, of_password, table};
use model::Auth;

/// `secret`, with a cost of 10: some 50 ms.
const BCRYPT: &str = "$2b$10$abcdefghijklmnopqrstuuqflPDzB6gcMhKa1rZqKiun2YGL5sa2u";
const ALICE: &str = "Authorization: Basic YWxpY2U6c2VjcmV0\r\n";
const WRONG: &str = "Authorization: Basic YWxpY2U6d3Jvbmc=\r\n";

fn gate(auth: Auth, upstream: &Upstream) -> Sluice {
    let sluice = Sluice::start(&[]);
    sluice.publish_table(table(2, auth, &[sluice::ready(upstream.address)], &[]));
    sluice
}

fn get(to: SocketAddr, fields: &str) -> Message {
    Client::connect(to).send(format!("GET / HTTP/1.1\r\nHost: any.example\r\n{fields}\r\n")).response()
}

#[test]
fn without_the_right_password_a_request_is_401_and_its_endpoint_hears_nothing() {
    let upstream = Upstream::answering("hello");
    let sluice = gate(of_password(&[("alice", BCRYPT)]), &upstream);
    let unknown = "Authorization: Basic Ym9iOnNlY3JldA==\r\n";
    for fields in
        ["", WRONG, unknown, "Authorization: Bearer YWxpY2U6c2VjcmV0\r\n", "Authorization: Basic !\r\n"]
    {
        let answer = get(sluice.address, fields);
        assert_eq!(answer.status(), 401, "{fields}");
        assert_eq!(answer.field("www-authenticate").as_deref(), Some("Basic realm=\"the shop\""));
    }
    assert_eq!(upstream.connections(), 0);
    assert_eq!(get(sluice.address, ALICE).status(), 200);
}

#[test]
fn an_endpoint_does_not_see_the_password() {
    let (upstream, told) = Upstream::recording("HTTP/1.1 204 No Content\r\n\r\n");
    let sluice = gate(of_password(&[("alice", "{PLAIN}secret")]), &upstream);
    assert_eq!(get(sluice.address, ALICE).status(), 204);
    assert_eq!(told.recv().unwrap().field("authorization"), None);
}

#[test]
fn each_way_in_which_a_password_is_kept_lets_its_user_in() {
    let upstream = Upstream::answering("hello");
    for hash in [
        "{PLAIN}secret",
        "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
        "{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0",
        "$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0",
        "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA",
        "rlcg0.fZequS.",
        BCRYPT,
    ] {
        let sluice = gate(of_password(&[("alice", hash)]), &upstream);
        assert_eq!(get(sluice.address, ALICE).status(), 200, "{hash}");
        assert_eq!(get(sluice.address, WRONG).status(), 401, "{hash}");
    }
}

#[test]
fn ten_thousand_requests_with_credentials_that_were_seen_before_take_no_hash() {
    let upstream = Upstream::answering("hello");
    let sluice = gate(of_password(&[("alice", BCRYPT)]), &upstream);
    let begun = Instant::now();
    assert_eq!(get(sluice.address, ALICE).status(), 200);
    let first = begun.elapsed();
    let mut client = Client::connect(sluice.address);
    let begun = Instant::now();
    for _ in 0..10_000 {
        client.send(format!("GET / HTTP/1.1\r\nHost: any.example\r\n{ALICE}\r\n"));
        assert_eq!(client.response().status(), 200);
    }
    // Each of them would have taken as long as the first one did.
    assert!(begun.elapsed() < first * 5000, "{:?} after {first:?}", begun.elapsed());
}

#[test]
fn a_password_that_is_being_verified_keeps_no_other_request_waiting() {
    let upstream = Upstream::answering("hello");
    let slow = "$2b$13$abcdefghijklmnopqrstuuyd9ipDgNyTEie103vumVuve9x.2WtxW";
    let sluice = gate(of_password(&[("alice", slow), ("bob", "{PLAIN}secret")]), &upstream);
    let mut waiting = Client::connect(sluice.address);
    waiting.send(format!("GET / HTTP/1.1\r\nHost: any.example\r\n{WRONG}\r\n"));
    let mut others = 0;
    while waiting.is_quiet_for(std::time::Duration::from_millis(1)) {
        assert_eq!(get(sluice.address, "Authorization: Basic Ym9iOnNlY3JldA==\r\n").status(), 200);
        others += 1;
    }
    assert_eq!(waiting.response().status(), 401);
    assert!(others > 5, "only {others} were served beside it");
}

#[test]
fn a_changed_password_counts_at_once() {
    let upstream = Upstream::answering("hello");
    let sluice = gate(of_password(&[("alice", BCRYPT)]), &upstream);
    let mut client = Client::connect(sluice.address);
    let mut ask =
        || client.send(format!("GET / HTTP/1.1\r\nHost: a.example\r\n{ALICE}\r\n")).response().status();
    assert_eq!((ask(), ask()), (200, 200));
    let other = of_password(&[("alice", "$apr1$saltsalt$AAAAAAAAAAAAAAAAAAAAAA")]);
    sluice.publish_table(table(3, other, &[sluice::ready(upstream.address)], &[]));
    assert_eq!(ask(), 401);
}

#[test]
fn one_of_several_ways_in_may_be_enough() {
    let upstream = Upstream::answering("hello");
    for (allow, fields, status) in [
        ("127.0.0.0/8", "", 200),
        ("192.0.2.0/24", "", 401),
        ("192.0.2.0/24", WRONG, 401),
        ("192.0.2.0/24", ALICE, 200),
    ] {
        let any = Some(addresses(allow));
        let sluice =
            gate(Auth { any, ..of_password(&[("alice", "$1$saltsalt$9xy1btjgzLYfb7hivXtC//")]) }, &upstream);
        assert_eq!(get(sluice.address, fields).status(), status, "{allow} {fields}");
    }
}
