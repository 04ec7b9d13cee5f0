//! Answers that a route sends no faster than it says.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use model::{Filters, Policy, ResponseFilter, Throttle};
use system_tests::{Client, Http2, Sluice, Upstream, sluice};

const PIECE: usize = 20_000;

/// A gate to an endpoint that answers with three pieces.
fn gate(bytes_per_second: u32, after: u64) -> Sluice {
    let upstream = Upstream::scripted(|peer| {
        while peer.request().is_ok() {
            let piece = format!("{PIECE:x}\r\n{}\r\n", "x".repeat(PIECE));
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            let _ = peer.send(format!("{head}{piece}{piece}{piece}0\r\n\r\n"));
        }
    });
    let throttle = Throttle { bytes_per_second: NonZeroU32::new(bytes_per_second).expect("a rate"), after };
    let filters = Filters::new(Vec::new(), vec![ResponseFilter::Throttle(throttle)]);
    let ours = proxy::Protocol { http2_cleartext: true, ..proxy::Protocol::default() };
    let change = |config: &mut proxy::Config| {
        // Neither side is late for what is held back here.
        config.downstream.write_timeout = Duration::from_millis(500);
        config.upstream.body_timeout = Duration::from_millis(500);
    };
    let sluice = Sluice::speaking(ours, change, &[]);
    let policy = Policy { filters, ..Policy::default() };
    sluice.publish_table(sluice::table_with(2, policy, &[sluice::ready(upstream.address)]));
    sluice
}

/// How long a whole answer takes over each version of HTTP.
fn took(sluice: &Sluice) -> [Duration; 2] {
    let began = Instant::now();
    assert_eq!(Client::connect(sluice.address).get("/").body.len(), 3 * PIECE);
    let http1 = began.elapsed();
    let mut client = Http2::connect(sluice.address);
    let began = Instant::now();
    assert_eq!(client.get("host.test", "/").expect("an answer").body.len(), 3 * PIECE);
    [http1, began.elapsed()]
}

#[test]
fn an_answer_takes_as_long_as_its_route_says_however_fast_its_client_is() {
    for took in took(&gate(u32::try_from(PIECE).expect("a rate"), 0)) {
        assert!(took >= Duration::from_secs(1), "{took:?}");
    }
}

#[test]
fn what_may_come_before_that_comes_at_once() {
    for took in took(&gate(1, 3 * PIECE as u64)) {
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}
