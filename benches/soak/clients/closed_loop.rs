//! Clients that wait for each answer before they ask again, each on a connection that it keeps.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::Site;
use crate::tally::Kind;

/// The longest time that a client thinks.
const THINKS_AT_MOST: Duration = Duration::from_secs(1);

/// What a client does between an answer and its next request.
#[derive(Clone, Copy)]
pub(super) enum Pace {
    /// Nothing.
    Busy,
    /// It thinks, for a time that is different each time.
    Thinking,
}

/// One client. It looks whether its connection was closed meanwhile; then it opens another one.
pub(super) async fn run(site: Rc<Site>, pace: Pace) {
    let kind = match pace {
        Pace::Busy => Kind::Busy,
        Pace::Thinking => Kind::Thinking,
    };
    let mut kept = None;
    while !site.has_ended() {
        if matches!(pace, Pace::Thinking) {
            tokio::time::sleep(THINKS_AT_MOST.mul_f64(fastrand::f64())).await;
        }
        kept = kept.and_then(|connection| site.look(kind, connection));
        let (request, waited, begun) = (site.request(false), kept.is_some(), Instant::now());
        let connection = match kept.take() {
            Some(connection) => Some(connection),
            None => site.open(kind, &request).await,
        };
        if let Some(connection) = connection {
            kept = site.ask(kind, connection, request, begun, waited).await;
        }
    }
}
