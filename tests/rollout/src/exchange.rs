//! One request and its answer on a connection, and all the ways in which it can be lost.

use std::fmt;
use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than the gate gives a request with short times; a client that waits longer would never be answered.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);

/// More than any answer here has.
const HEAD_LIMIT: usize = 16 * 1024;

/// How a request was lost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loss {
    /// No process listened.
    Refused,
    /// No connection for another reason.
    Unreachable(ErrorKind),
    /// The connection was reset before a byte of the answer came.
    Reset,
    /// The connection was closed before a byte of the answer came.
    EofAfterWrite,
    /// The answer broke off.
    Truncated,
    /// No answer in time.
    Timeout,
    /// An answer, but not 200.
    Status(u16),
    /// 200, but with another request's body.
    WrongBody,
    /// Not HTTP.
    Nonsense,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("refused"),
            Self::Unreachable(kind) => write!(f, "no connection ({kind})"),
            Self::Reset => f.write_str("reset"),
            Self::EofAfterWrite => f.write_str("EOF after write"),
            Self::Truncated => f.write_str("truncated"),
            Self::Timeout => f.write_str("timeout"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::WrongBody => f.write_str("wrong body"),
            Self::Nonsense => f.write_str("not HTTP"),
        }
    }
}

/// Whether the connection may be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    Keep,
    Close,
}

/// Opens a connection.
pub(crate) async fn connect(address: std::net::SocketAddr) -> Result<TcpStream, Loss> {
    let stream = timeout(ANSWER_TIMEOUT, TcpStream::connect(address)).await.map_err(|_| Loss::Timeout)?;
    let stream = stream.map_err(|why| match why.kind() {
        ErrorKind::ConnectionRefused => Loss::Refused,
        kind => Loss::Unreachable(kind),
    })?;
    // A request is one write.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Sends a request and reads all of its answer, which must be 200 and begin with `wanted`.
pub(crate) async fn exchange(stream: &mut TcpStream, request: &[u8], wanted: &str) -> Result<After, Loss> {
    let answered = async {
        stream.write_all(request).await.map_err(|why| lost(&why, 0))?;
        answer(stream, wanted).await
    };
    timeout(ANSWER_TIMEOUT, answered).await.unwrap_or(Err(Loss::Timeout))
}

async fn answer(stream: &mut TcpStream, wanted: &str) -> Result<After, Loss> {
    let mut bytes = Vec::with_capacity(1024);
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if bytes.len() > HEAD_LIMIT {
            return Err(Loss::Nonsense);
        }
        more(stream, &mut bytes).await?;
    };
    let (status, length, after) = parse(&bytes[..head]).ok_or(Loss::Nonsense)?;
    while bytes.len() < head + length {
        more(stream, &mut bytes).await?;
    }
    match (status, bytes[head..].starts_with(wanted.as_bytes()) && bytes.len() == head + length) {
        (200, true) => Ok(after),
        (200, false) => Err(Loss::WrongBody),
        (status, _) => Err(Loss::Status(status)),
    }
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<(), Loss> {
    match stream.read_buf(bytes).await {
        Ok(0) if bytes.is_empty() => Err(Loss::EofAfterWrite),
        Ok(0) => Err(Loss::Truncated),
        Ok(_) => Ok(()),
        Err(why) => Err(lost(&why, bytes.len())),
    }
}

fn lost(_why: &std::io::Error, received: usize) -> Loss {
    if received > 0 { Loss::Truncated } else { Loss::Reset }
}

/// Status, length of the body, and what becomes of the connection. Our upstreams always say a length.
fn parse(head: &[u8]) -> Option<(u16, usize, After)> {
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let (mut length, mut after) = (None, After::Keep);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        } else if name.eq_ignore_ascii_case("connection") && value.trim().eq_ignore_ascii_case("close") {
            after = After::Close;
        }
    }
    Some((status, length?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_whether_its_connection_is_kept() {
        let kept = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
        assert_eq!(parse(kept), Some((200, 3, After::Keep)));
        let closed = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(parse(closed), Some((503, 0, After::Close)));
        assert_eq!(parse(b"SSH-2.0\r\n\r\n"), None);
    }
}
