//! One HTTP/2 connection, whose streams many clients share. As the others they send a request once.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::timeout;

use crate::answer::Answer;
use crate::connection::PATIENCE;
use crate::door::Door;
use crate::failure::Failure;
use crate::request::Request;

pub(crate) struct Http2 {
    sender: SendRequest<Full<Bytes>>,
}

impl Http2 {
    /// Opens one.
    ///
    /// # Errors
    /// If it is refused, or not answered.
    pub(crate) async fn open(door: &Door) -> Result<Http2, Failure> {
        let open = async {
            let stream = TokioIo::new(door.open().await?);
            let (sender, connection) =
                handshake(TokioExecutor::new(), stream).await.map_err(|error| class(&error))?;
            tokio::spawn(connection);
            Ok(Http2 { sender })
        };
        timeout(PATIENCE, open).await.map_err(|_| Failure::Timeout)?
    }

    /// Whether it takes no more requests: it was told to end, or has.
    pub(crate) fn is_over(&self) -> bool {
        self.sender.is_closed()
    }

    /// Sends the request and reads its answer. `None` if the connection was told to end before anything of the request was
    /// sent, so that it belongs on another one.
    ///
    /// # Errors
    /// If the request was lost.
    pub(crate) async fn ask(&self, request: &Request) -> Result<Option<Answer>, Failure> {
        timeout(PATIENCE, self.exchange(request)).await.map_err(|_| Failure::Timeout)?
    }

    async fn exchange(&self, request: &Request) -> Result<Option<Answer>, Failure> {
        let mut sender = self.sender.clone();
        if sender.ready().await.is_err() {
            return Ok(None);
        }
        let response = match sender.try_send_request(request.as_message()).await {
            Ok(response) => response,
            Err(mut unsent) => {
                let came_back = unsent.take_message().is_some();
                return if came_back { Ok(None) } else { Err(class(unsent.error())) };
            }
        };
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(|_| Failure::Truncated)?;
        let answer = Answer { status, closes: false, body: body.to_bytes().into() };
        request.check(&answer)?;
        Ok(Some(answer))
    }
}

/// A stream that was refused, or is above what a GOAWAY names, is as lost as any other: no client here asks twice.
fn class(error: &hyper::Error) -> Failure {
    use std::error::Error;
    let cause = error.source().and_then(|cause| cause.downcast_ref::<h2::Error>());
    match cause {
        Some(cause) if cause.is_go_away() || cause.reason() == Some(h2::Reason::REFUSED_STREAM) => {
            Failure::Refused
        }
        Some(cause) if cause.is_reset() => Failure::Reset,
        _ => Failure::Eof,
    }
}
