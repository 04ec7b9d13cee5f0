//! Anything at all, for a while.

use std::time::{Duration, Instant};

use super::{api, gate, slice};
use crate::support::{FakeApi, Lie, Traffic, Upstream, pod_address};

/// Some wrong answer to each request but every fifth.
fn confuse(api: &FakeApi, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    api.lie(move |ask| match random.u8(..10) {
        0 => Some(Lie::refusal(500, "InternalError")),
        1 => Some(Lie::refusal(403, "Forbidden")),
        2 => Some(Lie::Status(200, "}{".into())),
        3 => Some(Lie::Cut("{\"kind\": \"List\", \"items\": [".into())),
        4 => Some(Lie::Close),
        5 => Some(Lie::Status(502, "<html>Bad Gateway</html>".into())),
        6 if ask.is_watch => Some(Lie::Watch("{\"type\": \"DEL".into())),
        7 if ask.is_watch => Some(Lie::refusal(410, "Expired")),
        6 | 7 => Some(Lie::Status(200, "{}".into())),
        _ => None,
    });
}

#[test]
fn wrong_answers_of_all_kinds_change_nothing_and_are_forgotten_once_they_end() {
    let (api, _one) = api();
    let two = Upstream::at(pod_address(), "two");
    let gate = gate(&api).ready();
    let traffic = Traffic::start(gate.http, "web.example");
    for seed in 0..4 {
        confuse(&api, seed);
        for _ in 0..4 {
            api.forget();
            traffic.go_on_for(Duration::from_millis(400));
            assert!(gate.gives("cart.example", 200, "one"), "seed {seed}");
        }
        assert_eq!(gate.json("/routes")["routes"].as_array().map(Vec::len), Some(2), "seed {seed}");
        api.be_honest();
    }
    let good = Instant::now();
    api.put("endpointslices", slice("web", two.address));
    gate.answers_soon("web.example", "two", good);
    traffic.end();
}

#[test]
fn a_start_among_wrong_answers_is_ready_with_everything_or_not_at_all() {
    for seed in 10..13 {
        let (api, _one) = api();
        confuse(&api, seed);
        let gate = gate(&api).ready();
        assert!(
            gate.gives("web.example", 200, "one") && gate.gives("cart.example", 200, "one"),
            "seed {seed}"
        );
    }
}
