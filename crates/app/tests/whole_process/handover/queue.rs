//! Connections in the queue of a listening socket while it is handed over.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::process::Signal;

use super::{HOST, Shop, has_handed_over};
use crate::support::{Client, Gate};

/// Clients that have sent their requests and are not accepted yet.
fn queue(gate: &Gate, length: usize) -> Vec<Client> {
    let mut queued: Vec<Client> = (0..length).map(|_| gate.client()).collect();
    queued.iter_mut().for_each(|client| client.send(HOST, "/"));
    queued
}

fn all_are_answered(queued: Vec<Client>) {
    for (place, mut client) in queued.into_iter().enumerate() {
        assert_eq!(client.answer().status, 200, "client {place}");
    }
}

#[test]
fn connections_while_both_processes_stand_still_are_answered_after_the_handover() {
    let shop = Shop::open();
    let mut first = shop.process();
    let second = shop.waiting_successor();
    first.pause();
    second.pause();
    let queued = queue(&first, 200);
    shop.api.be_honest();
    first.signal(Signal::CONT);
    second.signal(Signal::CONT);
    has_handed_over(&first);
    all_are_answered(queued);
    assert_eq!(first.exit_code(), 0, "{}", first.log());
}

#[test]
fn a_predecessor_that_closes_its_listener_on_a_long_queue_leaves_it_to_its_successor() {
    let shop = Shop::open();
    // It accepts no more than these, which stay.
    let first = shop.process_with(&["--connections-max", "4"]);
    let mut kept: Vec<Client> = (0..4).map(|_| first.client()).collect();
    kept.iter_mut().for_each(|client| assert_eq!(client.get(HOST, "/").status, 200));
    let queued = queue(&first, 200);
    assert_eq!(first.json("/state")["connections"], 4);
    let _second = shop.process();
    has_handed_over(&first);
    all_are_answered(queued);
    kept.iter_mut().for_each(|client| assert!(client.get(HOST, "/").closes()));
}

#[test]
fn a_successor_with_fewer_workers_and_addresses_serves_all_connections_to_those_it_has() {
    let shop = Shop::open();
    let first = shop.process_with(&["--http", "127.0.0.2:0", "--workers", "4"]);
    let given_up = other_address(&first);
    let _stays = first.client().get(HOST, "/");
    let second = shop.process_with(&["--workers", "1"]);
    has_handed_over(&first);
    let clients: Vec<_> = (0..8).map(|_| std::thread::spawn(move || visit(second.http, 125))).collect();
    clients.into_iter().for_each(|client| client.join().expect("every visit is answered 200"));
    // Not silence: no process has it any more.
    let refused = TcpStream::connect_timeout(&given_up, Duration::from_secs(5)).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

fn visit(address: SocketAddr, times: usize) {
    for _ in 0..times {
        assert_eq!(Client::connect(address).get(HOST, "/").status, 200);
    }
}

/// The first of two addresses that a process serves on.
fn other_address(gate: &Gate) -> SocketAddr {
    let log = gate.log();
    log.split("listening http=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap()
}

#[test]
fn a_successor_changes_no_flag_of_the_sockets_and_its_predecessor_goes_on_accepting() {
    let shop = Shop::open();
    let first = shop.process();
    let before = flags(&first);
    let second = shop.waiting_successor();
    assert_eq!(flags(&first), before);
    second.pause();
    assert_eq!(first.client().get(HOST, "/").status, 200);
    drop(second);
    assert_eq!(first.client().get(HOST, "/").status, 200);
    assert_eq!(flags(&first), before);
}

/// The flags of a process's listening socket, which are those of every process that has it.
fn flags(gate: &Gate) -> String {
    let process = format!("/proc/{}", gate.json("/state")["pid"]);
    let port = format!(":{:04X}", gate.http.port());
    let sockets = fs::read_to_string(format!("{process}/net/tcp")).unwrap();
    let listening = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut inode = listening.filter(|it| it[1].ends_with(&port) && it[3] == "0A").map(|it| it[9].to_owned());
    let link = format!("socket:[{}]", inode.next_back().expect("a listening socket"));
    let of = |fd: &fs::DirEntry| fs::read_link(fd.path()).is_ok_and(|to| to.as_os_str() == &*link);
    let fd = fs::read_dir(format!("{process}/fd")).unwrap().map(Result::unwrap).find(of).unwrap();
    let info = fs::read_to_string(format!("{process}/fdinfo/{}", fd.file_name().display())).unwrap();
    info.lines().find(|line| line.starts_with("flags:")).unwrap().to_owned()
}
