//! What a client may send beside messages: frames that carry nothing, each of which costs us work (RFC 9113 §10.5).
//!
//! h2 bounds heads without an end, requests that are taken back before we have seen them and empty pieces of a body. It
//! does not bound PING, SETTINGS, PRIORITY and WINDOW_UPDATE, nor requests that are taken back a moment later. Here every
//! such frame has a price, which a connection earns by carrying messages, in either direction, and with time.
//!
//! Pure: bytes and ticks in, an answer out. Only the heads of frames are looked at.

/// What a connection gains with each piece of a message: a client may ask for more room for the whole connection and for
/// the stream, and measure the time that takes (as gRPC does).
const EARNED_BY_A_PIECE: u32 = 4;
/// What a request that is taken back costs: more than it has earned by its head and by the one that answers it, so that
/// the budget lasts for two hundred of those that were never answered.
const RESET: u32 = 9;
/// What any other frame costs that is no piece of a message.
const OTHER: u32 = 1;

/// Octets of a frame's head (RFC 9113 §4.1).
const HEAD: usize = 9;
/// Types of frames (RFC 9113 §6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
/// The flag of a stream's last frame.
const END_STREAM: u8 = 1;

/// What one connection has left.
#[derive(Debug)]
pub(super) struct Budget {
    left: u32,
    max: u32,
    /// When time was last counted.
    tick: u32,
    received: Frames,
    sent: Frames,
}

impl Budget {
    /// A budget that begins before the preface, at this tick.
    pub(super) fn new(max: u32, tick: u32) -> Budget {
        let received = Frames { skip: super::PREFACE.len(), ..Frames::default() };
        Budget { left: max, max, tick, received, sent: Frames::default() }
    }

    /// Whether the client may go on after these bytes. Each tick is worth a frame.
    pub(super) fn receive(&mut self, bytes: &[u8], tick: u32) -> bool {
        self.earn(tick - self.tick);
        self.tick = tick;
        let Budget { left, max, received, .. } = self;
        received.follow(bytes, |head| match price(head) {
            0 => *left = (*left + EARNED_BY_A_PIECE).min(*max),
            price => *left = left.saturating_sub(price),
        });
        *left > 0
    }

    /// Counts what is said to the client.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        let Budget { left, max, sent, .. } = self;
        sent.follow(bytes, |head| {
            if price(head) == 0 {
                *left = (*left + EARNED_BY_A_PIECE).min(*max);
            }
        });
    }

    fn earn(&mut self, more: u32) {
        self.left = self.left.saturating_add(more).min(self.max);
    }
}

/// Nothing for a piece of a message.
fn price(head: &[u8; HEAD]) -> u32 {
    let is_empty = head[..3] == [0, 0, 0];
    match head[3] {
        HEADERS => 0,
        DATA if !is_empty || head[4] & END_STREAM != 0 => 0,
        RST_STREAM => RESET,
        _ => OTHER,
    }
}

/// Finds the heads of frames in a stream of bytes.
#[derive(Debug, Default)]
struct Frames {
    /// Bytes up to the next head.
    skip: usize,
    head: [u8; HEAD],
    /// Bytes of the head that have come.
    filled: usize,
}

impl Frames {
    fn follow(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8; HEAD])) {
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            (self.skip, bytes) = (self.skip - skipped, &bytes[skipped..]);
            let taken = (HEAD - self.filled).min(bytes.len());
            self.head[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
            (self.filled, bytes) = (self.filled + taken, &bytes[taken..]);
            if self.filled == HEAD {
                let [a, b, c, ..] = self.head;
                (self.skip, self.filled) = (u32::from_be_bytes([0, a, b, c]) as usize, 0);
                each(&self.head);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: u8 = 6;

    fn frame(kind: u8, flags: u8, payload: usize) -> Vec<u8> {
        let mut bytes = vec![0, 0, u8::try_from(payload).unwrap(), kind, flags, 0, 0, 0, 1];
        bytes.resize(HEAD + payload, 0xff);
        bytes
    }

    /// A budget whose client has said hello.
    fn budget(max: u32) -> Budget {
        let mut budget = Budget::new(max, 0);
        assert!(budget.receive(super::super::PREFACE, 0));
        budget
    }

    #[test]
    fn frames_are_counted_however_they_are_cut() {
        let bytes = [frame(PING, 0, 8), frame(HEADERS, 5, 3), frame(DATA, 0, 0)].concat();
        for size in 1..=bytes.len() {
            let (mut frames, mut kinds) = (Frames::default(), Vec::new());
            bytes.chunks(size).for_each(|piece| frames.follow(piece, |head| kinds.push(head[3])));
            assert_eq!(kinds, [PING, HEADERS, DATA], "pieces of {size}");
        }
    }

    #[test]
    fn frames_that_carry_nothing_end_the_budget_and_time_makes_it_whole_again() {
        let mut budget = budget(10);
        let ping = frame(PING, 0, 8);
        assert!(budget.receive(&ping.repeat(9), 0));
        assert!(!budget.receive(&ping, 0));
        assert!(budget.receive(&ping.repeat(9), 1000), "no more than there was at first");
        assert!(!budget.receive(&ping, 1000));
    }

    #[test]
    fn a_client_that_exchanges_messages_may_ask_for_room_with_every_piece() {
        let mut budget = budget(10);
        let update = frame(8, 0, 4);
        for _ in 0..1000 {
            budget.send(&frame(DATA, 0, 100));
            assert!(budget.receive(&update.repeat(2), 0));
        }
    }

    #[test]
    fn requests_that_are_taken_back_end_the_budget_and_those_that_are_answered_do_not() {
        let taken_back = [frame(HEADERS, 5, 3), frame(RST_STREAM, 0, 4)].concat();
        let mut hostile = budget(1000);
        let lasted = (0..1000).take_while(|_| hostile.receive(&taken_back, 0)).count();
        assert_eq!(lasted, 199);
        let mut impatient = budget(1000);
        for _ in 0..1000 {
            assert!(impatient.receive(&frame(HEADERS, 5, 3), 0));
            impatient.send(&frame(HEADERS, 4, 9));
            impatient.send(&frame(DATA, 0, 9));
            assert!(impatient.receive(&frame(RST_STREAM, 0, 4), 0));
        }
    }
}
