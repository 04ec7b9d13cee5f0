//! Turns: one connection is not worked on without end while others wait.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::frames::{Frames, HEADERS};

/// What a connection may have us work on before others get their turn: h2 would go on for as long as there is anything, and
/// a few kilobytes may be hundreds of requests.
const BYTES_MAX: usize = 16 << 10;
const REQUESTS_MAX: usize = 8;
/// No request is begun later than this in a turn: one head may cost as much as a hundred others. It is several times what
/// eight usual ones take.
const TIME_MAX: Duration = Duration::from_micros(200);

/// What is left of a connection's turn.
pub(crate) struct Turn {
    bytes: Cell<usize>,
    requests: Cell<usize>,
    end: Cell<Instant>,
    carried: Cell<bool>,
}

impl Turn {
    pub(crate) fn new() -> Turn {
        let (bytes, requests) = (Cell::new(BYTES_MAX), Cell::new(REQUESTS_MAX));
        Turn { bytes, requests, end: Cell::new(Instant::now() + TIME_MAX), carried: Cell::default() }
    }

    /// The next one begins.
    pub(crate) fn begin(&self) {
        self.bytes.set(BYTES_MAX);
        self.requests.set(REQUESTS_MAX);
        self.end.set(Instant::now() + TIME_MAX);
        self.carried.set(false);
    }

    /// A piece of a message was sent to the client.
    pub(crate) fn carry(&self) {
        self.carried.set(true);
    }

    /// Whether there was one in this turn.
    pub(crate) fn has_carried(&self) -> bool {
        self.carried.get()
    }

    /// However slow everything is, there is something in each turn.
    pub(crate) fn is_over(&self) -> bool {
        let is_late = || self.bytes.get() < BYTES_MAX && Instant::now() >= self.end.get();
        self.bytes.get() == 0 || self.requests.get() == 0 || is_late()
    }

    /// Whether a request has begun in it, which is as much as somebody gets who is suspected of a flood, or sends large heads.
    pub(crate) fn has_begun_one(&self) -> bool {
        self.requests.get() < REQUESTS_MAX
    }

    /// How many of these bytes are to be worked on before the time is looked at again: those of one request, or what is
    /// left of the turn.
    pub(crate) fn take(&self, bytes: &[u8], frames: &mut Frames) -> usize {
        let mut begun = 0;
        let taken = frames.follow(&bytes[..bytes.len().min(self.bytes.get())], |head, _| {
            begun += usize::from(head[3] == HEADERS);
            let is_enough = begun > 1 || begun == self.requests.get();
            if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        self.requests.set(self.requests.get() - begun);
        self.bytes.set(self.bytes.get() - taken);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::{DATA, RST_STREAM, frame};
    use super::*;

    #[test]
    fn a_turn_ends_with_a_few_requests_or_with_many_bytes_and_the_next_goes_on_from_there() {
        let request = [frame(HEADERS, 5, 20), frame(RST_STREAM, 0, 4)].concat();
        let (turn, mut frames, bytes) = (Turn::new(), Frames::default(), request.repeat(20));
        let (mut rest, mut turns) = (&bytes[..], 0);
        while !rest.is_empty() {
            turn.begin();
            turn.end.set(Instant::now() + Duration::from_secs(60));
            while !turn.is_over() && !rest.is_empty() {
                let taken = turn.take(rest, &mut frames);
                assert!(taken > 0 && taken <= 2 * request.len() && turn.has_begun_one());
                rest = &rest[taken..];
            }
            turns += 1;
        }
        assert_eq!(turns, 3);
        turn.begin();
        assert!(!turn.has_begun_one());
        let upload = frame(DATA, 0, 200).repeat(100);
        assert_eq!(turn.take(&upload, &mut frames), BYTES_MAX);
        assert!(turn.is_over());
    }

    #[test]
    fn a_turn_ends_with_its_time() {
        let (turn, mut frames, bytes) = (Turn::new(), Frames::default(), frame(HEADERS, 5, 20));
        turn.end.set(Instant::now());
        assert!(!turn.is_over(), "nothing was taken yet");
        assert_eq!(turn.take(&bytes, &mut frames), bytes.len());
        assert!(turn.is_over());
        turn.end.set(Instant::now() + Duration::from_secs(60));
        assert!(!turn.is_over());
    }
}
