//! One request and one answer over a unix socket.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use crate::cli::ControlArgs;

/// A process that has not answered by then hangs.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
/// Far above any answer, which is a few lines.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The control socket of a process.
pub(super) struct ControlClient {
    path: PathBuf,
}

impl ControlClient {
    pub(super) fn new(args: &ControlArgs) -> ControlClient {
        ControlClient { path: args.control.clone() }
    }

    /// The status and the text of the answer.
    ///
    /// # Errors
    /// If no process answers there.
    pub(super) fn ask(&self, method: &str, path: &str) -> anyhow::Result<(u16, String)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let answer = runtime
            .block_on(async { tokio::time::timeout(ANSWER_TIME_MAX, self.exchange(method, path)).await });
        let answer = answer.with_context(|| format!("no answer within {ANSWER_TIME_MAX:?}")).flatten();
        answer.with_context(|| {
            format!("{}: no process answers; name the --control of a running one", self.path.display())
        })
    }

    async fn exchange(&self, method: &str, path: &str) -> anyhow::Result<(u16, String)> {
        let stream = UnixStream::connect(&self.path).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::builder().method(method).uri(path).header("host", "control");
        let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}
