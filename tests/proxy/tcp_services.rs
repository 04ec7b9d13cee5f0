//! What is recorded of connections that are passed on, and what limits them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use model::{Balance, Protocol as Spoken, RouteTable, RouteTableBuilder, TcpService, Transport};
use proxy::{AccessLog, Protocol};
use serde_json::{Value, json};
use system_tests::{PATIENCE, Sluice, eventually, sluice};

const PORT: u16 = 25;

fn table(idle_timeout: Duration, endpoints: &[SocketAddr]) -> RouteTable {
    let mut table = RouteTableBuilder::default();
    let endpoints: Vec<_> = endpoints.iter().copied().map(sluice::ready).collect();
    let transport = Transport { protocol: Some(Spoken::Tcp), ..Transport::default() };
    let backend = sluice::add_backend(&mut table, "mail", transport, &endpoints);
    table.tcp_service(TcpService {
        port: PORT,
        backend,
        reads_proxy_header: false,
        balance: Balance::RoundRobin,
        idle_timeout,
        attempts: NonZeroU16::new(3),
        try_for: None,
    });
    table.build(2)
}

fn serving(change: impl FnOnce(&mut proxy::Config)) -> Sluice {
    Sluice::speaking(Protocol { tcp_service: Some(PORT), ..Protocol::default() }, change, &[])
}

/// An endpoint that answers what it is told, once it is told all.
fn endpoint() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut said = Vec::new();
                let _ = stream.read_to_end(&mut said);
                let _ = stream.write_all(&said);
            });
        }
    });
    address
}

fn connect(sluice: &Sluice) -> TcpStream {
    let stream = TcpStream::connect(sluice.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// What is heard until the end; an error if it breaks off.
fn talk(stream: &mut TcpStream, text: &str) -> std::io::Result<String> {
    stream.write_all(text.as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut heard = String::new();
    stream.read_to_string(&mut heard)?;
    Ok(heard)
}

#[test]
fn a_line_of_the_log_says_which_service_it_was_and_how_much_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    let log = AccessLog::File(path.clone());
    let mut sluice = serving(|config| config.access_log = log);
    let (endpoint, refusing) = (endpoint(), TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    sluice.publish_table(table(PATIENCE, &[refusing, endpoint]));
    assert_eq!(talk(&mut connect(&sluice), "hello").unwrap(), "hello");
    eventually("the end of the first", || sluice.count("sluicegate_connections_passed_total") == 1);
    sluice.publish_table(table(PATIENCE, &[refusing]));
    assert!(connect(&sluice).read(&mut [0]).is_err(), "it is reset");
    eventually("the end of the second", || sluice.count("sluicegate_connections_passed_total") == 2);
    sluice.drain();
    sluice.finished_within(PATIENCE).expect("the workers end");
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let fields = ["protocol", "port", "service", "bytes_received", "bytes", "upstream", "error"];
    let said: Vec<Value> = lines.iter().map(|line| fields.map(|field| line[field].clone()).into()).collect();
    let want = [
        json!(["TCP", PORT, "mail", 5, 5, endpoint.to_string(), null]),
        json!(["TCP", PORT, "mail", 0, 0, refusing.to_string(), "connect"]),
    ];
    assert_eq!(said, want);
}

#[test]
fn a_connection_on_which_nothing_is_said_ends_after_its_services_time() {
    let sluice = serving(|_| {});
    sluice.publish_table(table(Duration::from_millis(300), &[endpoint()]));
    let (mut silent, began) = (connect(&sluice), Instant::now());
    assert_eq!(silent.read(&mut [0]).unwrap(), 0);
    assert!(began.elapsed() >= Duration::from_millis(200), "{:?}", began.elapsed());
}

#[test]
fn the_limit_of_connections_is_one_for_all() {
    let sluice = serving(|config| config.downstream.connections_max = 1);
    sluice.publish_table(table(PATIENCE, &[endpoint()]));
    let mut first = connect(&sluice);
    eventually("the first", || sluice.count("sluicegate_connections_open") == 1);
    let mut second = connect(&sluice);
    second.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let waits = talk(&mut second, "hello").unwrap_err();
    assert_eq!(waits.kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(talk(&mut first, "one").unwrap(), "one");
    second.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut heard = String::new();
    second.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "hello");
    assert_eq!(sluice.count("sluicegate_connections_accepted_total"), 2);
}
