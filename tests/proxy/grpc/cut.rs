//! Calls whose endpoint breaks off after it has begun to answer: their clients read a status which says that.

use bytes::Bytes;
use http_body_util::Full;
use model::Protocol;
use system_tests::frames::{ACK, DATA, END_HEADERS, Frames, HEADERS, RST_STREAM, SETTINGS, block};
use system_tests::{Client, GrpcUpstream, Http2, Upstream, eventually};
use tonic::{Code, Request};

use super::{Call, Caller, HOST, sluice};

/// What an endpoint does in the middle of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Break {
    Reset,
    Close,
}

/// Answers each request with a head and one message, and breaks off.
fn breaking(how: Break, content_type: &'static str) -> Upstream {
    const INTERNAL_ERROR: u32 = 2;
    Upstream::scripted(move |peer| {
        let Ok(mut frames) = Frames::accept(&mut peer.stream) else { return };
        while let Ok((kind, flags, id, _)) = frames.read() {
            match kind {
                SETTINGS if flags & ACK == 0 => frames.send(SETTINGS, ACK, 0, b""),
                HEADERS => {
                    let head = block(&[(":status", "200"), ("content-type", content_type)]);
                    frames.send(HEADERS, END_HEADERS, id, &head);
                    frames.send(DATA, 0, id, b"\0\0\0\0\x05hello");
                    match how {
                        Break::Reset => frames.send(RST_STREAM, 0, id, &INTERNAL_ERROR.to_be_bytes()),
                        Break::Close => return,
                    }
                }
                _ => {}
            }
        }
    })
}

#[test]
fn an_answer_that_its_endpoint_cuts_ends_with_a_status_that_is_worth_another_try() {
    for how in [Break::Reset, Break::Close] {
        let upstream = breaking(how, "application/grpc");
        let sluice = sluice(|_| {}, Protocol::Grpc, &[upstream.address]);
        let caller = Caller::new(&sluice);
        caller.runtime.block_on(async {
            let mut call = Call::open(&caller.client, Request::new(()), "Both").await.unwrap();
            assert_eq!(call.hear().await.unwrap(), "hello", "{how:?}");
            let cut = call.hear().await.unwrap_err();
            assert_eq!((cut.code(), cut.message()), (Code::Unavailable, "502 Bad Gateway (response-cut)"));
        });
        eventually("it is counted", || {
            sluice.count("sluicegate_refusals_total{reason=\"response-cut\"}") == 1
                && sluice.count("sluicegate_requests_in_flight") == 0
        });
    }
}

#[test]
fn a_call_that_its_deadline_ends_says_so() {
    let upstream = GrpcUpstream::start(100, None);
    let sluice = sluice(|_| {}, Protocol::Grpc, &[upstream.address]);
    let mut client = Http2::connect(sluice.address);
    let request = client.request("POST", HOST, "/test.Echo/Stall").header("content-type", "application/grpc");
    let request = request.header("grpc-timeout", "100m");
    let answer = client.send(request.body(Full::new(Bytes::from_static(b"\0\0\0\0\x01x"))).unwrap()).unwrap();
    assert_eq!(answer.body, &b"\0\0\0\0\x01x"[..]);
    let trailers = answer.trailers.unwrap();
    assert_eq!(trailers["grpc-status"], "4");
    assert_eq!(trailers["grpc-message"], "504 Gateway Timeout (call-timeout)");
}

#[test]
fn a_client_that_reads_no_status_of_grpc_sees_that_the_answer_is_cut() {
    for content_type in ["application/grpc", "text/plain"] {
        let upstream = breaking(Break::Reset, content_type);
        let sluice = sluice(|_| {}, Protocol::Grpc, &[upstream.address]);
        let mut client = Http2::connect(sluice.address);
        client.get(HOST, "/").unwrap_err();
        let call = client.request("POST", HOST, "/").header("content-type", "application/grpc");
        let answer = client.send(call.body(Full::default()).unwrap());
        assert_eq!(answer.is_ok(), content_type == "application/grpc", "{answer:?}");
        let mut client = Client::connect(sluice.address);
        client.send("POST / HTTP/1.1\r\nHost: host.test\r\nContent-Type: application/grpc\r\nContent-Length: 0\r\n\r\n");
        let (bytes, _) = client.rest();
        assert!(!bytes.ends_with(b"0\r\n\r\n"), "{content_type}");
    }
}
