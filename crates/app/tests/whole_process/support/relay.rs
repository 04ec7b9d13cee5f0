//! A slow way to a server: every byte is late, and few fit at once.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How slow it is.
#[derive(Clone, Copy)]
pub(crate) struct Slowness {
    /// Each way.
    pub(crate) latency: Duration,
    pub(crate) bytes_per_second: u32,
}

/// Relays connections to a server, slowly; returns where. The threads end with the test.
pub(crate) fn relay(to: SocketAddr, slowness: Slowness) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for here in listener.incoming() {
            let here = here.unwrap();
            let Ok(there) = TcpStream::connect(to) else { continue };
            pump(here.try_clone().unwrap(), there.try_clone().unwrap(), slowness);
            pump(there, here, slowness);
        }
    });
    address
}

/// One direction: a thread that reads, and one that writes what is due.
fn pump(mut from: TcpStream, mut to: TcpStream, slowness: Slowness) {
    let (sender, due) = mpsc::channel::<(Instant, Vec<u8>)>();
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            let _ = sender.send((Instant::now() + slowness.latency, piece[..length].to_vec()));
            std::thread::sleep(Duration::from_secs(1) * length as u32 / slowness.bytes_per_second);
        }
    });
    std::thread::spawn(move || {
        for (at, piece) in due {
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                break;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
}
