//! The endpoint: the same bytes for every request, sent in one piece when the gate waits for them.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, OnceLock};
use std::thread;

use anyhow::Result;

use crate::worker::Worker;

/// Bytes of each answer's body.
pub(crate) const BODY: usize = 1024;

/// It listens until this process ends; its connections end with those of the gate.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    gate: Arc<OnceLock<Worker>>,
}

impl Upstream {
    /// Starts it.
    pub(crate) fn start() -> Result<Upstream> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let upstream = Upstream { address: listener.local_addr()?, gate: Arc::default() };
        let gate = Arc::clone(&upstream.gate);
        thread::Builder::new().name("upstream".into()).spawn(move || {
            for stream in listener.incoming().flatten() {
                let gate = Arc::clone(&gate);
                // The gate ends its connections as it likes; a request that is lost for that is the client's to tell.
                thread::spawn(move || answer_all(stream, &gate));
            }
        })?;
        Ok(upstream)
    }

    /// Which worker it has to wait for.
    pub(crate) fn is_behind(&self, worker: Worker) {
        self.gate.set(worker).expect("one upstream is for one gate");
    }
}

fn answer_all(mut stream: TcpStream, gate: &OnceLock<Worker>) -> Result<()> {
    stream.set_nodelay(true)?;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {BODY}\r\n\r\n");
    let answer = [head.as_bytes(), &[b'x'; BODY]].concat();
    while read_head(&mut stream)? {
        if let Some(worker) = gate.get() {
            worker.wait_until_idle()?;
        }
        stream.write_all(&answer)?;
    }
    Ok(())
}

/// Reads a head without a body; `false` if there is none any more.
fn read_head(stream: &mut TcpStream) -> io::Result<bool> {
    let (mut head, mut some) = (Vec::new(), [0; 4096]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut some)? {
            0 => return Ok(false),
            read => head.extend_from_slice(&some[..read]),
        }
    }
    Ok(true)
}
