//! What a client may send beside messages: frames that carry nothing, each of which costs us work (RFC 9113 §10.5).
//!
//! h2 bounds heads without an end, requests that are taken back before we have seen them and empty pieces of a body. It
//! does not bound PING, SETTINGS, PRIORITY and WINDOW_UPDATE, nor requests that are taken back a moment later. Here every
//! such frame has a price, which a connection earns by carrying messages, in either direction, and with time.
//!
//! Pure: bytes and ticks in, an answer out. Only the heads of frames are looked at.

use std::ops::ControlFlow;

use crate::frames::{DATA, END_STREAM, Frames, HEAD, HEADERS, RST_STREAM};

/// What a connection gains with each piece of a message: a client may ask for more room for the whole connection and for
/// the stream, and measure the time that takes (as gRPC does).
const EARNED_BY_A_PIECE: u32 = 4;
/// What a request that is taken back costs: more than it has earned by its head and by the one that answers it, so that
/// the budget lasts for two hundred of those that were never answered.
const RESET: u32 = 9;
/// What a request costs that is refused because it breaks a rule: more than it, and the two frames that say so, have earned.
/// It may have been small when it came, and large when it was read.
const REFUSED: u32 = 17;
/// What any other frame costs that is no piece of a message.
const OTHER: u32 = 1;

/// What one connection has left.
#[derive(Debug)]
pub(crate) struct Budget {
    left: u32,
    max: u32,
    /// When time was last counted.
    tick: u32,
    received: Frames,
    sent: Frames,
}

impl Budget {
    /// A budget that begins before the preface, at this tick.
    pub(crate) fn new(max: u32, tick: u32) -> Budget {
        Budget { left: max, max, tick, received: Frames::of_a_client(), sent: Frames::default() }
    }

    /// Whether the client may go on after these bytes. Each tick is worth a frame.
    pub(crate) fn receive(&mut self, bytes: &[u8], tick: u32) -> bool {
        self.earn(tick - self.tick);
        self.tick = tick;
        let Budget { left, max, received, .. } = self;
        if *left == 0 {
            return false;
        }
        // Once it is used up nothing is earned any more, or the piece of a message behind a flood would hide it.
        received.follow(bytes, |head, _| {
            match price(head) {
                0 => *left = (*left + EARNED_BY_A_PIECE).min(*max),
                price => *left = left.saturating_sub(price),
            }
            if *left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        *left > 0
    }

    /// Whether the client may go on after so many of its requests were refused because they broke a rule.
    pub(crate) fn fine(&mut self, refused: u32) -> bool {
        self.left = self.left.saturating_sub(refused.saturating_mul(REFUSED));
        self.left > 0
    }

    /// Whether so much is used up that the rest should last for longer.
    pub(crate) fn is_low(&self) -> bool {
        self.left < self.max - self.max / 8
    }

    /// Counts what is said to the client; whether there is a piece of a message in it.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        let Budget { left, max, sent, .. } = self;
        let mut carries = false;
        sent.follow(bytes, |head, _| {
            if price(head) == 0 {
                *left = (*left + EARNED_BY_A_PIECE).min(*max);
                carries = true;
            }
            ControlFlow::Continue(())
        });
        carries
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::frame;

    const PING: u8 = 6;

    /// A budget whose client has said hello.
    fn budget(max: u32) -> Budget {
        let mut budget = Budget::new(max, 0);
        assert!(budget.receive(crate::frames::PREFACE, 0));
        budget
    }

    #[test]
    fn frames_that_carry_nothing_end_the_budget_and_time_makes_it_whole_again() {
        let mut budget = budget(10);
        let ping = frame(PING, 0, 8);
        assert!(budget.receive(&ping.repeat(9), 0));
        assert!(budget.receive(&ping.repeat(9), 1000), "no more than there was at first");
        assert!(!budget.receive(&ping, 1000));
    }

    #[test]
    fn requests_that_break_rules_are_paid_for_and_seven_eighths_of_a_budget_are_little() {
        let mut budget = budget(1000);
        let mut refuse = || {
            let go_on = budget.receive(&frame(HEADERS, 5, 3), 0);
            budget.send(&frame(HEADERS, 4, 9));
            budget.send(&frame(DATA, 1, 9));
            (go_on && budget.fine(1)).then(|| budget.is_low())
        };
        assert_eq!((0..1000).take_while(|_| refuse() == Some(false)).count(), 22);
        assert_eq!((0..1000).take_while(|_| refuse() == Some(true)).count(), 174);
        assert_eq!(refuse(), None);
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
        let all = [taken_back.repeat(1000), frame(HEADERS, 5, 3)].concat();
        assert!(!super::tests::budget(1000).receive(&all, 0), "what comes behind a flood does not hide it");
        let mut impatient = budget(1000);
        for _ in 0..1000 {
            assert!(impatient.receive(&frame(HEADERS, 5, 3), 0));
            impatient.send(&frame(HEADERS, 4, 9));
            impatient.send(&frame(DATA, 0, 9));
            assert!(impatient.receive(&frame(RST_STREAM, 0, 4), 0));
        }
    }
}
