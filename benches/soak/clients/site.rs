//! What all clients do alike: they open a connection for a request, send it once, and count what comes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::AFTER_LOSS;
use crate::answer::Answer;
use crate::connection::Connection;
use crate::door::Doors;
use crate::request::Request;
use crate::tally::{GivenUp, Kind, Shared};

/// What every client on the clients' thread shares.
pub(super) struct Site {
    pub(super) doors: Doors,
    pub(super) ended: Arc<AtomicBool>,
    pub(super) ids: Arc<AtomicU64>,
    pub(super) tally: Shared,
}

impl Site {
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    pub(super) fn request(&self, closes: bool) -> Request {
        Request::numbered(self.ids.fetch_add(1, Ordering::Relaxed), closes)
    }

    /// Opens a connection for this request; without one the request is lost.
    pub(super) async fn open(&self, kind: Kind, request: &Request) -> Option<Connection> {
        let door = if kind == Kind::Secure { &self.doors.secure } else { &self.doors.plain };
        match Connection::open(door).await {
            Ok(connection) => Some(connection),
            Err(failure) => {
                let story = format!("no connection for request {}", request.id);
                self.tally.lock().lost(kind, failure, false, &story);
                tokio::time::sleep(AFTER_LOSS).await;
                None
            }
        }
    }

    /// Sends the request, counts what comes of it, and gives the connection back if it may be used again. `since` is
    /// when the request was due.
    pub(super) async fn ask(
        &self,
        kind: Kind,
        mut connection: Connection,
        request: Request,
        since: Instant,
        waited: bool,
    ) -> Option<Connection> {
        let idle = connection.idle_since.elapsed();
        match connection.ask(&request).await {
            Ok(answer) => {
                self.tally.lock().answered(kind, since.elapsed());
                self.keep(kind, connection, &request, &answer)
            }
            Err(failure) => {
                let story = story(&connection, &request, waited, idle);
                self.tally.lock().lost(kind, failure, waited, &story);
                tokio::time::sleep(AFTER_LOSS).await;
                None
            }
        }
    }

    fn keep(
        &self,
        kind: Kind,
        connection: Connection,
        request: &Request,
        answer: &Answer,
    ) -> Option<Connection> {
        // A newcomer would not have used it again.
        if answer.closes && !request.closes && kind != Kind::Newcomer {
            self.tally.lock().given_up(kind, GivenUp::Told);
        }
        (!answer.closes && !request.closes).then_some(connection)
    }

    /// The connection, unless it was closed while it was idle.
    pub(super) fn look(&self, kind: Kind, connection: Connection) -> Option<Connection> {
        if connection.is_cut() {
            self.tally.lock().given_up(kind, GivenUp::Cut);
            return None;
        }
        Some(connection)
    }
}

fn story(connection: &Connection, request: &Request, waited: bool, idle: Duration) -> String {
    let line = request.bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    format!(
        "{} on port {}, {}, {} answers before, idle for {:.3} s, received \"{}\"",
        String::from_utf8_lossy(line),
        connection.port(),
        if waited { "reused" } else { "fresh" },
        connection.answers,
        idle.as_secs_f64(),
        connection.received()
    )
}
