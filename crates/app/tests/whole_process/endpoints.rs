//! HTTP/2 endpoints whose connections end at the worst moment. Only a process can be held still until that has happened.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustix::process::Signal;
use test_support::frames::{END_HEADERS, END_STREAM, Frames, HEADERS};

use crate::support::{Client, Folder, Gate, ingress, service, slice};

/// An endpoint that answers each request with an empty 200, and whose connections the test ends.
#[derive(Default)]
struct Endpoint {
    seen: AtomicUsize,
    connections: Mutex<Vec<TcpStream>>,
}

impl Endpoint {
    fn start() -> (Arc<Endpoint>, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (endpoint, address) = (Arc::<Endpoint>::default(), listener.local_addr().unwrap());
        let serving = Arc::clone(&endpoint);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                serving.connections.lock().unwrap().push(stream.try_clone().unwrap());
                let serving = Arc::clone(&serving);
                std::thread::spawn(move || serving.serve(stream));
            }
        });
        (endpoint, address)
    }

    /// Frame by frame, until the connection ends.
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        // 200, and a length of 0 (RFC 7541 §6).
        const EMPTY_200: [u8; 5] = [0x88, 0x0f, 0x0d, 1, b'0'];
        let mut frames = Frames::accept(stream)?;
        loop {
            if let (HEADERS, _, id, _) = frames.read()? {
                self.seen.fetch_add(1, Ordering::SeqCst);
                frames.send(HEADERS, END_STREAM | END_HEADERS, id, &EMPTY_200);
            }
        }
    }

    fn end_connection(&self) {
        let connections = self.connections.lock().unwrap();
        connections.last().unwrap().shutdown(Shutdown::Both).unwrap();
    }
}

#[test]
fn a_request_whose_connection_ends_as_it_is_chosen_goes_on_another_whatever_its_method() {
    let (endpoint, address) = Endpoint::start();
    let speaks = service("web").replace("port: 80", "port: 80, appProtocol: kubernetes.io/h2c");
    let folder = Folder::new(&[
        ("ingress.yaml", ingress("web", "web.test", "/", "web")),
        ("service.yaml", speaks),
        ("slice.yaml", slice("web", address, true)),
    ]);
    let gate = Gate::start(&folder, &["--workers", "1"]);
    let mut stream = TcpStream::connect(gate.http).unwrap();
    let mut client = Client::on(stream.try_clone().unwrap());
    let mut post = || {
        stream.write_all(b"POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 4\r\n\r\nbody").unwrap();
    };
    for turn in 0..10 {
        post();
        assert_eq!(client.answer().status, 200);
        gate.pause();
        if turn % 2 == 0 {
            endpoint.end_connection();
            post();
        } else {
            post();
            endpoint.end_connection();
        }
        gate.signal(Signal::CONT);
        assert_eq!(client.answer().status, 200, "turn {turn}");
        assert_eq!(endpoint.seen.load(Ordering::SeqCst), 2 * (turn + 1), "each is seen once");
    }
}
