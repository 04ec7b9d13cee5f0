//! Many connections that have each done one request and then keep silent: what does each cost in memory?

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cores::{Cores, pinned};
use crate::manifests::HOST;
use crate::measure::resident_kib;
use crate::proxy::Running;

/// How long the connections are silent before one looks: time to give memory back.
const QUIET: Duration = Duration::from_secs(3);
/// What the client says once all its connections are silent.
const SILENT: &str = "silent";

/// A proxy's resident memory with no connection and with many.
#[derive(Clone, Copy)]
pub(crate) struct Growth {
    pub(crate) before_kib: u64,
    pub(crate) after_kib: u64,
    pub(crate) connections: u32,
}

impl Growth {
    /// KiB for each connection.
    pub(crate) fn per_connection(&self) -> f64 {
        self.after_kib.saturating_sub(self.before_kib) as f64 / f64::from(self.connections)
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.per_connection();
        write!(f, "{each:.2} KiB/connection ({} KiB before, {} KiB after)", self.before_kib, self.after_kib)
    }
}

/// Measures a proxy that has just been started.
pub(crate) fn measure(proxy: &Running, connections: u32, cores: Cores) -> Result<Growth> {
    let before_kib = resident_kib(proxy.id())?;
    let mut client = pinned(cores.rest, std::env::current_exe()?);
    client.arg("idle-client").arg(proxy.address.to_string()).arg(connections.to_string());
    // A process of its own, since each may open only so many files.
    let mut client = client.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let after_kib = wait_for_silence(&mut client).and_then(|()| resident_kib(proxy.id()));
    // The client ends, and its connections with it, at the end of its input.
    drop(client.stdin.take());
    client.wait()?;
    Ok(Growth { before_kib, after_kib: after_kib?, connections })
}

fn wait_for_silence(client: &mut Child) -> Result<()> {
    let mut line = String::new();
    let output = client.stdout.take().context("the client's output is a pipe")?;
    BufReader::new(output).read_line(&mut line)?;
    ensure!(line.trim_end() == SILENT, "the idle client failed");
    std::thread::sleep(QUIET);
    Ok(())
}

/// The client's side: opens the connections one after another and holds them until its input ends.
pub(crate) fn run_client(proxy: SocketAddr, connections: u32) -> Result<()> {
    let opened: Vec<TcpStream> = (0..connections)
        .map(|place| one_request(proxy).with_context(|| format!("connection {place} of {connections}")))
        .collect::<Result<_>>()?;
    println!("{SILENT}");
    io::copy(&mut io::stdin(), &mut io::sink())?;
    drop(opened);
    Ok(())
}

fn one_request(proxy: SocketAddr) -> Result<TcpStream> {
    const BODY: usize = 1024;
    let mut stream = TcpStream::connect(proxy)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    // In one piece: a request in several small segments would wait for delayed acknowledgements.
    stream.write_all(format!("GET /1k HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes())?;
    let (mut response, mut buffer) = (Vec::new(), [0; 4096]);
    let complete = |response: &[u8]| {
        let head = response.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        head.is_some_and(|head| response.len() == head + 4 + BODY)
    };
    while !complete(&response) {
        let count = stream.read(&mut buffer)?;
        ensure!(count > 0, "the proxy closed the connection");
        response.extend_from_slice(&buffer[..count]);
    }
    ensure!(response.starts_with(b"HTTP/1.1 200 "), "the proxy did not answer 200");
    Ok(stream)
}
