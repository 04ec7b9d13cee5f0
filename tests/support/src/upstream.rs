//! Upstreams that follow a script, byte by byte.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

use crate::PATIENCE;
use crate::gate::Gate;
use crate::message::{Message, Reader};

/// A listening upstream; each connection runs the script on a thread of its own.
#[derive(Debug)]
pub struct Upstream {
    /// Where it listens.
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
    received: Arc<AtomicUsize>,
}

impl Upstream {
    /// Starts an upstream that does this with each connection.
    ///
    /// # Panics
    /// If loopback has no port left.
    pub fn scripted(script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Upstream {
        Upstream::scripted_at(Ipv4Addr::LOCALHOST.into(), script)
    }

    /// Starts one at an address of this machine, where a pod could be.
    ///
    /// # Panics
    /// If it is none, or has no port left.
    pub fn scripted_at(at: IpAddr, script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Upstream {
        let listener = TcpListener::bind((at, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let (connections, requests) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (ended, received) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (count, served, script) = (Arc::clone(&connections), Arc::clone(&requests), Arc::new(script));
        let (over, bytes) = (Arc::clone(&ended), Arc::clone(&received));
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let place = count.fetch_add(1, Ordering::SeqCst);
                let (script, served, over) = (Arc::clone(&script), Arc::clone(&served), Arc::clone(&over));
                let reader = Reader::counting(&bytes);
                thread::spawn(move || {
                    script(&mut Peer::new(stream, place, reader, served));
                    over.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Upstream { address, connections, ended, requests, received }
    }

    /// Starts an upstream that answers each request with 200 and this body, and keeps its connections.
    pub fn answering(body: &str) -> Upstream {
        let body = body.to_owned();
        Upstream::scripted(move |peer| {
            while peer.request().is_ok() {
                if peer.respond(&body).is_err() {
                    return;
                }
            }
        })
    }

    /// Starts an upstream that gives each request it reads to the test, and answers it with these bytes.
    pub fn recording(answer: impl AsRef<[u8]>) -> (Upstream, Receiver<Message>) {
        let (tell, told) = mpsc::channel();
        let answer = answer.as_ref().to_vec();
        let upstream = Upstream::scripted(move |peer| {
            while let Ok(request) = peer.request() {
                if tell.send(request).is_err() || peer.send(&answer).is_err() {
                    return;
                }
            }
        });
        (upstream, told)
    }

    /// Starts an upstream like [`answering`](Upstream::answering) whose answers wait for the gate.
    pub fn gated(gate: &Gate, body: &str) -> Upstream {
        let (gate, body) = (gate.clone(), body.to_owned());
        Upstream::scripted(move |peer| {
            while peer.request().is_ok() {
                gate.pass();
                if peer.respond(&body).is_err() {
                    return;
                }
            }
        })
    }

    /// An address on which nothing listens, and nothing will: it stays taken, so that no other test is given it.
    ///
    /// # Panics
    /// If loopback has no port left.
    pub fn refusing() -> SocketAddr {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let address = socket.local_addr().expect("a bound socket");
        std::mem::forget(socket);
        address
    }

    /// Connections whose script has come to its end: for one that reads requests for ever, those that the proxy closed.
    pub fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Bytes read so far, of whole requests and of broken ones.
    pub fn received(&self) -> usize {
        self.received.load(Ordering::SeqCst)
    }

    /// Whole requests read so far.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// An address that neither takes a connection nor refuses it: its queue is full and nothing is accepted.
#[derive(Debug)]
pub struct Deaf {
    /// Where it does not answer.
    pub address: SocketAddr,
    _listener: Socket,
    _queued: Vec<TcpStream>,
}

impl Deaf {
    /// Fills the queue of a listener.
    ///
    /// # Panics
    /// If loopback has no port left, or the queue does not fill.
    pub fn start() -> Deaf {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a free port");
        listener.listen(0).expect("a bound socket");
        let address = listener.local_addr().ok().and_then(|a| a.as_socket()).expect("a bound socket");
        let try_one = |_| TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
        let queued: Vec<_> = (0..16).map_while(try_one).collect();
        assert!(queued.len() < 16, "the queue never fills");
        Deaf { address, _listener: listener, _queued: queued }
    }
}

/// The upstream's end of one connection.
#[derive(Debug)]
pub struct Peer {
    /// The socket.
    pub stream: TcpStream,
    /// Counts the upstream's connections from 0.
    pub place: usize,
    reader: Reader,
    requests: Arc<AtomicUsize>,
}

impl Peer {
    fn new(stream: TcpStream, place: usize, reader: Reader, requests: Arc<AtomicUsize>) -> Peer {
        stream.set_nodelay(true).expect("an open socket");
        stream.set_read_timeout(Some(PATIENCE * 2)).expect("an open socket");
        Peer { stream, place, reader, requests }
    }

    /// Reads a whole request.
    ///
    /// # Errors
    /// If the proxy closes first.
    pub fn request(&mut self) -> io::Result<Message> {
        let mut message = self.head()?;
        self.reader.body(&mut self.stream, &mut message, true)?;
        self.requests.fetch_add(1, Ordering::SeqCst);
        Ok(message)
    }

    /// Reads a request's head only.
    ///
    /// # Errors
    /// If the proxy closes first.
    pub fn head(&mut self) -> io::Result<Message> {
        self.reader.head(&mut self.stream)
    }

    /// Reads one chunk of a chunked body; the last one is empty.
    ///
    /// # Errors
    /// If it is cut.
    pub fn chunk(&mut self) -> io::Result<Vec<u8>> {
        self.reader.chunk(&mut self.stream)
    }

    /// Reads some bytes, as they are; none at the end.
    ///
    /// # Errors
    /// As the socket says.
    pub fn read_some(&mut self, most: usize) -> io::Result<Vec<u8>> {
        self.reader.some(&mut self.stream, most)
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// As the socket says.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Answers 200 with this body.
    ///
    /// # Errors
    /// As the socket says.
    pub fn respond(&mut self, body: &str) -> io::Result<()> {
        self.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    }

    /// Reads and throws away what comes until the proxy closes.
    pub fn discard(&mut self) {
        let _ = io::copy(&mut self.stream, &mut io::sink());
    }

    /// Closes with a reset instead of a clean end.
    pub fn reset(&mut self) {
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        let _ = std::mem::replace(&mut self.stream, closed());
    }
}

/// A socket to put in the place of one that must be dropped now.
fn closed() -> TcpStream {
    Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket").into()
}
