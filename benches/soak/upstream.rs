//! The endpoints behind the proxies: they answer with their name and the number of the request. One that is stopped
//! leaves as a well-behaved pod does: what is in flight is finished, idle connections are closed, new ones refused.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::answer::{field, find};

/// How long a slow answer pauses in its middle.
const SLOW: Duration = Duration::from_millis(200);
/// What an answer has beside its first line: enough to be a page, too little to be a matter of bandwidth.
const PADDING: usize = 256;
/// How often a port is sought that is free at all addresses.
const PORT_TRIES: usize = 20;

/// One endpoint, which can be stopped and started.
pub(crate) struct Endpoint {
    /// Its backend and its number, as `shop-3`.
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    serves: watch::Sender<bool>,
    listening: mpsc::Receiver<()>,
}

impl Endpoint {
    /// Starts it again; it accepts when this returns.
    pub(crate) fn start(&self) -> Result<()> {
        let was_stopped = self.serves.send_if_modified(|serves| !std::mem::replace(serves, true));
        if was_stopped {
            self.wait()?;
        }
        Ok(())
    }

    /// Waits until it accepts.
    fn wait(&self) -> Result<()> {
        self.listening.recv().with_context(|| format!("the endpoint {} cannot listen", self.name))
    }

    pub(crate) fn stop(&self) {
        self.serves.send_replace(false);
    }
}

/// Starts all endpoints, on one port of as many loopback addresses, as pods of one Service are.
pub(crate) fn start(names: Vec<String>) -> Result<Vec<Endpoint>> {
    let listeners = listeners(names.len())?;
    let mut endpoints = Vec::new();
    let mut tasks = Vec::new();
    for (name, listener) in names.into_iter().zip(listeners) {
        let (serves, serving) = watch::channel(true);
        let (told, listening) = mpsc::channel();
        let address = listener.local_addr()?;
        tasks.push(Task { name: name.clone(), address, listener: Some(listener), serving, told });
        endpoints.push(Endpoint { name, address, serves, listening });
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("upstream".into()).spawn(move || {
        runtime.block_on(async {
            let tasks: Vec<_> = tasks.into_iter().map(|task| tokio::spawn(task.run())).collect();
            for task in tasks {
                task.await.expect("no endpoint panics");
            }
        });
    })?;
    endpoints.iter().try_for_each(Endpoint::wait)?;
    Ok(endpoints)
}

fn listeners(count: usize) -> Result<Vec<std::net::TcpListener>> {
    let count = u8::try_from(count).context("too many endpoints")?;
    let mut tries = 0;
    loop {
        let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let bound =
            (0..count).map(|at| std::net::TcpListener::bind((Ipv4Addr::new(127, 0, 9, 1 + at), port)));
        match bound.collect::<std::io::Result<Vec<_>>>() {
            Ok(listeners) => return Ok(listeners),
            Err(error) if tries == PORT_TRIES => {
                return Err(error).context("no port is free for the upstream");
            }
            Err(_) => tries += 1,
        }
    }
}

/// The side of an endpoint that serves.
struct Task {
    name: String,
    address: SocketAddr,
    /// The first time it is there already, so that no other process can take its port meanwhile.
    listener: Option<std::net::TcpListener>,
    serving: watch::Receiver<bool>,
    told: mpsc::Sender<()>,
}

impl Task {
    async fn run(mut self) {
        while self.serving.wait_for(|serves| *serves).await.is_ok() {
            let listener = match self.listen().await {
                Ok(listener) => listener,
                Err(error) => return eprintln!("{} cannot listen at {}: {error}", self.name, self.address),
            };
            let _ = self.told.send(());
            let mut stopped = self.serving.clone();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((stream, _)) = accepted else { continue };
                        tokio::spawn(serve(stream, self.name.clone(), self.serving.clone()));
                    }
                    changed = stopped.changed() => match changed {
                        // Also if it was stopped and started again meanwhile: the one that starts it waits for the word.
                        Ok(()) => break,
                        Err(_) => return,
                    },
                }
            }
        }
    }

    async fn listen(&mut self) -> std::io::Result<TcpListener> {
        let Some(listener) = self.listener.take() else { return TcpListener::bind(self.address).await };
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    }
}

/// Serves one connection until the other side closes it or the endpoint stops.
async fn serve(mut stream: TcpStream, name: String, mut serving: watch::Receiver<bool>) {
    let mut received = Vec::new();
    let _ = stream.set_nodelay(true);
    loop {
        let read = tokio::select! {
            biased;
            read = stream.read_buf(&mut received) => read,
            _ = serving.wait_for(|serves| !*serves), if received.is_empty() => return,
        };
        if !matches!(read, Ok(1..)) {
            return;
        }
        while let Some((asked, length)) = Asked::parse(&received) {
            received.drain(..length);
            let closes = asked.closes || !*serving.borrow();
            if respond(&mut stream, &name, &asked, closes).await.is_err() || closes {
                return;
            }
        }
    }
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    id: String,
    slow: bool,
    posted: usize,
    closes: bool,
}

impl Asked {
    /// The first whole request in these bytes, and its length.
    fn parse(bytes: &[u8]) -> Option<(Asked, usize)> {
        let end = find(bytes, b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let posted = field(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let closes = field(head, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let target = head.split(' ').nth(1)?;
        let (path, id) = target.split_once("?id=").unwrap_or((target, ""));
        let length = end + 4 + posted;
        let asked = Asked { id: id.to_owned(), slow: path == "/slow", posted, closes };
        (bytes.len() >= length).then_some((asked, length))
    }
}

async fn respond(stream: &mut TcpStream, name: &str, asked: &Asked, closes: bool) -> std::io::Result<()> {
    let close = if closes { "Connection: close\r\n" } else { "" };
    let line = format!("{name} {} {}\n", asked.id, asked.posted);
    let padding = "x".repeat(PADDING);
    if !asked.slow {
        let length = line.len() + PADDING;
        let answer = format!("HTTP/1.1 200 OK\r\n{close}Content-Length: {length}\r\n\r\n{line}{padding}");
        return stream.write_all(answer.as_bytes()).await;
    }
    let begin =
        format!("HTTP/1.1 200 OK\r\n{close}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{line}\r\n", line.len());
    stream.write_all(begin.as_bytes()).await?;
    tokio::time::sleep(SLOW).await;
    stream.write_all(format!("{PADDING:x}\r\n{padding}\r\n0\r\n\r\n").as_bytes()).await
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn a_request_is_parsed_when_its_body_has_come() {
        let text = "POST /slow?id=7 HTTP/1.1\r\nHost: a\r\ncontent-length: 2\r\n\r\n";
        assert_eq!(Asked::parse(format!("{text}x").as_bytes()), None);
        let whole = format!("{text}xxGET");
        let asked = Asked { id: "7".into(), slow: true, posted: 2, closes: false };
        assert_eq!(Asked::parse(whole.as_bytes()), Some((asked, whole.len() - 3)));
    }

    #[test]
    fn a_stopped_endpoint_refuses_and_a_started_one_accepts() {
        let endpoints = start(vec!["shop-1".into()]).unwrap();
        let connect = || std::net::TcpStream::connect(endpoints[0].address);
        let mut idle = connect().unwrap();
        // Until it is answered it may still stand in the listener's queue.
        idle.write_all(b"GET /?id=1 HTTP/1.1\r\n\r\n").unwrap();
        assert!(idle.read(&mut [0; 1024]).unwrap() > 0);
        endpoints[0].stop();
        assert_eq!(idle.read(&mut [0; 1024]).unwrap(), 0);
        endpoints[0].start().unwrap();
        connect().unwrap();
    }
}
