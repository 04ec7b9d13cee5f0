//! What comes at the last moment: of an idle connection, of a drain, of the process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{HOST, shop};
use crate::support::{Client, Folder, Gate, PATIENCE, Upstream, eventually, ingress, service, slice};

/// The kernel has the request, and the process learns of it in the same moment as of the end of the idle time.
#[test]
fn a_request_that_came_while_the_process_stood_still_is_answered_though_the_idle_time_is_over() {
    const IDLE: Duration = Duration::from_secs(8);
    const PARKED: &str = "\nsluicegate_connections_parked 20\n";
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let mut gate = Gate::start(&folder, &["--idle-timeout", "8s"]);
    let mut clients: Vec<Client> = (0..20).map(|_| gate.client()).collect();
    let spoke = Instant::now();
    clients.iter_mut().for_each(|client| assert!(!client.get(HOST, "/").closes()));
    gate.drain();
    // Only from then on they are idle.
    eventually("all are parked", || gate.page("/metrics").1.contains(PARKED).then_some(()));
    gate.pause();
    assert!(spoke.elapsed() < IDLE, "this machine is too busy: {:?}", spoke.elapsed());
    clients.iter_mut().for_each(|client| client.send(HOST, "/"));
    sleep(IDLE + Duration::from_secs(1));
    gate.signal(Signal::CONT);
    for client in &mut clients {
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (200, true), "{answer:?}");
    }
    drop(clients);
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
}

#[test]
fn a_request_at_the_last_moment_of_the_idle_time_may_take_its_full_time_before_the_hard_stop() {
    const IDLE: Duration = Duration::from_secs(6);
    const REQUEST: Duration = Duration::from_secs(6);
    /// What a busy machine may take until the request is sent, and from its time's end until it is answered.
    const BUSY: Duration = Duration::from_secs(2);
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let mut gate = Gate::start(&folder, &["--idle-timeout", "6s", "--max-request-time", "6s"]);
    let mut late = gate.client();
    assert_eq!(late.get(HOST, "/").status, 200);
    let asked = Instant::now();
    gate.signal(Signal::TERM);
    sleep((IDLE - BUSY).saturating_sub(asked.elapsed()));
    late.send(HOST, "/held");
    let sent = asked.elapsed();
    upstream.wait_until_one_is_held();
    assert!(sent < IDLE, "this machine is too busy to be at the last moment: {sent:?}");
    // Well after the idle time and after the longest request that was there when the drain began.
    sleep((IDLE - BUSY + REQUEST - BUSY).saturating_sub(asked.elapsed()));
    upstream.release();
    let answer = late.answer();
    assert_eq!((answer.status, &*answer.body, answer.closes()), (200, "one", true), "{answer:?}");
    late.wait_until_closed();
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
}

const LARGE: usize = 50 << 20;

/// An upstream with one answer of 50 MiB.
fn large() -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut head = [0; 4096];
        assert_ne!(stream.read(&mut head).unwrap(), 0);
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {LARGE}\r\n\r\n").unwrap();
        let piece = vec![b'x'; 1 << 20];
        (0..LARGE / piece.len()).for_each(|_| stream.write_all(&piece).unwrap());
    });
    (address, thread)
}

#[test]
fn a_slow_reader_gets_all_of_its_answer_over_the_end_of_the_process() {
    let (upstream, sent) = large();
    let folder = Folder::new(&[
        ("web.yaml", ingress("web", HOST, "/", "web")),
        ("service.yaml", service("web")),
        ("slice.yaml", slice("web", upstream, true)),
    ]);
    let mut gate = Gate::start(&folder, &["--idle-timeout", "1s"]);
    let mut client = TcpStream::connect(gate.http).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(client, "GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n").unwrap();
    let mut piece = vec![0; 64 << 10];
    let mut read = client.read(&mut piece).unwrap();
    gate.drain();
    // The first half takes three times the idle time.
    while read < LARGE / 2 {
        read += client.read(&mut piece).unwrap();
        sleep(Duration::from_micros(7500));
    }
    assert!(gate.runs());
    // Of the rest, as much as the kernel holds is read when the process is gone, or about to go.
    eventually("the end of the upstream's part", || {
        if !sent.is_finished() {
            read += client.read(&mut piece).unwrap();
        }
        sent.is_finished().then_some(())
    });
    sleep(Duration::from_secs(1));
    while let got @ 1.. = client.read(&mut piece).unwrap() {
        read += got;
    }
    // More than the body by its head.
    assert!((LARGE..LARGE + 1024).contains(&read), "{read}");
    drop(client);
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
}
