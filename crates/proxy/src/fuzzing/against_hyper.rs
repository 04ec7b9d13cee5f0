//! Answers that hyper's client reads too, however odd: what we take it takes, and reads alike; what it takes and we do not is
//! named here, with the reason.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use http::Request;
use http_body::Body as _;
use hyper::client::conn::http1::Builder;
use hyper::rt::{Read, ReadBufCursor, Write};

use super::{Answer, answer};

const ALIKE: &[&str] = &[
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhellohello",
    "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\nhello",
    "HTTP/1.0 200 OK\r\n\r\nhello",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "\r\nHTTP/1.1 200\nContent-Length: 2\n\nhi",
    "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi",
    "HTTP/1.1  200 OK\r\n\r\n",
    "HTTP/1.1 20 OK\r\n\r\n",
    "HTTP/1.1 2000 OK\r\n\r\n",
    "HTTP/1.1 000 OK\r\n\r\n",
    "HTTP/2 200\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n folded\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
    "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: 1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\nY : 2\r\n\r\n",
];

/// Where readers differ on where the body ends, or on what it is.
const REFUSED: &[&str] = &[
    "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\n\r\n\r\n",
];

/// A socket that takes everything, and then brings these bytes and its end.
struct Socket {
    bytes: Vec<u8>,
    read: usize,
    is_asked: bool,
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.is_asked {
            return Poll::Pending;
        }
        let end = self.bytes.len().min(self.read + buf.remaining());
        buf.put_slice(&self.bytes[self.read..end]);
        self.read = end;
        Poll::Ready(Ok(()))
    }
}

impl Write for Socket {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.is_asked = true;
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The status and the body that hyper's client reads, and whether the body is whole.
async fn by_hyper(bytes: &str) -> Option<(u16, Vec<u8>, bool)> {
    let socket = Socket { bytes: bytes.as_bytes().to_vec(), read: 0, is_asked: false };
    let handshake = Builder::new().handshake::<_, String>(socket).await;
    let (mut sender, mut connection) = handshake.expect("it waits for nothing");
    let mut sent = Box::pin(sender.send_request(Request::new(String::new())));
    let mut cx = Context::from_waker(Waker::noop());
    // It writes, and then reads.
    (0..2).for_each(|_| drop(Pin::new(&mut connection).poll(&mut cx)));
    let Poll::Ready(Ok(answer)) = sent.as_mut().poll(&mut cx) else { return None };
    let (status, mut read, mut body) = (answer.status().as_u16(), Vec::new(), answer.into_body());
    // More often than anything here has pieces.
    for _ in 0..64 {
        match Pin::new(&mut body).poll_frame(&mut cx) {
            Poll::Ready(Some(Ok(frame))) => {
                read.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
            }
            Poll::Ready(Some(Err(_))) => return Some((status, read, false)),
            Poll::Ready(None) => return Some((status, read, true)),
            Poll::Pending => drop(Pin::new(&mut connection).poll(&mut cx)),
        }
    }
    panic!("{bytes:?}: it says neither more nor the end");
}

fn by_us(bytes: &str) -> Option<(u16, Vec<u8>, bool)> {
    let Answer { status, body, is_whole, .. } = answer(bytes.as_bytes(), bytes.len(), false);
    status.map(|status| (status, body, is_whole))
}

#[tokio::test]
async fn what_we_take_for_an_answer_hyper_does_and_reads_alike() {
    for bytes in ALIKE {
        assert_eq!(by_us(bytes), by_hyper(bytes).await, "{bytes:?}");
    }
}

#[tokio::test]
async fn where_readers_differ_we_refuse_what_hyper_takes() {
    for bytes in REFUSED {
        assert!(by_hyper(bytes).await.is_some(), "{bytes:?}");
        assert!(!by_us(bytes).is_some_and(|(.., is_whole)| is_whole), "{bytes:?}");
    }
}
