//! One process takes over from another, and clients do not notice.

mod at_the_path;
mod but_one;
mod chain;
mod deaths;
mod gives_back;
mod handshake;
mod health;
mod initial_sync;
mod libraries;
mod queue;
mod removed_path;
mod signals;
mod stay;
mod steps;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{
    Client, FakeApi, Folder, Gate, Lie, Upstream, Visitors, eventually, ingress, pod_address, program,
    service, slice,
};

const HOST: &str = "shop.example.com";

/// A shop, and the path at which the processes that serve it follow one another.
struct Shop {
    folder: Folder,
    upstream: Upstream,
    /// The same shop as a cluster, for a process that has to wait for its routes.
    api: FakeApi,
}

impl Shop {
    fn open() -> Shop {
        let upstream = Upstream::at(pod_address(), "one");
        let objects = [
            ("ingresses", ingress("web", HOST, "/", "web")),
            ("services", service("web")),
            ("endpointslices", slice("web", upstream.address, true)),
        ];
        let (folder, api) = (Folder::new(&[]), FakeApi::start());
        for (kind, text) in objects {
            folder.write(&format!("{kind}.yaml"), &text);
            api.put(kind, serde_saphyr::from_str::<Value>(&text).unwrap());
        }
        Shop { folder, upstream, api }
    }

    fn path(&self) -> PathBuf {
        self.folder.beside("handover")
    }

    /// A process that serves: the first, or the successor of the last.
    fn process(&self) -> Gate {
        self.process_with(&[])
    }

    /// One that has handed over ends when it is drained.
    fn process_with(&self, more: &[&str]) -> Gate {
        self.process_that_guards("0s", more)
    }

    /// One that stays for some time after a handover, although it is drained.
    fn process_that_guards(&self, time: &str, more: &[&str]) -> Gate {
        let path = self.path();
        let flags = ["--handover", path.to_str().unwrap(), "--guard-time", time];
        let gate = Gate::bound(&self.folder, &[&flags, more].concat());
        logs(&gate, " serving");
        gate
    }

    /// A successor that has the sockets and waits for its routes, until the API server is honest.
    fn waiting_successor(&self) -> Gate {
        self.api.lie(|_| Some(Lie::Close));
        let mut command = program(&["run", "--no-events", "--kubeconfig"]);
        let gate = Gate::run(command.arg(self.api.kubeconfig()).arg("--handover").arg(self.path()));
        logs(&gate, "took over from process");
        gate
    }
}

/// Waits until a process has said so.
fn logs(gate: &Gate, what: &str) {
    eventually(what, || gate.log().contains(what).then_some(()));
}

fn has_handed_over(gate: &Gate) {
    logs(gate, "handed over to process");
}

#[test]
fn a_successor_serves_on_the_same_addresses_and_its_predecessor_drains_unasked() {
    let shop = Shop::open();
    let mut first = shop.process();
    let visitors = Visitors::start(&first, HOST);
    visitors.go_on();
    let second = shop.process();
    assert_eq!((second.http, second.admin), (first.http, first.admin));
    has_handed_over(&first);
    visitors.go_on();
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    visitors.end();
    assert!(!second.client().get(HOST, "/").closes());
}

/// A connection that this process has accepted, and not a former one that is just about to close its listener.
fn kept(gate: &Gate) -> Client {
    eventually("a connection that is kept", || {
        let mut client = gate.client();
        (!client.get(HOST, "/").closes()).then_some(client)
    })
}

#[test]
fn ten_processes_follow_one_another_while_the_former_still_drain() {
    let shop = Shop::open();
    let mut last = shop.process();
    let visitors = Visitors::start(&last, HOST);
    let mut former = Vec::new();
    for _ in 0..10 {
        let idle = kept(&last);
        let next = shop.process();
        has_handed_over(&last);
        visitors.go_on();
        former.push((last, idle));
        last = next;
    }
    assert!(former.iter_mut().all(|(gate, _)| gate.runs()));
    for (mut gate, mut idle) in former {
        let answer = idle.get(HOST, "/");
        assert_eq!((answer.status, answer.closes()), (200, true), "{answer:?}\n{}", gate.log());
        idle.wait_until_closed();
        assert_eq!(gate.exit_code(), 0, "{}", gate.log());
    }
    visitors.end();
}

#[test]
fn after_the_handover_only_the_successor_accepts() {
    let shop = Shop::open();
    let first = shop.process();
    let _idle = kept(&first);
    let second = shop.process();
    has_handed_over(&first);
    let of_the_first = "\nsluicegate_connections_accepted_total 1\n";
    eventually("that the successor alone accepts", || {
        // While it cannot, the other one would, given the time.
        second.pause();
        let (mut client, mut page) = (second.client(), Client::connect(second.admin));
        client.send(HOST, "/");
        page.send("admin", "/metrics");
        std::thread::sleep(Duration::from_millis(100));
        second.signal(Signal::CONT);
        (!client.answer().closes() && !page.answer().body.contains(of_the_first)).then_some(())
    });
}

#[test]
fn a_probe_that_the_predecessor_has_accepted_is_answered_although_it_has_nothing_else_to_do() {
    let shop = Shop::open();
    let mut first = shop.process();
    // It asks only half, so that it is still there at the end.
    let mut probe = std::net::TcpStream::connect(first.admin).unwrap();
    probe.write_all(b"GET /ready HTTP/1.1\r\n").unwrap();
    // Connections are accepted in their order: once this one is answered, that one is accepted.
    assert_eq!(first.page("/live").0, 200);
    let _second = shop.process();
    logs(&first, " drained");
    // Enough to end too early.
    std::thread::sleep(Duration::from_millis(100));
    probe.write_all(b"Host: probe\r\n\r\n").unwrap();
    let mut answer = String::new();
    probe.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(first.exit_code(), 0, "{}", first.log());
}

#[test]
fn until_the_successor_has_its_routes_the_predecessor_answers_all_clients() {
    let shop = Shop::open();
    let mut first = shop.process();
    let visitors = Visitors::start(&first, HOST);
    let second = shop.waiting_successor();
    visitors.go_on();
    assert!(!first.log().contains("handed over"));
    shop.api.be_honest();
    has_handed_over(&first);
    visitors.go_on();
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    visitors.end();
    assert!(second.log().contains("is released and drains"), "{}", second.log());
}

#[test]
fn an_idle_connection_of_the_predecessor_is_told_to_leave_with_its_next_answer() {
    let shop = Shop::open();
    let mut first = shop.process();
    let mut idle = first.client();
    assert!(!idle.get(HOST, "/").closes());
    let _second = shop.process();
    has_handed_over(&first);
    let answer = idle.get(HOST, "/");
    assert_eq!((answer.status, answer.closes()), (200, true), "{answer:?}");
    idle.wait_until_closed();
    assert_eq!(first.exit_code(), 0, "{}", first.log());
}
