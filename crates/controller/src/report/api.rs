//! The API server as a thing that may be slow, away or unwilling: no call lasts for ever, and no failure floods the
//! log.

use std::error::Error as _;
use std::fmt::Display;
use std::time::Duration;

use http::{Request, Response};
use kube::client::Body;
use kube::{Client, Error};
use tokio::time::{Instant, timeout};
use tower::BoxError;

/// An answer that has not come whole by then does not count. All of ours are small.
pub(super) const REQUEST_TIME_MAX: Duration = Duration::from_secs(5);

/// The same kind of failure is logged no more often.
const FAILURE_TOLD_EVERY: Duration = Duration::from_secs(30);

/// Gives each request of this client a deadline, for the head and the body of its answer and all of its retries.
pub(super) fn bounded(client: Client) -> Client {
    within(client, REQUEST_TIME_MAX)
}

fn within(client: Client, limit: Duration) -> Client {
    let namespace = client.default_namespace().to_owned();
    let send = move |request| whole(client.clone(), request, limit);
    Client::new(tower::service_fn(send), namespace)
}

async fn whole(client: Client, request: Request<Body>, limit: Duration) -> Result<Response<Body>, BoxError> {
    let exchange = async {
        let (head, body) = client.send(request).await?.into_parts();
        Ok::<_, Error>(Response::from_parts(head, Body::from(body.collect_bytes().await?.to_vec())))
    };
    match timeout(limit, exchange).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(format!("no answer within {limit:?}").into()),
    }
}

/// What a failed request says about the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The object is not there.
    Gone,
    /// The object is there already.
    Exists,
    /// The server will not do this to this object; others may fare better.
    Refused,
    /// The server is away, or has too much to do. To try another object would be no help.
    Away,
}

impl Trouble {
    pub(super) fn of(error: &Error) -> Trouble {
        match error {
            Error::Api(status) => match status.code {
                404 => Trouble::Gone,
                409 if status.reason == "AlreadyExists" => Trouble::Exists,
                401 | 408 | 429 | 503 => Trouble::Away,
                _ => Trouble::Refused,
            },
            _ => Trouble::Away,
        }
    }
}

/// What went wrong, without the repetitions that the chain of causes has.
pub(super) fn text(error: &Error) -> String {
    if let Error::Api(status) = error {
        return format!("{} ({})", status.message, status.code);
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let shown = error.to_string();
        if !text.contains(&shown) {
            text = format!("{text}: {shown}");
        }
        cause = error.source();
    }
    text
}

/// Tells failures of one kind, and not each of them.
#[derive(Debug)]
pub(super) struct Failures {
    remedy: &'static str,
    told: Option<Instant>,
    untold: u64,
}

impl Failures {
    /// Failures that are mended like this.
    pub(super) fn new(remedy: &'static str) -> Failures {
        Failures { remedy, told: None, untold: 0 }
    }

    /// Logs this failure, unless one was logged a moment ago.
    pub(super) fn tell(&mut self, what: impl Display, why: impl Display) {
        if !self.is_due(Instant::now()) {
            return;
        }
        match std::mem::take(&mut self.untold) {
            0 => tracing::warn!("{what}: {why}; {}", self.remedy),
            untold => tracing::warn!(untold, "{what}: {why}; {}", self.remedy),
        }
    }

    fn is_due(&mut self, now: Instant) -> bool {
        let due = self.told.is_none_or(|told| now >= told + FAILURE_TOLD_EVERY);
        match due {
            true => self.told = Some(now),
            false => self.untold += 1,
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_not_waited_for() {
        let silence =
            tower::service_fn(|_: Request<Body>| std::future::pending::<Result<Response<Body>, BoxError>>());
        let client = within(Client::new(silence, "default"), Duration::from_millis(20));
        let request = Request::get("/version").body(Vec::new()).expect("a request");
        let error = client.request_text(request).await.expect_err("no answer");
        assert!(text(&error).contains("no answer within 20ms"), "{error}");
        assert_eq!(Trouble::of(&error), Trouble::Away);
    }

    #[test]
    fn a_refusal_of_one_object_is_no_reason_to_leave_the_others() {
        let trouble =
            |code, reason| Trouble::of(&Error::Api(Status::failure("why", reason).with_code(code).boxed()));
        assert_eq!(trouble(404, "NotFound"), Trouble::Gone);
        assert_eq!(trouble(409, "AlreadyExists"), Trouble::Exists);
        assert_eq!(trouble(409, "Conflict"), Trouble::Refused);
        assert_eq!(trouble(403, "Forbidden"), Trouble::Refused);
        assert_eq!(trouble(500, "InternalError"), Trouble::Refused);
        assert_eq!(trouble(503, "ServiceUnavailable"), Trouble::Away);
        assert_eq!(Trouble::of(&Error::Service("refused".into())), Trouble::Away);
    }

    #[test]
    fn failures_in_a_row_are_one_line_in_half_a_minute() {
        let mut failures = Failures::new("wait");
        let start = Instant::now();
        let told = (0..60).filter(|second| failures.is_due(start + Duration::from_secs(*second)));
        assert_eq!(told.collect::<Vec<_>>(), [0, 30]);
    }
}
