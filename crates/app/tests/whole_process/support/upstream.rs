//! An upstream that answers each request with its name, and holds those for `/held` back until it is told to go on.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use super::eventually;

/// A running upstream; its threads end with the test.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    held: Arc<Held>,
}

#[derive(Default)]
struct Held {
    /// Requests that wait, and whether they may go on.
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Upstream {
    pub(crate) fn start(name: &'static str) -> Upstream {
        Upstream::at(Ipv4Addr::LOCALHOST.into(), name)
    }

    /// Starts where a pod could be.
    pub(crate) fn at(address: IpAddr, name: &'static str) -> Upstream {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let held = Arc::new(Held::default());
        let shared = Arc::clone(&held);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let held = Arc::clone(&shared);
                std::thread::spawn(move || serve(name, &stream.unwrap(), &held));
            }
        });
        Upstream { address, held }
    }

    /// Waits until a request is held back.
    pub(crate) fn wait_until_one_is_held(&self) {
        eventually("a held request", || (self.held.state.lock().unwrap().0 > 0).then_some(()));
    }

    /// Lets all held requests go on.
    pub(crate) fn release(&self) {
        self.held.state.lock().unwrap().1 = true;
        self.held.changed.notify_all();
    }
}

impl Held {
    fn wait(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        drop(self.changed.wait_while(state, |(_, released)| !*released).unwrap());
    }
}

fn serve(name: &str, stream: &TcpStream, held: &Held) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    while let Some(line) = lines.next() {
        while lines.next().is_some_and(|field| !field.is_empty()) {}
        if line.contains("/held") {
            held.wait();
        }
        let length = name.len();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{name}");
        if (&*stream).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
