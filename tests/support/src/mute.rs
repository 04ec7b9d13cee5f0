//! An upstream of HTTP/2 whose connections fall silent: they stay open, and nothing is said on them any more, not even in
//! answer to PING. So it looks when a machine is gone, or a process hangs.

use std::io;

use crate::frames::{ACK, END_HEADERS, END_STREAM, Frames, HEADERS, PING, SETTINGS};
use crate::upstream::{Peer, Upstream};

/// Starts an upstream whose first connection falls silent after so many answers. All others answer for ever.
pub fn falling_silent(answers: usize) -> Upstream {
    Upstream::scripted(move |peer| {
        let answers = if peer.place == 0 { answers } else { usize::MAX };
        if let Ok(()) = answer(peer, answers) {
            peer.discard();
        }
    })
}

/// Answers so many requests, each with an empty 200.
fn answer(peer: &mut Peer, mut answers: usize) -> io::Result<()> {
    const STATUS_200: u8 = 0x88;
    let mut frames = Frames::accept(&mut peer.stream)?;
    while answers > 0 {
        match frames.read()? {
            (HEADERS, _, id, _) => {
                frames.send(HEADERS, END_HEADERS | END_STREAM, id, &[STATUS_200]);
                answers -= 1;
            }
            (kind @ (SETTINGS | PING), flags, _, payload) if flags & ACK == 0 => {
                let payload: &[u8] = if kind == PING { &payload } else { b"" };
                frames.send(kind, ACK, 0, payload);
            }
            _ => {}
        }
    }
    Ok(())
}
