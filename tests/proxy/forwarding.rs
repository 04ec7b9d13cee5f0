//! What reaches the upstream, and what comes back.

use system_tests::{Client, Sluice, Upstream};

#[test]
fn a_request_reaches_its_upstream_and_the_connection_is_kept_on_both_sides() {
    let upstream = Upstream::answering("hello");
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    for _ in 0..3 {
        let answer = client.get("/a?b=c");
        assert_eq!((answer.status(), answer.text().as_str()), (200, "hello"));
    }
    assert_eq!((upstream.requests(), upstream.connections()), (3, 1));
}
