//! The line that is written of a request, whatever was spoken.

use std::time::Duration;

use http_body_util::Full;
use model::Policy;
use proxy::{AccessLog, Protocol};
use serde_json::{Value, json};
use system_tests::{Client, Http2, Sluice, Upstream, sluice};

const TIME: Duration = Duration::from_secs(10);

/// What is written of what these clients do, in their order.
fn lines(act: impl FnOnce(&Sluice)) -> Vec<Value> {
    let upstream = Upstream::answering("hello");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    let speaks = Protocol { http2_cleartext: true, ..Protocol::default() };
    let log = AccessLog::File(path.clone());
    let mut sluice = Sluice::speaking(speaks, |config| config.access_log = log, &[upstream.address]);
    act(&sluice);
    sluice.drain();
    sluice.finished_within(TIME).expect("the workers end, and with them the log");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).expect("each line is an object")).collect()
}

#[test]
fn a_line_says_which_host_a_request_was_for_and_what_became_of_it_whatever_was_spoken() {
    let lines = lines(|sluice| {
        let mut client = Client::connect(sluice.address);
        client.send("GET /a?b HTTP/1.1\r\nHost: one.test:81\r\nUser-Agent: \"me\"\r\n\r\n").response();
        client.send("GET http://two.test/c HTTP/1.1\r\nHost: two.test\r\n\r\n").response();
        client.send("GET / HTTP/1.0\r\n\r\n").response();
        drop(client);
        let mut client = Http2::connect(sluice.address);
        client.get("three.test", "/d?e").unwrap();
        let named = client.request("TRACE", "four.test", "/").header("host", "four.test");
        client.send(named.body(Full::default()).unwrap()).unwrap();
    });
    let fields = ["protocol", "method", "host", "target", "status", "attempts", "user_agent", "error"];
    let said: Vec<Value> = lines.iter().map(|line| fields.map(|field| line[field].clone()).into()).collect();
    let want = [
        json!(["HTTP/1.1", "GET", "one.test:81", "/a?b", 200, 1, "\"me\"", null]),
        json!(["HTTP/1.1", "GET", "two.test", "/c", 200, 1, null, null]),
        json!(["HTTP/1.0", "GET", "", "/", 200, 1, null, null]),
        json!(["HTTP/2.0", "GET", "three.test", "/d?e", 200, 1, null, null]),
        json!(["HTTP/2.0", "TRACE", "four.test", "/", 405, 0, null, "method"]),
    ];
    assert_eq!(said, want);
}

#[test]
fn of_a_route_that_is_to_stay_out_of_the_log_nothing_is_written() {
    let lines = lines(|sluice| {
        let mut client = Client::connect(sluice.address);
        for (generation, is_unlogged, target) in [(2, true, "/not"), (3, false, "/logged")] {
            let policy = Policy { is_unlogged, ..Policy::default() };
            sluice.publish_table(sluice::table_with(generation, policy, &[]));
            assert_eq!(client.get(target).status(), 503);
        }
    });
    let targets: Vec<&Value> = lines.iter().map(|line| &line["target"]).collect();
    assert_eq!(targets, ["/logged"]);
}
