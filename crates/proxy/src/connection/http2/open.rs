//! Which streams are open, as the bytes on the wire say.
//!
//! hyper's tasks end when h2 has an answer; its last byte may be written much later. Only what sees the frames knows when
//! a client has been given all that it asked for.
//!
//! Pure: bytes in, answers out. Only the heads of frames are looked at.

use std::io::IoSlice;
use std::ops::ControlFlow;

use crate::frames::{CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEAD, HEADERS, RST_STREAM, stream};

/// The open streams of one connection.
#[derive(Clone, Debug)]
pub(super) struct OpenStreams {
    received: Frames,
    sent: Frames,
    /// What is sent is within a field block: no other frame may stand between its frames (RFC 9113 §4.3).
    in_block: bool,
    streams: Vec<Open>,
    last: u32,
    is_crowd: bool,
}

#[derive(Clone, Debug)]
struct Open {
    id: u32,
    asked: bool,
    answered: bool,
}

impl OpenStreams {
    /// Those of a client, from the preface on.
    pub(super) fn of_a_client() -> OpenStreams {
        OpenStreams {
            received: Frames::of_a_client(),
            sent: Frames::default(),
            in_block: false,
            streams: Vec::new(),
            last: 0,
            is_crowd: false,
        }
    }

    /// Follows what is handed on from the client.
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        let OpenStreams { received, streams, last, is_crowd, .. } = self;
        received.follow(bytes, |head, _| {
            let id = stream(head);
            if head[3] == HEADERS && id > *last {
                *last = id;
                *is_crowd |= !streams.is_empty();
                streams.push(Open { id, asked: false, answered: false });
            }
            close(streams, head, |open| open.asked = true);
            ControlFlow::Continue(())
        });
    }

    /// Follows what is written to the client.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        let OpenStreams { sent, in_block, streams, .. } = self;
        sent.follow(bytes, |head, _| {
            if matches!(head[3], HEADERS | CONTINUATION) {
                *in_block = head[4] & END_HEADERS == 0;
            }
            close(streams, head, |open| open.answered = true);
            ControlFlow::Continue(())
        });
    }

    /// Whether more than one was open at a time since this was last asked.
    pub(super) fn were_a_crowd(&mut self) -> bool {
        std::mem::take(&mut self.is_crowd)
    }

    pub(super) fn none(&self) -> bool {
        self.streams.is_empty()
    }

    /// The last stream that was opened.
    pub(super) fn last(&self) -> u32 {
        self.last
    }

    /// Whether the last open stream ends with these bytes, and another frame may stand behind them.
    pub(super) fn end_with(&self, bytes: &[IoSlice<'_>]) -> bool {
        if self.none() {
            return false;
        }
        let mut after = self.clone();
        bytes.iter().for_each(|bytes| after.send(bytes));
        after.none() && after.may_speak()
    }

    /// Whether another frame may stand here. Ours begin with SETTINGS (RFC 9113 §3.4).
    pub(super) fn may_speak(&self) -> bool {
        self.sent.has_begun() && self.sent.is_between() && !self.in_block
    }

    /// Whether the client is not in the middle of a frame.
    pub(super) fn is_whole(&self) -> bool {
        self.received.is_between()
    }
}

/// Ends one side of a stream, or all of it.
fn close(streams: &mut Vec<Open>, head: &[u8; HEAD], end: impl FnOnce(&mut Open)) {
    let is_end = matches!(head[3], HEADERS | DATA) && head[4] & END_STREAM != 0;
    if !is_end && head[3] != RST_STREAM {
        return;
    }
    let id = stream(head);
    let Some(at) = streams.iter().position(|open| open.id == id) else { return };
    if is_end {
        end(&mut streams[at]);
    }
    if !is_end || streams[at].asked && streams[at].answered {
        streams.swap_remove(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::PREFACE;
    use crate::frames::frame;

    /// A frame of the stream with this number.
    fn of(id: u8, mut frame: Vec<u8>) -> Vec<u8> {
        frame[8] = id;
        frame
    }

    fn streams() -> OpenStreams {
        let mut streams = OpenStreams::of_a_client();
        streams.receive(PREFACE);
        streams
    }

    #[test]
    fn a_stream_is_open_until_both_sides_have_ended_it_or_one_has_reset_it() {
        let mut streams = streams();
        streams.receive(&of(1, frame(HEADERS, 4, 3)));
        streams.receive(&of(3, frame(HEADERS, 5, 3)));
        streams.send(&[of(1, frame(HEADERS, 4, 1)), of(1, frame(DATA, END_STREAM, 9))].concat());
        streams.send(&of(3, frame(DATA, 0, 9)));
        assert_eq!(streams.streams.len(), 2);
        assert!(streams.were_a_crowd() && !streams.were_a_crowd());
        streams.receive(&of(1, frame(DATA, END_STREAM, 0)));
        streams.receive(&of(3, frame(RST_STREAM, 0, 4)));
        assert!(streams.none());
        // Trailers open nothing.
        streams.receive(&of(3, frame(HEADERS, 5, 3)));
        assert!(streams.none() && streams.last() == 3);
    }

    #[test]
    fn the_end_of_the_last_answer_is_seen_however_it_is_cut_and_only_there() {
        let mut streams = streams();
        streams.receive(&of(1, frame(HEADERS, 5, 3)));
        let answer = [of(1, frame(HEADERS, 4, 1)), of(1, frame(DATA, END_STREAM, 9))].concat();
        for at in 0..answer.len() {
            let (first, second) = answer.split_at(at);
            assert!(streams.end_with(&[IoSlice::new(first), IoSlice::new(second)]));
            assert!(!streams.end_with(&[IoSlice::new(first)]));
        }
        let more = [answer.clone(), of(3, frame(HEADERS, 4, 1))[..5].to_vec()].concat();
        assert!(!streams.end_with(&[IoSlice::new(&more)]), "in the middle of another frame");
        streams.receive(&of(3, frame(HEADERS, 5, 3)));
        assert!(!streams.end_with(&[IoSlice::new(&answer)]), "another stream is open");
    }

    #[test]
    fn nothing_is_said_within_a_field_block() {
        let mut streams = streams();
        streams.receive(&of(1, frame(HEADERS, 5, 3)));
        let (head, rest) = (of(1, frame(HEADERS, END_STREAM, 9)), of(1, frame(CONTINUATION, END_HEADERS, 9)));
        assert!(!streams.end_with(&[IoSlice::new(&head)]));
        assert!(streams.end_with(&[IoSlice::new(&head), IoSlice::new(&rest)]));
        streams.send(&head);
        assert!(streams.none() && !streams.may_speak());
        streams.send(&rest);
        assert!(streams.may_speak());
    }

    #[test]
    fn nothing_is_said_before_our_settings_nor_within_a_frame() {
        let mut streams = streams();
        assert!(!streams.may_speak() && streams.is_whole());
        let settings = frame(4, 0, 6);
        streams.send(&settings[..12]);
        assert!(!streams.may_speak());
        streams.send(&settings[12..]);
        assert!(streams.may_speak());
        streams.receive(&settings[..3]);
        assert!(!streams.is_whole());
    }
}
