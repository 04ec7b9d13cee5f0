//! How long a call may take: as long as its client says, and be silent for as long as both sides live.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use model::Protocol;
use proxy::Config;
use system_tests::{GrpcUpstream, Http2};
use tonic::{Code, Request};

use super::{Call, Caller, HOST, sluice};

const SHORT: Duration = Duration::from_millis(100);

/// Gives up whatever is silent at once, unless it is a call.
fn impatient(config: &mut Config) {
    config.downstream.body_timeout = SHORT;
    config.upstream.head_timeout = SHORT;
    config.upstream.body_timeout = SHORT;
}

#[test]
fn a_call_that_is_silent_is_not_cut() {
    let upstream = GrpcUpstream::start(100, None);
    let sluice = sluice(impatient, Protocol::Grpc, &[upstream.address]);
    let caller = Caller::new(&sluice);
    caller.runtime.block_on(async {
        let mut call = Call::open(&caller.client, Request::new(()), "Both").await.unwrap();
        call.say("one").await;
        assert_eq!(call.hear().await.unwrap(), "one");
        tokio::time::sleep(SHORT * 5).await;
        call.say("two").await;
        assert_eq!(call.hear().await.unwrap(), "two");
    });
}

#[test]
fn a_call_whose_head_comes_with_its_first_message_may_be_silent_until_then() {
    let upstream = GrpcUpstream::start(100, None);
    let sluice = sluice(impatient, Protocol::Grpc, &[upstream.address]);
    let caller = Caller::new(&sluice);
    caller.runtime.block_on(async {
        let (sender, opening) = Call::begin(&caller.client, Request::new(()), "Up");
        let opening = tokio::spawn(opening);
        sender.send("hello".into()).await.unwrap();
        tokio::time::sleep(SHORT * 5).await;
        drop(sender);
        let mut answers = opening.await.unwrap().unwrap();
        assert_eq!(answers.message().await.unwrap().unwrap(), b"5");
    });
}

#[test]
fn a_call_without_an_answer_is_given_up_after_the_longest_time_that_a_request_may_take() {
    let upstream = GrpcUpstream::start(100, None);
    let soon = |config: &mut Config| config.max_request_time = SHORT;
    let sluice = sluice(soon, Protocol::Grpc, &[upstream.address]);
    let failed = Caller::new(&sluice).call("Never", &["hello"]).unwrap_err();
    assert_eq!(failed.code(), Code::Unavailable);
    assert_eq!(failed.message(), "504 Gateway Timeout (response-timeout)");
}

#[test]
fn a_call_that_is_not_answered_until_its_deadline_is_answered_by_us() {
    let upstream = GrpcUpstream::start(100, None);
    let sluice = sluice(|_| {}, Protocol::Grpc, &[upstream.address]);
    let mut client = Http2::connect(sluice.address);
    let request = client.request("POST", HOST, "/test.Echo/Never").header("content-type", "application/grpc");
    let request = request.header("grpc-timeout", "100m");
    let began = Instant::now();
    let answer = client.send(request.body(Full::new(Bytes::from_static(b"\0\0\0\0\x01x"))).unwrap()).unwrap();
    assert_eq!((answer.head.status().as_u16(), answer.body.len()), (200, 0));
    assert_eq!(answer.head.headers()["grpc-status"], "4");
    assert_eq!(answer.head.headers()["grpc-message"], "504 Gateway Timeout (call-timeout)");
    assert!(began.elapsed() >= Duration::from_millis(1100), "both sides may end it themselves before");
}

#[test]
fn a_call_that_is_under_way_ends_with_its_deadline_too() {
    let upstream = GrpcUpstream::start(100, None);
    let sluice = sluice(|_| {}, Protocol::Grpc, &[upstream.address]);
    let caller = Caller::new(&sluice);
    // The library looks at it only until there is a head.
    let mut request = Request::new(());
    request.metadata_mut().insert("grpc-timeout", "2S".parse().unwrap());
    caller.runtime.block_on(async {
        let mut call = Call::open(&caller.client, request, "Both").await.unwrap();
        call.say("one").await;
        assert_eq!(call.hear().await.unwrap(), "one");
        let ended = tokio::time::timeout(system_tests::PATIENCE, call.hear()).await;
        assert!(ended.expect("it ends").is_err());
    });
}
