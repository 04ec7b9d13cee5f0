//! Clients that stay with an endpoint, whichever process they meet.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use crate::support::{Client, Folder, Gate, Upstream, eventually, ingress, service, slice};

const HOST: &str = "shop.example.com";
const NAMES: [&str; 4] = ["one", "two", "three", "four"];

/// A shop with clients that stay.
struct Shop {
    folder: Folder,
    upstreams: Vec<Upstream>,
}

impl Shop {
    fn open(mode: &str) -> Shop {
        let annotations = format!(
            "metadata: {{ annotations: {{ nginx.ingress.kubernetes.io/affinity: cookie, \
             nginx.ingress.kubernetes.io/affinity-mode: {mode} }}, "
        );
        let ingress = ingress("web", HOST, "/", "web").replace("metadata: { ", &annotations);
        let folder = Folder::new(&[("ingress.yaml", ingress), ("service.yaml", service("web"))]);
        let shop = Shop { folder, upstreams: NAMES.map(Upstream::start).into() };
        (0..shop.upstreams.len()).for_each(|place| shop.list(place, true));
        shop
    }

    /// Each endpoint has a slice of its own, since each has a port of its own.
    fn list(&self, place: usize, ready: bool) {
        let slice = slice("web", self.upstreams[place].address, ready);
        self.folder.write(&format!("slice-{place}.yaml"), &slice.replace("web-1", &format!("web-{place}")));
    }

    fn process(&self) -> Gate {
        let path = self.folder.beside("handover");
        let flags = ["--workers", "2", "--handover", path.to_str().unwrap(), "--guard-time", "0s"];
        Gate::start(&self.folder, &flags)
    }
}

/// What answers a new connection of a client, and the cookie that it is told.
fn ask(to: SocketAddr, cookie: Option<&str>) -> (String, Option<String>) {
    let mut stream = TcpStream::connect(to).unwrap();
    let cookie = cookie.map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{cookie}\r\n").as_bytes()).unwrap();
    let answer = Client::on(stream).answer();
    assert_eq!(answer.status, 200);
    let set =
        answer.head.split_once("set-cookie: ").map(|(_, set)| set.split(';').next().unwrap().to_owned());
    (answer.body, set)
}

/// Clients with their cookies, each with the endpoint that it stays with.
fn clients(gate: &Gate) -> Vec<(String, String)> {
    let clients = (0..12).map(|_| ask(gate.http, None));
    clients.map(|(endpoint, cookie)| (cookie.unwrap(), endpoint)).collect()
}

#[test]
fn clients_stay_with_their_endpoints_over_replicas_workers_and_a_handover() {
    for mode in ["balanced", "persistent"] {
        let shop = Shop::open(mode);
        let first = shop.process();
        let clients = clients(&first);
        let replica = Gate::start(&shop.folder, &["--workers", "2"]);
        let all_stay = |gate: &Gate| {
            for (cookie, endpoint) in clients.iter().chain(&clients) {
                assert_eq!(ask(gate.http, Some(cookie)), (endpoint.clone(), None), "{mode}");
            }
        };
        all_stay(&replica);
        let successor = shop.process();
        all_stay(&successor);
        drop(first);
        all_stay(&successor);
    }
}

#[test]
fn when_an_endpoint_is_not_ready_its_clients_move_and_no_others_do() {
    let shop = Shop::open("balanced");
    let gate = shop.process();
    let clients = clients(&gate);
    shop.list(0, false);
    eventually("no client reaches it", || {
        clients.iter().all(|(cookie, _)| ask(gate.http, Some(cookie)).0 != NAMES[0]).then_some(())
    });
    for (cookie, endpoint) in &clients {
        let (now, told) = ask(gate.http, Some(cookie));
        assert!(if endpoint == NAMES[0] { now != NAMES[0] } else { now == *endpoint }, "{endpoint} {now}");
        assert_eq!(told, None, "a key leads to another endpoint by itself");
    }
}
