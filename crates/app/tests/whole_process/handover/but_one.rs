//! A successor that does not serve on all addresses: no process keeps a socket open that none serves.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};

use super::gives_back::serves_again;
use super::stay::STAY;
use super::{HOST, Shop, has_handed_over, logs};
use crate::support::{Client, Survivors, eventually};

/// An address that was free a moment ago.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Waits until connections there are refused, and not left waiting in a queue that is never emptied.
fn comes_to_be_refused(address: SocketAddr) {
    eventually("that it is refused", || {
        let refused = TcpStream::connect(address).err()?;
        (refused.kind() == ErrorKind::ConnectionRefused).then_some(())
    });
}

#[test]
fn what_the_successor_does_not_have_is_refused_and_the_rest_is_taken_back_if_it_dies() {
    let shop = Shop::open();
    let (more, health) = (free(), free());
    let (http, health_is) = (more.to_string(), health.to_string());
    let flags = ["--http", &http, "--health", &health_is];
    let first = shop.process_with(&[&STAY[..], &flags].concat());
    assert_eq!(Client::connect(more).get(HOST, "/").status, 200);
    assert_eq!(Client::connect(health).get("balancer", "/ready").status, 200);
    let survivors = Survivors::start(&first, HOST);
    let second = shop.process();
    has_handed_over(&first);
    comes_to_be_refused(more);
    comes_to_be_refused(health);
    survivors.go_on();
    drop(second);
    serves_again(&first, 1);
    survivors.go_on();
    survivors.end();
    logs(
        &first,
        &format!(
            "no longer served, because the successor's flags did not name it: http {more}, health {health}"
        ),
    );
    comes_to_be_refused(more);
    comes_to_be_refused(health);
}

#[test]
fn what_the_last_of_several_does_not_have_is_closed_by_all_before_it_and_can_be_had_anew() {
    let shop = Shop::open();
    let more = free();
    let http = more.to_string();
    let flags = [&STAY[..], &["--http", &http]].concat();
    let first = shop.process_with(&flags);
    let second = shop.process_with(&flags);
    has_handed_over(&first);
    assert_eq!(Client::connect(more).get(HOST, "/").status, 200);
    let third = shop.process_with(&STAY);
    has_handed_over(&second);
    comes_to_be_refused(more);
    let fourth = shop.process_with(&flags);
    has_handed_over(&third);
    assert_eq!(Client::connect(more).get(HOST, "/").status, 200);
    // The one that takes back never had it.
    drop(fourth);
    serves_again(&third, 1);
    comes_to_be_refused(more);
    assert_eq!(first.client().get(HOST, "/").status, 200);
}

#[test]
fn a_process_of_whose_addresses_the_successor_has_none_drains_and_ends() {
    let shop = Shop::open();
    let mut first = shop.process();
    let mut held = first.client();
    held.send(HOST, "/held");
    shop.upstream.wait_until_one_is_held();
    let more = free().to_string();
    let mut second = crate::support::program(&["run", "--manifests"]);
    second.arg(shop.folder.path()).arg("--handover").arg(shop.path());
    second.args(["--http", &more, "--admin", &free().to_string()]);
    let mut second = second.stderr(std::process::Stdio::null()).spawn().unwrap();
    has_handed_over(&first);
    comes_to_be_refused(first.http);
    comes_to_be_refused(first.admin);
    shop.upstream.release();
    assert_eq!(held.answer().status, 200);
    held.wait_until_closed();
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    second.kill().unwrap();
    second.wait().unwrap();
}
