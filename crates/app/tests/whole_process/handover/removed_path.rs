//! The file at the path is removed while one process takes over from another.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;

use super::{HOST, Shop, has_handed_over, logs};
use crate::support::{Visitors, eventually, program};

/// An address that no other process has, with a port that is the same for each that follows: a process that finds none at
/// the path and binds port 0 would serve elsewhere unnoticed.
fn own_address() -> String {
    let [.., high, low] = std::process::id().to_be_bytes();
    SocketAddr::from((Ipv4Addr::new(127, 77, high, low), 8080)).to_string()
}

#[test]
fn a_path_that_is_removed_before_and_after_each_of_five_handovers_costs_nothing() {
    let shop = Shop::open();
    let address = own_address();
    let process = || shop.process_with(&["--http", &address]);
    let mut last = process();
    let visitors = Visitors::start(&last, HOST);
    for _ in 0..5 {
        fs::remove_file(shop.path()).unwrap();
        // It finds no process at the path at first, and the address taken.
        let next = process();
        assert_eq!((next.http, next.admin), (last.http, last.admin));
        has_handed_over(&last);
        fs::remove_file(shop.path()).unwrap();
        eventually("the path", || shop.path().exists().then_some(()));
        visitors.go_on();
        assert_eq!(last.exit_code(), 0, "{}", last.log());
        last = next;
    }
    visitors.end();
}

#[test]
fn a_path_that_is_removed_while_a_successor_prepares_is_that_ones_when_it_serves() {
    let shop = Shop::open();
    let mut first = shop.process();
    let visitors = Visitors::start(&first, HOST);
    let second = shop.waiting_successor();
    fs::remove_file(shop.path()).unwrap();
    logs(&first, "is made anew");
    // A third process has to wait for its turn there, and gets the second one's sockets in the end.
    let mut third = program(&["run", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--manifests"]);
    third.arg(shop.folder.path()).arg("--handover").arg(shop.path());
    let mut third = third.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    visitors.go_on();
    shop.api.be_honest();
    has_handed_over(&first);
    has_handed_over(&second);
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    visitors.end();
    third.kill().unwrap();
    third.wait().unwrap();
}
