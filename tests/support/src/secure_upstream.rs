//! An upstream that speaks HTTP/1 in TLS, and tells what it saw of the handshake.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::PATIENCE;
use crate::message::Reader;

/// A listening upstream. It answers each request with the name that it was asked for and how many certificates it was
/// shown, as in `name=web.test certificates=1`.
#[derive(Debug)]
pub struct SecureUpstream {
    /// Where it listens.
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl SecureUpstream {
    /// Starts one that shakes hands in this way.
    ///
    /// # Panics
    /// If loopback has no port left.
    pub fn start(config: ServerConfig) -> SecureUpstream {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let (connections, requests) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (count, served, config) = (Arc::clone(&connections), Arc::clone(&requests), Arc::new(config));
        thread::spawn(move || {
            while let Ok((socket, _)) = listener.accept() {
                count.fetch_add(1, Ordering::SeqCst);
                let (config, served) = (Arc::clone(&config), Arc::clone(&served));
                thread::spawn(move || serve(socket, config, &served));
            }
        });
        SecureUpstream { address, connections, requests }
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Whole requests read so far.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Answers until the proxy closes.
fn serve(socket: TcpStream, config: Arc<ServerConfig>, served: &AtomicUsize) {
    socket.set_read_timeout(Some(PATIENCE * 2)).expect("an open socket");
    let mut stream = StreamOwned::new(ServerConnection::new(config).expect("a session"), socket);
    let mut reader = Reader::default();
    while let Ok(mut request) = reader.head(&mut stream) {
        if reader.body(&mut stream, &mut request, true).is_err() {
            return;
        }
        served.fetch_add(1, Ordering::SeqCst);
        let name = stream.conn.server_name().unwrap_or("-");
        let shown = stream.conn.peer_certificates().map_or(0, <[_]>::len);
        let text = format!("name={name} certificates={shown}");
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
