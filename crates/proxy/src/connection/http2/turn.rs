//! Turns: one connection is not worked on without end while others wait.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::frames::{ACK, CONTINUATION, END_HEADERS, Frames, HEAD, HEADERS, SETTINGS, length, stream};

/// What a connection may have us work on before others get their turn: h2 would go on for as long as there is anything, and
/// a few kilobytes may be hundreds of requests.
const BYTES_MAX: usize = 16 << 10;
const REQUESTS_MAX: usize = 8;
/// No request is begun later than this in a turn: one head may cost as much as a hundred others. It is several times what
/// eight usual ones take.
const TIME_MAX: Duration = Duration::from_micros(200);

/// Bytes of the table that an encoder begins with (RFC 9113 §6.5.2).
const TABLE_BYTES: u32 = 4096;

/// What is left of a connection's turn.
pub(crate) struct Turn {
    bytes: Cell<usize>,
    requests: Cell<usize>,
    end: Cell<Instant>,
    carried: Cell<bool>,
    heads: Cell<Heads>,
}

/// The heads of requests that h2 was handed: it does not tell which stream a request came on. So it gets no more until it
/// has made a request of what it has, or nothing.
#[derive(Clone, Copy, Default)]
struct Heads {
    /// The last stream that was begun.
    last: u32,
    /// One that h2 does not have the whole head of, and whether the last frame of that has begun.
    begun: Option<u32>,
    ends: bool,
    /// One that it has the whole head of.
    whole: Option<u32>,
    /// It has asked for more since.
    asked: bool,
    /// The client may have said that it takes a smaller table than h2 begins with, of which its encoder alone can tell it
    /// (RFC 7541 §4.2): nothing is to be written past it.
    mute: bool,
}

impl Heads {
    /// A frame follows, and what there is of its payload.
    fn follow(&mut self, head: &[u8; HEAD], payload: &[u8]) {
        let id = stream(head);
        self.reach_boundary();
        if head[3] == HEADERS && id > self.last {
            (self.last, self.begun, self.ends) = (id, Some(id), false);
        }
        if matches!(head[3], HEADERS | CONTINUATION) {
            self.ends = head[4] & END_HEADERS != 0;
        }
        if head[3] == SETTINGS && head[4] & ACK == 0 {
            self.mute |= payload.get(..length(head)).is_none_or(may_shrink_table);
        }
    }

    /// A frame has ended.
    fn reach_boundary(&mut self) {
        if self.ends {
            self.whole = self.begun.take().or(self.whole);
        }
    }
}

/// What is no whole setting is for h2 to refuse; until then anything may have been meant.
fn may_shrink_table(settings: &[u8]) -> bool {
    let shrinks = |one: &[u8]| one[..2] == [0, 1] && one[2..] < TABLE_BYTES.to_be_bytes()[..];
    settings.chunks(6).any(|one| one.len() < 6 || shrinks(one))
}

impl Turn {
    pub(crate) fn new() -> Turn {
        let (bytes, requests) = (Cell::new(BYTES_MAX), Cell::new(REQUESTS_MAX));
        Turn {
            bytes,
            requests,
            end: Cell::new(Instant::now() + TIME_MAX),
            carried: Cell::default(),
            heads: Cell::default(),
        }
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

    /// The stream of the request that h2 has just made, if it is known and may be written to past h2.
    pub(crate) fn take_begun(&self) -> Option<u32> {
        let mut heads = self.heads.get();
        heads.asked = false;
        let begun = heads.whole.take().filter(|_| !heads.mute);
        self.heads.set(heads);
        begun
    }

    /// Whether h2 is to make a request of what it has before it gets more; it is asked again by [`poll`](Turn::poll).
    pub(super) fn must_wait(&self) -> bool {
        let mut heads = self.heads.get();
        heads.asked = heads.whole.is_some();
        self.heads.set(heads);
        heads.asked
    }

    /// Polls the connection, and again if it waits for nothing but what h2 has made no request of, and never will.
    pub(super) fn poll<F: Future>(
        &self,
        mut connection: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output> {
        loop {
            let polled = connection.as_mut().poll(cx);
            if polled.is_ready() || !self.heads.get().asked {
                return polled;
            }
            self.take_begun();
        }
    }

    /// However slow everything is, there is something in each turn.
    pub(crate) fn is_over(&self) -> bool {
        let is_late = || self.bytes.get() < BYTES_MAX && Instant::now() >= self.end.get();
        self.bytes.get() == 0 || self.requests.get() == 0 || is_late()
    }

    /// Whether a request has begun in it, which is as much as a client gets that is suspected of a flood, or sends large heads.
    pub(crate) fn has_begun_one(&self) -> bool {
        self.requests.get() < REQUESTS_MAX
    }

    /// How many of these bytes are to be worked on before the time is looked at again: those of one request, or what is
    /// left of the turn.
    pub(crate) fn take(&self, bytes: &[u8], frames: &mut Frames) -> usize {
        let (mut begun, mut heads) = (0, self.heads.get());
        let bytes = &bytes[..bytes.len().min(self.bytes.get())];
        let taken = frames.follow(bytes, |head, at| {
            heads.follow(head, &bytes[at..]);
            let begins = head[3] == HEADERS;
            begun += usize::from(begins);
            let is_next = begun > 1 || (begins && heads.whole.is_some());
            let is_enough = is_next || begun == self.requests.get();
            if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if frames.are_at_boundary() {
            heads.reach_boundary();
        }
        self.heads.set(heads);
        self.requests.set(self.requests.get() - begun);
        self.bytes.set(self.bytes.get() - taken);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::{DATA, RST_STREAM, frame};

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
    fn settings_that_are_cut_off_or_shrink_the_table_leave_nothing_to_be_written_past_h2() {
        for (settings, mute) in [
            (&b""[..], false),
            (&[0, 3, 0, 0, 0, 1], false),
            (&[0, 1, 0, 0, 16, 0], false),
            (&[0, 1, 0, 0, 15, 255], true),
            (&[0, 3, 0, 0, 0, 1, 0], true),
            (&[0], true),
        ] {
            assert_eq!(may_shrink_table(settings), mute, "{settings:?}");
        }
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
