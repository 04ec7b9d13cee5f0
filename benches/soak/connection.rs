//! One connection of a client: it sends a request once and says what came of it.

use std::time::{Duration, Instant};

use rustix::net::RecvFlags;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::answer::Answer;
use crate::door::{self, Door, Stream};
use crate::failure::Failure;
use crate::request::Request;

/// How long a client waits for a connection, and for a whole answer. The slowest upstream needs a fraction of a second.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// An open connection.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    /// What has come of the present answer.
    received: Vec<u8>,
    /// Answers that it has brought.
    pub(crate) answers: u64,
    /// When it last was opened or brought an answer.
    pub(crate) idle_since: Instant,
}

impl Connection {
    /// Opens one.
    ///
    /// # Errors
    /// If it is refused, or not answered.
    pub(crate) async fn open(door: &Door) -> Result<Connection, Failure> {
        let stream = timeout(PATIENCE, door.open()).await.map_err(|_| Failure::Timeout)??;
        Ok(Connection { stream, received: Vec::new(), answers: 0, idle_since: Instant::now() })
    }

    /// Whether the other side has closed it, or has sent something unasked, by this moment. Asks the kernel itself: the
    /// runtime hears of it only when it next polls.
    pub(crate) fn is_cut(&self) -> bool {
        let look =
            rustix::net::recv(self.stream.socket(), &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        !matches!(look, Err(rustix::io::Errno::AGAIN))
    }

    /// The port of this end, which is in the access log of the other.
    pub(crate) fn port(&self) -> u16 {
        self.stream.socket().local_addr().map_or(0, |address| address.port())
    }

    /// The certificate that was presented.
    pub(crate) fn presented(&self) -> Option<String> {
        self.stream.presented().map(door::name)
    }

    /// Sends the request and reads its answer. After an error the connection is of no use.
    ///
    /// # Errors
    /// If the request was lost.
    pub(crate) async fn ask(&mut self, request: &Request) -> Result<Answer, Failure> {
        let answer =
            timeout(PATIENCE, self.exchange(&request.bytes)).await.map_err(|_| Failure::Timeout)??;
        request.check(&answer)?;
        self.answers += 1;
        self.idle_since = Instant::now();
        Ok(answer)
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<Answer, Failure> {
        self.received.clear();
        self.stream.write_all(request).await.map_err(|_| Failure::Reset)?;
        // A TLS stream keeps what it has made of it until it is told.
        self.stream.flush().await.map_err(|_| Failure::Reset)?;
        loop {
            let read = self.stream.read_buf(&mut self.received).await;
            let begun = !self.received.is_empty();
            let ended = match read {
                Err(_) if begun => return Err(Failure::Truncated),
                Err(_) => return Err(Failure::Reset),
                Ok(0) if !begun => return Err(Failure::Eof),
                Ok(count) => count == 0,
            };
            match Answer::parse(&self.received, ended) {
                Err(_) => return Err(Failure::Wrong),
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) if ended => return Err(Failure::Truncated),
                Ok(None) => {}
            }
        }
    }

    /// What has come, for the record of a loss.
    pub(crate) fn received(&self) -> String {
        const SHOWN: usize = 200;
        let shown = &self.received[..self.received.len().min(SHOWN)];
        String::from_utf8_lossy(shown).escape_debug().to_string()
    }
}
