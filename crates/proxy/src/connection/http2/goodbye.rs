//! How a client is told that its connection ends.
//!
//! The two-step goodbye of RFC 9113 §6.8, GOAWAY with the largest number of a stream and a PING, then GOAWAY with the last
//! stream, loses nothing with clients that follow the specification. Many do not. Java's up to 23 and undici give up every
//! request in flight at such a GOAWAY; httpx does, and takes any other frame behind it as an error, the PING as well as the end
//! of an answer. So as long as there is a better moment it is said differently:
//!
//! 1. *With the end of an answer*, in the same write: GOAWAY with the largest number. That is what `Connection: close` is in
//!    HTTP/1. Only a client that asks one thing after the other is told so: it has nothing in flight then. One that has had
//!    two streams at a time within [`GOODBYE_ALONE`] may well have.
//! 2. *In silence*, after [`GOODBYE_QUIET`] without an open stream: the same frame, alone.
//! 3. What comes all the same is served. After [`GOODBYE_GRACE`] without an open stream the last one is named, in another
//!    GOAWAY, and the connection is closed. There is no PING: whatever was on its way has arrived by then.
//! 4. A connection that has *no such moment* is told in two steps, with the PING, by h2, after
//!    [`goodbye_wait`](crate::config::Http2::goodbye_wait).
//!
//! h2 knows nothing of the first three: they are said by the socket around it, [`Http2Io`](super::io::Http2Io), between two
//! frames, and h2 hears of the end as it would of the client's. Which library survives what is measured by `benches/clients`.

use std::cell::Cell;
use std::time::Duration;

use lifecycle::{Phase, Watch};

use crate::config::Http2;
use crate::frames::{GOAWAY, HEAD};

/// Silence after which a connection that is to be told is not waited for to speak. As long as httpx keeps a connection for
/// reuse: it reads nothing in between, and would lose a request that it sends behind a goodbye.
pub(super) const GOODBYE_QUIET: Duration = Duration::from_secs(5);
/// For so long a client must have had no more than one stream at a time to be told with the end of an answer.
pub(super) const GOODBYE_ALONE: Duration = Duration::from_secs(1);
/// From the goodbye of a connection without an open stream to its end: more than a round trip anywhere.
pub(super) const GOODBYE_GRACE: Duration = Duration::from_secs(2);
/// From the PING, or the end that could not be said, of a connection that carries nothing to its end. A client that is
/// there answers within a round trip. One that was served a moment ago may still wait for the end of its answer, which h2
/// has and hyper knows nothing of: it has as long as for any other piece of it (`write_timeout`).
pub(super) const GOODBYE_TIME_MAX: Duration = Duration::from_secs(5);

/// The largest number of a stream: none is refused yet.
pub(super) const ANY_STREAM: u32 = u32::MAX >> 1;

/// What the client has been told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    #[default]
    Staying,
    /// To be told with the end of an answer.
    Due,
    /// To be told now.
    Telling,
    /// Told, and still served.
    Told,
    /// Told by h2, which waits for the answer to its PING.
    Asked,
    /// To be ended as soon as nothing is on its way.
    Ending,
    /// The last stream was named.
    Ended,
}

/// What a connection's socket and the task that drives it tell each other.
#[derive(Debug, Default)]
pub(super) struct Goodbye {
    pub(super) stage: Cell<Stage>,
    /// Whether a stream is open, as far as the socket has seen.
    pub(super) is_open: Cell<bool>,
}

impl Goodbye {
    pub(super) fn is(&self, stage: Stage) -> bool {
        self.stage.get() == stage
    }

    /// Whether h2 is to tell the client, in two steps. If no stream is open the socket tells it.
    pub(super) fn ask(&self) -> bool {
        let stage = match (self.stage.get(), self.is_open.get()) {
            (Stage::Due, false) => Stage::Telling,
            (Stage::Due | Stage::Telling | Stage::Told, true) => Stage::Asked,
            (stage, _) => stage,
        };
        self.stage.replace(stage) != stage && stage == Stage::Asked
    }

    /// Whether h2 is to tell the client in two steps what it was told before and does not heed: then it is served no more.
    pub(super) fn insist(&self) -> bool {
        let is_told = matches!(self.stage.get(), Stage::Told | Stage::Ending);
        if is_told {
            self.stage.set(Stage::Asked);
        }
        is_told
    }

    /// From the moment of this connection on it is due; ends when it is to be told even if it is never without a stream.
    pub(super) async fn lead(&self, mut drain: Watch, limits: &Http2) {
        drain.lasted(Phase::LameDuck, limits.goodbye_spread.mul_f64(fastrand::f64())).await;
        if self.is(Stage::Staying) {
            self.stage.set(Stage::Due);
        }
        tokio::time::sleep(limits.goodbye_wait).await;
    }
}

/// A frame of ours between those of h2, and how much of it is written.
#[derive(Debug)]
pub(super) struct Word {
    bytes: [u8; HEAD + 8],
    written: usize,
}

impl Word {
    /// No stream after this one is served; without an error.
    pub(super) fn goaway(last: u32) -> Word {
        let mut bytes = [0; HEAD + 8];
        (bytes[2], bytes[3]) = (8, GOAWAY);
        bytes[HEAD..HEAD + 4].copy_from_slice(&last.to_be_bytes());
        Word { bytes, written: 0 }
    }

    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written += bytes;
    }
}
