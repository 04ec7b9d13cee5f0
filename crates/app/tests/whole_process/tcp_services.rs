//! Ports of TCP, passed on to Services.

mod handover;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::support::{Folder, Gate, PATIENCE, eventually, service, slice};

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// An endpoint that says its name and a line's end, then whatever is said to it, until that ends; then `bye`.
struct Echo {
    address: SocketAddr,
}

impl Echo {
    fn start(name: &'static str) -> Echo {
        Echo::at(LOCAL, name)
    }

    /// Starts where a pod could be.
    fn at(address: IpAddr, name: &'static str) -> Echo {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                thread::spawn(move || echo(name, &stream.unwrap()));
            }
        });
        Echo { address }
    }
}

fn echo(name: &str, mut stream: &TcpStream) {
    let mut bytes = [0; 1024];
    let mut said = stream.write_all(format!("{name}\n").as_bytes());
    while said.is_ok() {
        match stream.read(&mut bytes) {
            Ok(0) => {
                let _ = stream.write_all(b"bye");
                return;
            }
            Ok(length) => said = stream.write_all(&bytes[..length]),
            Err(_) => return,
        }
    }
}

/// A client of such a port.
struct Caller(TcpStream);

impl Caller {
    /// Connects; nothing if the port is refused.
    fn connect(port: u16) -> Option<Caller> {
        let stream = TcpStream::connect((LOCAL, port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Some(Caller(stream))
    }

    /// The first line that it hears.
    fn line(&mut self) -> std::io::Result<String> {
        let (mut line, mut byte) = (Vec::new(), [0]);
        loop {
            match self.0.read(&mut byte)? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                _ if byte == *b"\n" => return Ok(String::from_utf8(line).unwrap()),
                _ => line.push(byte[0]),
            }
        }
    }

    /// Says something and hears it.
    fn talks(&mut self) {
        self.0.write_all(b"ping\n").unwrap();
        assert_eq!(self.line().unwrap(), "ping");
    }
}

/// A port that no other program is likely to take: those that the kernel gives away are higher.
fn free_port() -> u16 {
    eventually("a free port", || {
        let port = fastrand::u16(10_000..30_000);
        TcpListener::bind((LOCAL, port)).ok().map(|_| port)
    })
}

/// The ConfigMap with these entries.
fn services(entries: &BTreeMap<u16, &str>) -> String {
    let data: Vec<String> = entries.iter().map(|(port, value)| format!("'{port}': {value:?}")).collect();
    format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: tcp, namespace: shop}}, data: {{{}}}}}",
        data.join(", ")
    )
}

fn write(folder: &Folder, entries: &[(u16, &str)]) {
    folder.write("tcp.yaml", &services(&entries.iter().copied().collect()));
}

/// Endpoints in this folder, each of a Service of its name.
fn folder(endpoints: &[(&str, SocketAddr)]) -> Folder {
    let folder = Folder::new(&[]);
    for (name, address) in endpoints {
        folder.write(&format!("{name}.yaml"), &service(name));
        folder.write(&format!("{name}-slice.yaml"), &slice(name, *address, true));
    }
    folder
}

const FLAGS: [&str; 2] = ["--tcp-services-configmap", "shop/tcp"];

fn gate(folder: &Folder, more: &[&str]) -> Gate {
    Gate::bound(folder, &[&FLAGS, more].concat()).ready()
}

/// Waits until the port leads to the endpoint of this name.
fn leads_to(port: u16, name: &str) -> Caller {
    eventually(&format!("{port} leads to {name}"), || {
        let mut caller = Caller::connect(port)?;
        (caller.line().ok()? == name).then_some(caller)
    })
}

#[test]
fn a_port_opens_and_closes_with_the_config_map_and_connections_go_on() {
    let (one, two) = (Echo::start("one"), Echo::start("two"));
    let folder = folder(&[("one", one.address), ("two", two.address)]);
    let (first, second) = (free_port(), free_port());
    write(&folder, &[(first, "shop/one:80")]);
    let gate = gate(&folder, &[]);
    let mut before = leads_to(first, "one");
    write(&folder, &[(first, "shop/two:http"), (second, "shop/two:80")]);
    leads_to(second, "two");
    let mut other = leads_to(first, "two");
    before.talks();
    let routes = gate.json("/routes");
    assert_eq!(routes["tcpServices"][usize::from(first > second)]["listens"], first, "{routes}");
    write(&folder, &[(second, "shop/two:80")]);
    eventually("the port is closed", || Caller::connect(first).is_none().then_some(()));
    before.talks();
    other.talks();
    // What the client does not say any more, the endpoint hears; and the client its last word.
    other.0.shutdown(std::net::Shutdown::Write).unwrap();
    let mut rest = String::new();
    other.0.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "bye");
    folder.remove("tcp.yaml");
    eventually("the other port is closed", || Caller::connect(second).is_none().then_some(()));
    gate.tells("dangling-reference", "no TCP service is served");
    before.talks();
}

#[test]
fn an_endpoint_that_refuses_is_passed_over_and_one_that_breaks_off_breaks_off() {
    let refusing = TcpListener::bind((LOCAL, 0)).unwrap().local_addr().unwrap();
    let one = Echo::start("one");
    let folder = folder(&[("one", one.address)]);
    folder.write("refusing.yaml", &slice("one", refusing, true).replace("one-1", "one-2"));
    let port = free_port();
    write(&folder, &[(port, "shop/one:80")]);
    let _gate = gate(&folder, &[]);
    for _ in 0..10 {
        assert_eq!(Caller::connect(port).unwrap().line().unwrap(), "one");
    }
    folder.remove("one-slice.yaml");
    let broken = eventually("no endpoint is left", || Caller::connect(port)?.line().err());
    assert_eq!(
        broken.kind(),
        std::io::ErrorKind::ConnectionReset,
        "an end could be taken for that of an answer"
    );
}

#[test]
fn a_proxy_header_is_read_and_passed_on_where_the_entry_says_so() {
    let one = Echo::start("one");
    let folder = folder(&[("one", one.address)]);
    let (both, told, plain) = (free_port(), free_port(), free_port());
    write(
        &folder,
        &[(both, "shop/one:80:PROXY:PROXY"), (told, "shop/one:80::PROXY"), (plain, "shop/one:80:PROXY")],
    );
    let _gate = gate(&folder, &[]);
    let header = "PROXY TCP4 192.0.2.1 192.0.2.2 4711 25";
    let mut caller = Caller::connect(both).unwrap();
    caller.0.write_all(format!("{header}\r\nping\n").as_bytes()).unwrap();
    assert_eq!(caller.line().unwrap(), "one");
    assert_eq!((caller.line().unwrap(), caller.line().unwrap()), (format!("{header}\r"), "ping".into()));
    let mut caller = leads_to(told, "one");
    let from = caller.0.local_addr().unwrap().port();
    assert_eq!(caller.line().unwrap(), format!("PROXY TCP4 127.0.0.1 127.0.0.1 {from} {told}\r"));
    let mut caller = Caller::connect(plain).unwrap();
    caller.0.write_all(format!("{header}\r\nping\n").as_bytes()).unwrap();
    assert_eq!((caller.line().unwrap(), caller.line().unwrap()), ("one".into(), "ping".into()));
    let mut forged = Caller::connect(both).unwrap();
    forged.0.write_all(b"ping\n").unwrap();
    assert_eq!(forged.line().unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn a_port_that_another_program_has_is_told_and_served_when_it_is_free() {
    let one = Echo::start("one");
    let folder = folder(&[("one", one.address)]);
    let (port, taken) = (free_port(), TcpListener::bind((LOCAL, 0)).unwrap());
    let taken_port = taken.local_addr().unwrap().port();
    write(&folder, &[(port, "shop/one:80"), (taken_port, "shop/one:80")]);
    let gate = gate(&folder, &[]);
    leads_to(port, "one");
    gate.tells("port-unavailable", &taken_port.to_string());
    drop(taken);
    leads_to(taken_port, "one");
    gate.tells_no_more("port-unavailable", "");
}

#[test]
fn a_drain_leaves_a_connection_alone_until_it_ends() {
    let one = Echo::start("one");
    let folder = folder(&[("one", one.address)]);
    let port = free_port();
    write(&folder, &[(port, "shop/one:80")]);
    let mut gate = gate(&folder, &[]);
    let mut caller = leads_to(port, "one");
    gate.drain();
    // As long as any client is served, new ones are.
    leads_to(port, "one").talks();
    caller.talks();
    assert!(gate.runs());
    drop(caller);
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
}

#[test]
fn a_connection_ends_before_the_hard_stop_and_is_not_counted_as_cut() {
    let one = Echo::start("one");
    let folder = folder(&[("one", one.address)]);
    let port = free_port();
    write(&folder, &[(port, "shop/one:80")]);
    let mut gate = gate(&folder, &["--idle-timeout", "1s", "--max-request-time", "1s"]);
    let mut caller = leads_to(port, "one");
    gate.drain();
    let mut rest = Vec::new();
    caller.0.read_to_end(&mut rest).expect("an end, no reset");
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
}

#[test]
fn ten_thousand_ports_are_too_many_and_the_rest_of_the_process_goes_on() {
    let one = Echo::start("one");
    let folder = folder(&[("one", one.address)]);
    let port = free_port();
    let many = (30_001..40_001).chain([port]).map(|port| (port, "shop/one:80")).collect();
    folder.write("tcp.yaml", &services(&many));
    let gate = gate(&folder, &["--tcp-services-max", "1"]);
    gate.tells("too-many-services", "10000 TCP services more");
    leads_to(port, "one").talks();
}
