//! The endpoints, one for the good clients and one for the attackers: a short answer to each request, a large one at a
//! path of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Child;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};

use crate::attack::yielding;

/// What this program is told to be that of the attackers.
const PART: &str = "upstream";
/// Where the large answer is.
pub(crate) const LARGE: &str = "/large";
/// Bytes of the large answer: far more than the proxy may hold of one.
const LARGE_BYTES: usize = 1 << 20;
/// What waits in the kernel on this side is no matter of the proxy's.
const SEND_BUFFER: u32 = 16 << 10;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;
/// A pause when no file is left.
const PAUSE: Duration = Duration::from_millis(10);

static BODY: [u8; LARGE_BYTES] = [b'x'; LARGE_BYTES];

/// Where the two are, as long as this value lives.
pub(crate) struct Upstreams {
    pub(crate) good: SocketAddr,
    pub(crate) flooded: SocketAddr,
    process: Child,
}

impl Upstreams {
    /// Starts both: the good clients' on a thread of this process, that of the attackers as a process that yields as they
    /// do.
    pub(crate) fn start() -> Result<Upstreams> {
        let (runtime, listener) = listen()?;
        let good = listener.local_addr()?;
        std::thread::Builder::new()
            .name("upstream".into())
            .spawn(move || runtime.block_on(accept(listener)))?;
        let mut process =
            yielding(PART)?.spawn().context("could not start the attackers' upstream (chrt)")?;
        let said = process.stdout.take().context("its output is piped")?;
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        Ok(Upstreams { good, flooded: line.trim().parse()?, process })
    }
}

impl Drop for Upstreams {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The process that yields: says where it is, and serves until its input ends.
pub(crate) fn run() -> Result<()> {
    crate::cores::raise_open_files()?;
    let (runtime, listener) = listen()?;
    println!("{}", listener.local_addr()?);
    std::thread::Builder::new().name("upstream".into()).spawn(move || runtime.block_on(accept(listener)))?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn listen() -> Result<(Runtime, TcpListener)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _inside = runtime.enter();
        let socket = TcpSocket::new_v4()?;
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        socket.listen(BACKLOG)?
    };
    Ok((runtime, listener))
}

async fn accept(listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(serve(stream))),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Answers each head that is not one of a body.
async fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = Vec::new();
    while stream.read_buf(&mut received).await? > 0 {
        while let Some(end) = memchr::memmem::find(&received, b"\r\n\r\n") {
            if received.starts_with(b"POST ") {
                // Its body does not end, and nor does this.
                return tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(drop);
            }
            let large = received.starts_with(format!("GET {LARGE} ").as_bytes());
            received.drain(..end + 4);
            if large {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE_BYTES}\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(&BODY).await?;
            } else {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n").await?;
            }
        }
    }
    Ok(())
}
