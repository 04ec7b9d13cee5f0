//! Frames that are each allowed and together are not (RFC 9113 §10.5): the connection that they come on ends.

use std::net::TcpStream;

use proxy::Protocol;
use system_tests::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, Outcome, RST_STREAM, WINDOW_UPDATE, block,
};
use system_tests::{Gate, Sluice, Upstream};

use super::Bench;

/// Rows that the tests below are for.
pub(super) const ROWS: [u32; 5] = [127, 128, 129, 131, 133];

/// RFC 9113 §7.
const REFUSED_STREAM: u32 = 7;

fn head(method: &str) -> Vec<u8> {
    block(&[(":method", method), (":scheme", "http"), (":authority", "a"), (":path", "/x")])
}

fn speaking() -> Protocol {
    Protocol { http2_cleartext: true, ..Protocol::default() }
}

/// Whether the connection was given up.
fn is_given_up(frames: &mut Frames<TcpStream>) -> bool {
    // Nothing comes of a stream that was never opened but the end of all.
    matches!(frames.outcome(u32::MAX), Outcome::GoAway(code) if code != 0)
}

#[test]
fn requests_that_are_taken_back_at_once_end_the_connection() {
    let bench = Bench::speaking(speaking());
    let before = bench.upstream.requests();
    let mut frames = Frames::connect(bench.sluice.address);
    let get = head("GET");
    for id in (1..4000).step_by(2) {
        frames.send(HEADERS, END_HEADERS | END_STREAM, id, &get);
        frames.send(RST_STREAM, 0, id, &8_u32.to_be_bytes());
    }
    assert!(matches!(frames.outcome(u32::MAX), Outcome::GoAway(_) | Outcome::Closed), "row 127");
    let begun = bench.upstream.requests() - before;
    assert!(begun <= 500, "row 127: {begun} of 2000 requests have reached the upstream");
    bench.plain_request().unwrap();
}

#[test]
fn requests_that_we_are_made_to_reset_end_the_connection() {
    let bench = Bench::speaking(speaking());
    let mut frames = Frames::connect(bench.sluice.address);
    let post = head("POST");
    for id in (1..400).step_by(2) {
        frames.send(HEADERS, END_HEADERS, id, &post);
        // More room than a window can have: an error of this stream alone.
        frames.send(WINDOW_UPDATE, 0, id, &0x7fff_ffff_u32.to_be_bytes());
    }
    assert!(is_given_up(&mut frames), "row 128");
    assert!(bench.upstream.requests() == 1, "row 128: only the plain one was whole");
    bench.plain_request().unwrap();
}

#[test]
fn a_head_without_end_ends_the_connection() {
    let bench = Bench::speaking(speaking());
    let before = bench.upstream.received();
    let mut frames = Frames::connect(bench.sluice.address);
    frames.send(HEADERS, END_STREAM, 1, &head("GET"));
    let piece = block(&[("x", "y")]).repeat(1000);
    for _ in 0..1000 {
        frames.send(CONTINUATION, 0, 1, &piece);
    }
    assert!(matches!(frames.outcome(1), Outcome::GoAway(_) | Outcome::Closed), "row 129");
    assert_eq!(bench.upstream.received(), before, "row 129");
    bench.plain_request().unwrap();
}

#[test]
fn a_body_of_empty_frames_ends_the_connection() {
    let bench = Bench::speaking(speaking());
    let mut frames = Frames::connect(bench.sluice.address);
    frames.send(HEADERS, END_HEADERS, 1, &head("POST"));
    for _ in 0..10_000 {
        frames.send(DATA, 0, 1, b"");
    }
    assert!(matches!(frames.outcome(1), Outcome::GoAway(_) | Outcome::Closed), "row 131");
    bench.plain_request().unwrap();
}

#[test]
fn more_requests_at_a_time_than_allowed_are_refused_one_by_one() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let most = 8;
    let sluice = Sluice::speaking(
        speaking(),
        |config| config.downstream.http2.streams_max = most,
        &[upstream.address],
    );
    let mut frames = Frames::connect(sluice.address);
    for place in 0..=most {
        frames.send(HEADERS, END_HEADERS | END_STREAM, 2 * place + 1, &head("GET"));
    }
    assert_eq!(frames.outcome(2 * most + 1), Outcome::Reset(REFUSED_STREAM), "row 133");
    gate.open();
    let others = (0..most).map(|place| 2 * place + 1);
    assert_eq!(frames.outcomes(others).into_iter().filter(|it| *it == Outcome::Status(200)).count(), 8);
}
