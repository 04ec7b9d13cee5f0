//! A way to a server that can be slow, and cut.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

/// How slow it is, each way.
#[derive(Clone, Copy, Default)]
pub(crate) struct Slowness {
    pub(crate) latency: Duration,
    /// For each connection; none is as many as there are.
    pub(crate) bytes_per_second: Option<u32>,
}

/// Relays connections to a server. The threads end with the test.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    /// The connections, unless it is cut.
    connections: Arc<Mutex<Option<Vec<TcpStream>>>>,
}

impl Relay {
    pub(crate) fn start(to: SocketAddr, slowness: Slowness) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(Mutex::new(Some(Vec::new())));
        let relay = Relay { address, connections: Arc::clone(&connections) };
        std::thread::spawn(move || {
            for here in listener.incoming() {
                let (here, Ok(there)) = (here.unwrap(), TcpStream::connect(to)) else { continue };
                // While it is cut, every client is sent away.
                let mut connections = connections.lock().unwrap();
                let Some(connections) = &mut *connections else { continue };
                connections.extend([here.try_clone().unwrap(), there.try_clone().unwrap()]);
                pump(here.try_clone().unwrap(), there.try_clone().unwrap(), slowness);
                pump(there, here, slowness);
            }
        });
        relay
    }

    /// Ends all connections and lets none through.
    pub(crate) fn cut(&self) {
        for connection in self.connections.lock().unwrap().take().into_iter().flatten() {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Lets them through again.
    pub(crate) fn mend(&self) {
        *self.connections.lock().unwrap() = Some(Vec::new());
    }
}

/// One direction: a thread that reads, and one that writes what is due.
fn pump(mut from: TcpStream, mut to: TcpStream, slowness: Slowness) {
    let (sender, due) = mpsc::channel::<(Instant, Vec<u8>)>();
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            let _ = sender.send((Instant::now() + slowness.latency, piece[..length].to_vec()));
            if let Some(bytes) = slowness.bytes_per_second {
                std::thread::sleep(Duration::from_secs(1) * length as u32 / bytes);
            }
        }
    });
    std::thread::spawn(move || {
        for (at, piece) in due {
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
