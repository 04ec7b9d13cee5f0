//! Two upstreams that answer with their names, and a client that asks without a pause which one it gets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// Between two questions: what a latency is rounded up to. Without it the client would take a core from the cluster.
const PAUSE: Duration = Duration::from_micros(200);

/// How long a change may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts an upstream that answers each request with its name, one letter.
pub(crate) fn upstream(address: IpAddr, name: char) -> Result<SocketAddr> {
    let listener = TcpListener::bind((address, 0))?;
    let at = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(&stream, name));
        }
    });
    Ok(at)
}

fn serve(stream: &TcpStream, name: char) -> std::io::Result<()> {
    for line in BufReader::new(stream).lines() {
        if line?.is_empty() {
            // In one piece: two would wait for each other (Nagle, delayed acknowledgement).
            (&*stream).write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{name}").as_bytes())?;
        }
    }
    Ok(())
}

/// The client.
pub(crate) struct Probe {
    stop: Arc<AtomicBool>,
    /// Which server answers, and since when.
    now: Arc<Mutex<(char, Instant)>>,
    answered: Arc<AtomicU64>,
    thread: JoinHandle<Result<()>>,
}

impl Probe {
    /// Asks for this host on one connection, until stopped.
    pub(crate) fn start(gate: SocketAddr, host: &str) -> Probe {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let now = Arc::new(Mutex::new(('?', Instant::now())));
        let (asked, seen, count, host) =
            (Arc::clone(&stop), Arc::clone(&now), Arc::clone(&answered), host.to_owned());
        let thread = std::thread::spawn(move || {
            let mut stream = BufReader::new(TcpStream::connect(gate)?);
            while !asked.load(Ordering::Relaxed) {
                let name = ask(&mut stream, &host)?;
                let mut seen = seen.lock().map_err(|_| anyhow::anyhow!("poisoned"))?;
                if seen.0 != name {
                    *seen = (name, Instant::now());
                }
                drop(seen);
                count.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(PAUSE);
            }
            Ok(())
        });
        Probe { stop, now, answered, thread }
    }

    /// Waits until this upstream answers, and says since when it does.
    pub(crate) async fn answers(&self, name: char) -> Result<Instant> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (seen, since) = *self.now.lock().map_err(|_| anyhow::anyhow!("poisoned"))?;
            if seen == name {
                return Ok(since);
            }
            ensure!(!self.thread.is_finished(), "the client has failed");
            ensure!(Instant::now() < deadline, "the change was not served within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Stops it; returns how many requests were answered. Fails if one was not.
    pub(crate) fn end(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.join() {
            Ok(outcome) => outcome.map(|()| self.answered.load(Ordering::Relaxed)),
            Err(_) => bail!("the client has panicked"),
        }
    }
}

fn ask(stream: &mut BufReader<TcpStream>, host: &str) -> Result<char> {
    stream.get_mut().write_all(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())?;
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        ensure!(stream.read_line(&mut head)? > 0, "closed after {head:?}");
    }
    ensure!(head.starts_with("HTTP/1.1 200"), "answered {head:?}");
    let mut name = [0];
    stream.read_exact(&mut name)?;
    name.first().map(|name| char::from(*name)).context("a name")
}
