//! Clients whose TCP handshake is not finished when the socket changes hands: no accept queue holds them yet, and a
//! server that closes its socket takes them along, however long it accepts before.

use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::{HOST, has_handed_over, logs};
use crate::support::{
    Client, Folder, Gate, Link, Upstream, eventually, in_a_namespace, ingress, program, service, slice,
};

const CLIENTS: usize = 100;

/// Clients that connect, wait for a word, and ask.
struct Clients {
    connected: Receiver<()>,
    go_on: Vec<Sender<()>>,
    threads: Vec<JoinHandle<u16>>,
}

impl Clients {
    fn connect(to: &str) -> Clients {
        let (tell, connected) = channel();
        let mut clients = Clients { connected, go_on: Vec::new(), threads: Vec::new() };
        for _ in 0..CLIENTS {
            let (go_on, wait) = channel();
            let (tell, to) = (tell.clone(), to.to_owned());
            clients.go_on.push(go_on);
            clients.threads.push(std::thread::spawn(move || {
                let stream = TcpStream::connect(to).unwrap();
                tell.send(()).unwrap();
                wait.recv().unwrap();
                Client::on(stream).get(HOST, "/").status
            }));
        }
        clients
    }

    fn all_are_answered(self) {
        self.go_on.iter().for_each(|client| client.send(()).unwrap());
        for (place, client) in self.threads.into_iter().enumerate() {
            assert_eq!(client.join().unwrap(), 200, "client {place}");
        }
    }
}

fn gate(link: &Link, folder: &Folder, http: &str) -> Gate {
    let mut command = program(&["run", "--http", http, "--manifests"]);
    command.arg(folder.path()).arg("--handover").arg(folder.beside("handover"));
    command.args(["--guard-time", "0s"]);
    let gate = Gate::run(&mut link.there(&command));
    logs(&gate, " serving");
    gate
}

#[test]
fn a_handshake_that_is_half_done_ends_at_the_successor() {
    if !in_a_namespace("handover::handshake::a_handshake_that_is_half_done_ends_at_the_successor") {
        return;
    }
    let link = Link::new();
    let upstream = Upstream::at(Link::HERE.parse().unwrap(), "one");
    let folder = Folder::new(&[
        ("web.yaml", ingress("web", HOST, "/", "web")),
        ("service.yaml", service("web")),
        ("slice.yaml", slice("web", upstream.address, true)),
    ]);
    let (port, http) = (8080, format!("{}:8080", Link::THERE));
    let mut first = gate(&link, &folder, &http);

    // Their SYN arrives, and the answer to it does not.
    link.carry_from_there(false);
    let clients = Clients::connect(&http);
    eventually("half-open connections", || (link.half_open(port) == CLIENTS).then_some(()));
    // The answer arrives when it is sent again, and what they say to it does not: they believe to be connected, and so
    // never send a SYN again, which would be a new chance.
    link.carry_from_here(false);
    link.carry_from_there(true);
    (0..CLIENTS).for_each(|_| clients.connected.recv().unwrap());
    assert_eq!(link.half_open(port), CLIENTS);

    let _second = gate(&link, &folder, &http);
    has_handed_over(&first);
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    assert_eq!(link.half_open(port), CLIENTS);
    link.carry_from_here(true);
    clients.all_are_answered();
}
