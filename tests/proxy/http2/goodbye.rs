//! Frame by frame: when and how a drain says goodbye, and what a client may still send and is answered.

mod raw;

use std::time::{Duration, Instant};

use system_tests::{Gate, PATIENCE, Sluice, Upstream, eventually};

use self::raw::{
    ANY_STREAM, DATA, EMPTY_SETTINGS, END_STREAM, Frame, GOAWAY, HEADERS, PREFACE, Raw, SETTINGS,
    WINDOW_UPDATE,
};
use super::{sluice, sluice_with};

/// Three times as long as goodbyes are spread here (`Sluice`).
const BEYOND_THE_SPREAD: Duration = Duration::from_millis(1500);

fn nothing_was_cut(sluice: &mut Sluice) {
    assert_eq!(sluice.finished_within(PATIENCE).expect("no connection is left").cut, 0);
}

/// How many bytes of a body each stream may have at first.
fn window(bytes: u32) -> Vec<u8> {
    [&[0, 0, 6, SETTINGS, 0, 0, 0, 0, 0, 0, 4][..], &bytes.to_be_bytes()].concat()
}

fn more(stream: u8, bytes: u32) -> Vec<u8> {
    [&[0, 0, 4, WINDOW_UPDATE, 0, 0, 0, 0, stream][..], &bytes.to_be_bytes()].concat()
}

#[test]
fn half_a_preface_that_came_before_the_drain_is_waited_for_and_what_follows_is_served() {
    let upstream = Upstream::answering("hello");
    let sluice = sluice(&upstream);
    let mut client = Raw::connect(&sluice);
    client.send(&PREFACE[..5]);
    eventually("it is accepted", || sluice.metrics().open().0 == 1);
    // Read as well, or about to be: both must end well.
    std::thread::sleep(std::time::Duration::from_millis(100));
    sluice.drain();
    std::thread::sleep(std::time::Duration::from_millis(100));
    client.send(&PREFACE[5..]);
    client.send(EMPTY_SETTINGS);
    client.ask(1);
    client.is_answered(1);
}

#[test]
fn the_goodbye_comes_in_one_piece_with_the_end_of_an_answer_and_alone() {
    let upstream = Upstream::answering("hello");
    let mut sluice = sluice(&upstream);
    let mut client = Raw::greet(&sluice);
    client.ask(1);
    client.has_its_answer(1);
    sluice.drain();
    // A client that asks one thing after the other reads it before it asks again.
    let mut stream = 1;
    while client.0.buffer().is_empty() {
        std::thread::sleep(Duration::from_millis(100));
        assert!(client.0.buffer().is_empty() && stream < 251, "no goodbye came");
        stream += 2;
        client.ask(stream);
        client.has_its_answer(stream.into());
    }
    assert_eq!(client.0.buffer().len(), 17, "a GOAWAY, and nothing behind it: {:?}", client.0.buffer());
    assert_eq!(client.goodbye(), ANY_STREAM);
    // It stays without a word: then the last stream is named, and the connection ends.
    assert_eq!(client.goodbye(), u32::from(stream));
    client.has_ended();
    drop(client);
    nothing_was_cut(&mut sluice);
}

#[test]
fn a_silent_connection_is_told_without_a_question_and_what_crosses_is_answered() {
    let upstream = Upstream::answering("hello");
    let mut sluice = sluice(&upstream);
    let mut client = Raw::greet(&sluice);
    client.ask(1);
    client.has_its_answer(1);
    sluice.drain();
    assert_eq!(client.goodbye(), ANY_STREAM);
    // The client has not seen the goodbye yet, as far as the other side can know.
    client.ask(3);
    client.has_its_answer(3);
    assert_eq!(client.goodbye(), 3);
    // What comes now was not seen, and the client knows.
    client.ask(5);
    client.has_ended();
    drop(client);
    nothing_was_cut(&mut sluice);
    assert_eq!(upstream.requests(), 2);
}

#[test]
fn a_client_with_two_requests_at_a_time_is_told_in_silence() {
    let upstream = Upstream::answering("hello");
    let mut sluice = sluice_with(|config| config.downstream.http2.goodbye_wait = PATIENCE * 10, &upstream);
    let mut client = Raw::greet(&sluice);
    sluice.drain();
    let since = Instant::now();
    for first in (1..).step_by(4) {
        client.ask_twice(first);
        let mut ends = 0;
        while ends < 2 {
            let frame = client
                .until(|frame| frame.kind == GOAWAY || frame.flags & END_STREAM != 0 && frame.kind == DATA);
            assert_eq!(frame.kind, DATA, "while it may be about to ask again");
            ends += 1;
        }
        if since.elapsed() > BEYOND_THE_SPREAD {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(client.goodbye(), ANY_STREAM);
    drop(client);
    nothing_was_cut(&mut sluice);
}

#[test]
fn a_connection_that_never_spoke_is_told_and_ended_too() {
    let upstream = Upstream::answering("hello");
    let mut sluice = sluice(&upstream);
    let mut client = Raw::greet(&sluice);
    sluice.drain();
    assert_eq!(client.goodbye(), ANY_STREAM);
    assert_eq!(client.goodbye(), 0);
    client.has_ended();
    drop(client);
    nothing_was_cut(&mut sluice);
}

#[test]
fn a_connection_that_is_never_without_a_stream_is_told_in_two_steps_after_a_time_with_a_name() {
    let gate = Gate::default();
    let upstream = Upstream::gated(&gate, "hello");
    let mut sluice = sluice_with(|config| config.downstream.http2.goodbye_wait = Duration::ZERO, &upstream);
    let mut client = Raw::greet(&sluice);
    client.ask(1);
    eventually("the request is in flight", || upstream.requests() == 1);
    sluice.drain();
    assert_eq!(client.goodbye(), ANY_STREAM);
    // Not seen yet, as far as the other side can know.
    client.ask(3);
    client.answers_the_question();
    assert_eq!(client.goodbye(), 3);
    gate.open();
    client.is_answered(1);
    while client.frame().is_some() {}
    drop(client);
    nothing_was_cut(&mut sluice);
    assert_eq!(upstream.requests(), 2);
}

#[test]
fn a_client_that_goes_on_after_its_goodbye_is_told_in_the_end_which_stream_was_the_last() {
    let upstream = Upstream::answering("hello");
    let mut sluice = sluice_with(|config| config.downstream.http2.goodbye_wait = Duration::ZERO, &upstream);
    let mut client = Raw::greet(&sluice);
    sluice.drain();
    assert_eq!(client.goodbye(), ANY_STREAM);
    let mut stream = 1;
    loop {
        client.ask(stream);
        let ends = |frame: &Frame| frame.kind == DATA && frame.flags & END_STREAM != 0;
        if client.until(|frame| frame.kind == GOAWAY || ends(frame)).kind == GOAWAY {
            break;
        }
        stream += 2;
    }
    client.answers_the_question();
    assert_eq!(client.goodbye(), u32::from(stream));
    drop(client);
    nothing_was_cut(&mut sluice);
}

#[test]
fn the_goodbye_waits_for_the_end_of_an_answer_that_waits_for_its_client() {
    let body = "x".repeat(4_000);
    let upstream = Upstream::answering(&body);
    let mut sluice = sluice_with(|config| config.downstream.http2.goodbye_wait = PATIENCE * 10, &upstream);
    let mut client = Raw::connect(&sluice);
    client.send(PREFACE);
    client.send(&window(100));
    client.ask(1);
    client.is_answered(1);
    let data = |frame: &Frame| frame.kind == DATA && frame.stream == 1;
    let mut came = client.until(data).payload.len();
    eventually("all of it is here", || sluice.metrics().open().1 == 0);
    sluice.drain();
    std::thread::sleep(BEYOND_THE_SPREAD);
    client.send(&more(1, 20_000));
    while came < body.len() {
        let frame = client.until(|frame| data(frame) || frame.kind == GOAWAY);
        assert_eq!(frame.kind, DATA, "in the middle of an answer");
        came += frame.payload.len();
    }
    assert_eq!(client.goodbye(), ANY_STREAM);
    drop(client);
    nothing_was_cut(&mut sluice);
}

#[test]
fn the_end_of_an_answer_that_waits_for_its_client_is_waited_for_after_the_goodbye() {
    let body = "x".repeat(4_000);
    let upstream = Upstream::answering(&body);
    let mut sluice = sluice_with(|config| config.downstream.http2.goodbye_wait = Duration::ZERO, &upstream);
    let mut client = Raw::connect(&sluice);
    client.send(PREFACE);
    client.send(&window(100));
    client.ask(1);
    client.is_answered(1);
    let data = |frame: &Frame| frame.kind == DATA && frame.stream == 1;
    let mut came = client.until(data).payload.len();
    eventually("all of it is here", || sluice.metrics().open().1 == 0);
    sluice.drain();
    assert_eq!(client.goodbye(), ANY_STREAM);
    client.answers_the_question();
    // Longer than one that carries nothing would be waited for.
    std::thread::sleep(Duration::from_secs(6));
    client.send(&more(1, 20_000));
    while came < body.len() {
        came += client.until(data).payload.len();
    }
    while client.frame().is_some() {}
    drop(client);
    nothing_was_cut(&mut sluice);
}

#[test]
fn a_client_that_stops_in_the_middle_of_a_frame_is_not_waited_for() {
    let upstream = Upstream::answering("hello");
    let mut sluice = sluice_with(|config| config.idle_timeout = PATIENCE * 10, &upstream);
    let mut client = Raw::greet(&sluice);
    client.ask(1);
    client.has_its_answer(1);
    client.send(&[0, 0, 6, HEADERS, 5]);
    sluice.drain();
    assert_eq!(client.goodbye(), ANY_STREAM);
    client.has_ended();
    drop(client);
    nothing_was_cut(&mut sluice);
}
