//! An upstream of HTTP/2 that refuses the first requests it gets, unseen, and answers all others with their own body.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use h2::server::{SendResponse, handshake};
use h2::{Reason, RecvStream};
use http::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::frames::{GOAWAY, HEADERS, PREFACE, SETTINGS};

/// How a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Its stream is reset with REFUSED_STREAM, once its body has come.
    Stream,
    /// The connection says goodbye, and names an earlier stream as the last.
    Connection,
    /// Its stream is reset with another reason: it may have been seen.
    Seen,
}

/// A running upstream.
#[derive(Debug)]
pub struct RefusingUpstream {
    /// Where it listens.
    pub address: SocketAddr,
    refused: Arc<AtomicUsize>,
    answered: Arc<AtomicUsize>,
    /// Its tasks end with it.
    _runtime: tokio::runtime::Runtime,
}

impl RefusingUpstream {
    /// Starts one that refuses so many requests.
    ///
    /// # Panics
    /// If loopback has no port left.
    pub fn start(how: How, times: usize) -> RefusingUpstream {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let (refused, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counts = (Arc::clone(&refused), Arc::clone(&answered));
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, how, times, counts.clone()));
            }
        });
        RefusingUpstream { address, refused, answered, _runtime: runtime }
    }

    /// Requests that were refused, and that were answered.
    pub fn counts(&self) -> (usize, usize) {
        (self.refused.load(Ordering::SeqCst), self.answered.load(Ordering::SeqCst))
    }
}

async fn serve(
    socket: TcpStream,
    how: How,
    times: usize,
    (refused, answered): (Arc<AtomicUsize>, Arc<AtomicUsize>),
) {
    let refuses = || {
        let one_more = |so_far| (so_far < times).then_some(so_far + 1);
        refused.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).is_ok()
    };
    if how == How::Connection && refuses() {
        let _ = say_goodbye(socket).await;
        return;
    }
    let Ok(mut connection) = handshake(socket).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        let (refuse, answered) = (refuses().then_some(how), Arc::clone(&answered));
        tokio::spawn(async move {
            if let Ok(true) = echo(request, respond, refuse).await {
                answered.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
}

/// Says goodbye when the first request comes, and that it has seen none. No library says that of what it has read.
async fn say_goodbye(mut socket: TcpStream) -> io::Result<()> {
    const SETTINGS_FRAME: [u8; 9] = [0, 0, 0, SETTINGS, 0, 0, 0, 0, 0];
    const GOAWAY_FRAME: [u8; 17] = [0, 0, 8, GOAWAY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    socket.write_all(&SETTINGS_FRAME).await?;
    socket.read_exact(&mut [0; PREFACE.len()]).await?;
    let mut head = [0; 9];
    while head[3] != HEADERS {
        socket.read_exact(&mut head).await?;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        socket.read_exact(&mut vec![0; length]).await?;
    }
    socket.write_all(&GOAWAY_FRAME).await?;
    socket.read_to_end(&mut Vec::new()).await.map(drop)
}

/// Reads the whole body, and then refuses or answers; returns whether it has answered.
async fn echo(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    refuse: Option<How>,
) -> Result<bool, h2::Error> {
    let (mut body, mut all) = (request.into_body(), Vec::new());
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        all.extend_from_slice(&data);
    }
    match refuse {
        Some(How::Seen) => respond.send_reset(Reason::INTERNAL_ERROR),
        Some(_) => respond.send_reset(Reason::REFUSED_STREAM),
        None => {
            let mut stream = respond.send_response(Response::new(()), false)?;
            stream.send_data(all.into(), true)?;
            return Ok(true);
        }
    }
    Ok(false)
}
