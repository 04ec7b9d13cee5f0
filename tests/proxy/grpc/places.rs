//! How many requests an endpoint of HTTP/2 has at a time, on how many connections, and what those do that are one too many.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use model::Protocol;
use proxy::Config;
use system_tests::{Client, GrpcUpstream, How, RefusingUpstream, Sluice, eventually};
use tonic::{Code, Request, Status};

use super::{Call, Caller, sluice};

const IN_FLIGHT: &str = "sluicegate_requests_in_flight";
const CONNECTS: &str = "sluicegate_upstream_connects_total";

fn at_most(connections: usize) -> impl FnOnce(&mut Config) {
    move |config| config.upstream.http2.connections_max = connections
}

/// Begins calls that last until they are dropped.
fn hold(caller: &Caller, calls: usize) -> Vec<Call> {
    let calls = join_all((0..calls).map(|_| Call::open(&caller.client, Request::new(()), "Both")));
    caller.runtime.block_on(calls).into_iter().collect::<Result<_, Status>>().unwrap()
}

#[test]
fn where_an_endpoint_takes_few_requests_at_a_time_more_connections_are_opened() {
    let upstream = GrpcUpstream::start(2, None);
    let sluice = sluice(|_| {}, Protocol::Grpc, &[upstream.address]);
    let caller = Caller::new(&sluice);
    let open = hold(&caller, 7);
    assert_eq!(upstream.connections(), 4);
    drop(open);
}

#[test]
fn at_the_limit_of_connections_a_request_waits_for_a_place() {
    let upstream = GrpcUpstream::start(2, None);
    let sluice = sluice(at_most(2), Protocol::Grpc, &[upstream.address]);
    let caller = Caller::new(&sluice);
    let mut held = hold(&caller, 4);
    let began = Instant::now();
    for _ in 0..10 {
        let client = caller.client.clone();
        let waiting =
            caller.runtime.spawn(async move { Call::open(&client, Request::new(()), "Both").await });
        eventually("it waits", || sluice.count(IN_FLIGHT) == 5);
        assert!(!waiting.is_finished());
        held.remove(0);
        held.push(caller.runtime.block_on(waiting).unwrap().unwrap());
    }
    assert!(began.elapsed() < Duration::from_secs(5), "each was told at once: {:?}", began.elapsed());
    assert_eq!(upstream.connections(), 2);
}

#[test]
fn a_call_that_waits_for_a_place_in_vain_is_told_so_when_a_connection_would_have_been_given_up() {
    let upstream = GrpcUpstream::start(1, None);
    let impatient = |config: &mut Config| {
        at_most(1)(config);
        config.upstream.connect_timeout = Duration::from_millis(200);
    };
    let sluice = sluice(impatient, Protocol::Grpc, &[upstream.address]);
    let mut caller = Caller::new(&sluice);
    let held = hold(&caller, 1);
    let began = Instant::now();
    let failed = caller.call("One", &["hello"]).unwrap_err();
    assert_eq!(failed.code(), Code::Unavailable);
    assert_eq!(failed.message(), "503 Service Unavailable (endpoint-busy)");
    assert!(failed.metadata().contains_key("retry-after"));
    assert!(began.elapsed() >= Duration::from_millis(200));
    drop(held);
    assert_eq!(caller.call("One", &["hello"]).unwrap(), ["hello"]);
    assert_eq!(upstream.connections(), 1);
}

#[test]
fn a_call_that_waits_for_a_place_in_vain_gets_one_at_another_endpoint() {
    let (narrow, wide) = (GrpcUpstream::start(1, None), GrpcUpstream::start(100, None));
    let impatient = |config: &mut Config| {
        at_most(1)(config);
        config.upstream.connect_timeout = Duration::from_millis(200);
    };
    let sluice = sluice(impatient, Protocol::Grpc, &[narrow.address, wide.address]);
    let caller = Caller::new(&sluice);
    let held = hold(&caller, 6);
    assert!(sluice.count("sluicegate_retries_total") > 0, "the fewest requests in flight: three each");
    assert_eq!((narrow.connections(), wide.connections()), (1, 1));
    drop(held);
}

#[test]
fn a_connection_that_may_not_be_used_again_makes_room_for_a_fresh_one() {
    let upstream = GrpcUpstream::start(1, None);
    let sluice = sluice(at_most(1), Protocol::Grpc, &[upstream.address]);
    let mut caller = Caller::new(&sluice);
    assert_eq!(caller.call("One", &["hello"]).unwrap(), ["hello"]);
    // Longer than a connection may have been idle for a request that could not be sent again.
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(caller.call("One", &["hello"]).unwrap(), ["hello"]);
    assert_eq!(upstream.connections(), 2);
}

#[test]
fn a_refused_request_that_can_have_no_fresh_connection_goes_where_others_are_served() {
    let upstream = RefusingUpstream::start(How::Stream, 1);
    let sluice = Sluice::with(at_most(1), &[]);
    sluice.publish_speaking(Protocol::Grpc, &[upstream.address]);
    let mut clients = [Client::connect(sluice.address), Client::connect(sluice.address)];
    for (begun, client) in clients.iter_mut().enumerate() {
        client.send("POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 4\r\n\r\nab");
        eventually("it has begun", || sluice.count(IN_FLIGHT) == begun as u64 + 1);
    }
    for client in &mut clients {
        client.send("cd");
        let answer = client.response();
        assert_eq!((answer.status(), answer.text().as_str()), (200, "abcd"));
    }
    assert_eq!((upstream.counts(), sluice.count(CONNECTS)), ((1, 2), 1));
}
