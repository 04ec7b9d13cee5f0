//! gRPC as its own library speaks it, on both sides; and what is special about endpoints that speak HTTP/2.

mod cut;
mod deadlines;
mod leaving;
mod places;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{StreamExt, iter, unfold};
use http_body_util::Full;
use model::Protocol as UpstreamProtocol;
use proxy::{Config, Protocol};
use system_tests::{Authority, Client, GrpcUpstream, Http2, Raw, Sluice, Upstream, eventually};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};

const HOST: &str = "host.test";

/// A data plane that speaks HTTP/2 on both sides.
fn sluice(change: impl FnOnce(&mut Config), protocol: UpstreamProtocol, endpoints: &[SocketAddr]) -> Sluice {
    let ours = Protocol { http2_cleartext: true, ..Protocol::default() };
    let sluice = Sluice::speaking(ours, change, &[]);
    sluice.publish_speaking(protocol, endpoints);
    sluice
}

/// A client of gRPC.
struct Caller {
    runtime: Runtime,
    client: Grpc<Channel>,
}

impl Caller {
    fn new(sluice: &Sluice) -> Caller {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let endpoint = Endpoint::from_shared(format!("http://{}", sluice.address)).unwrap();
        let channel = runtime.block_on(endpoint.connect()).unwrap();
        Caller { runtime, client: Grpc::new(channel) }
    }

    /// Sends these messages in any kind of call, and collects what comes back.
    fn call(&mut self, method: &str, messages: &[&str]) -> Result<Vec<String>, Status> {
        self.call_within(method, messages, None)
    }

    fn call_within(
        &mut self,
        method: &str,
        messages: &[&str],
        time: Option<Duration>,
    ) -> Result<Vec<String>, Status> {
        let messages: Vec<Vec<u8>> = messages.iter().map(|message| message.as_bytes().to_vec()).collect();
        let mut request = Request::new(iter(messages));
        if let Some(time) = time {
            request.set_timeout(time);
        }
        let path = format!("/test.Echo/{method}").parse().unwrap();
        self.runtime.block_on(async {
            self.client.ready().await.unwrap();
            let mut answers = self.client.streaming(request, path, Raw).await?.into_inner();
            let mut all = Vec::new();
            while let Some(answer) = answers.message().await? {
                all.push(String::from_utf8(answer).unwrap());
            }
            Ok(all)
        })
    }
}

type Answers = Result<Streaming<Vec<u8>>, Status>;

/// A call that is under way.
struct Call {
    sender: mpsc::Sender<Vec<u8>>,
    answers: Streaming<Vec<u8>>,
}

impl Call {
    /// Begins one, whose messages are sent one by one, and waits for its head.
    async fn open(client: &Grpc<Channel>, request: Request<()>, method: &str) -> Result<Call, Status> {
        let (sender, answers) = Call::begin(client, request, method);
        Ok(Call { sender, answers: answers.await? })
    }

    /// The same, and waits for nothing.
    fn begin(
        client: &Grpc<Channel>,
        request: Request<()>,
        method: &str,
    ) -> (mpsc::Sender<Vec<u8>>, impl Future<Output = Answers> + use<>) {
        let (mut client, (sender, receiver)) = (client.clone(), mpsc::channel::<Vec<u8>>(1));
        let messages =
            unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) }).boxed();
        let path = format!("/test.Echo/{method}").parse().unwrap();
        let answers = async move {
            client.ready().await.unwrap();
            Ok(client.streaming(request.map(|()| messages), path, Raw).await?.into_inner())
        };
        (sender, answers)
    }

    async fn say(&self, message: &str) {
        self.sender.send(message.into()).await.unwrap();
    }

    async fn hear(&mut self) -> Result<String, Status> {
        let message = self.answers.message().await?.expect("a message");
        Ok(String::from_utf8(message).unwrap())
    }
}

#[test]
fn all_four_kinds_of_calls_pass_with_their_status() {
    let upstream = GrpcUpstream::start(100, None);
    let sluice = sluice(|_| {}, UpstreamProtocol::Grpc, &[upstream.address]);
    let mut caller = Caller::new(&sluice);
    assert_eq!(caller.call("One", &["hello"]).unwrap(), ["hello"]);
    assert_eq!(caller.call("Down", &["hello"]).unwrap(), ["hello"; 3]);
    assert_eq!(caller.call("Up", &["hello", "world", "!"]).unwrap(), ["11"]);
    assert_eq!(caller.call("Both", &["a", "b", "c"]).unwrap(), ["a", "b", "c"]);
    let failed = caller.call("Fail", &["hello"]).unwrap_err();
    assert_eq!((failed.code(), failed.message()), (Code::FailedPrecondition, "not today"));
    let failed = caller.call("After", &["hello"]).unwrap_err();
    assert_eq!((failed.code(), failed.message()), (Code::DataLoss, "half of it"));
    assert_eq!(upstream.connections(), 1);
}

#[test]
fn in_a_call_of_both_directions_each_message_passes_at_once_however_long_a_client_is_silent() {
    let upstream = GrpcUpstream::start(100, None);
    let impatient = |config: &mut Config| config.downstream.body_timeout = Duration::from_millis(100);
    let sluice = sluice(impatient, UpstreamProtocol::Grpc, &[upstream.address]);
    let caller = Caller::new(&sluice);
    caller.runtime.block_on(async {
        let mut call = Call::open(&caller.client, Request::new(()), "Both").await.unwrap();
        for message in ["one", "two", "three"] {
            call.say(message).await;
            assert_eq!(call.hear().await.unwrap(), message);
            // Longer than a body may be silent of which the endpoint has said nothing yet.
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        drop(call.sender);
        assert_eq!(call.answers.message().await.unwrap(), None);
    });
}

#[test]
fn a_deadline_ends_the_call_here_and_there() {
    let upstream = GrpcUpstream::start(100, None);
    let sluice = sluice(|_| {}, UpstreamProtocol::Grpc, &[upstream.address]);
    let mut caller = Caller::new(&sluice);
    let failed = caller.call_within("Never", &["hello"], Some(Duration::from_millis(200))).unwrap_err();
    assert!(matches!(failed.code(), Code::Cancelled | Code::DeadlineExceeded), "{failed:?}");
    eventually("the request has ended", || sluice.count("sluicegate_requests_in_flight") == 0);
    assert_eq!(caller.call("One", &["hello"]).unwrap(), ["hello"]);
}

#[test]
fn what_we_refuse_a_client_of_grpc_reads_as_a_status_of_its_own() {
    let sluice = sluice(|_| {}, UpstreamProtocol::Grpc, &[Upstream::refusing()]);
    let mut caller = Caller::new(&sluice);
    let failed = caller.call("One", &["hello"]).unwrap_err();
    assert_eq!((failed.code(), failed.message()), (Code::Unavailable, "502 Bad Gateway (connect)"));
    sluice.publish_table(model::RouteTableBuilder::default().build(9));
    let failed = caller.call("One", &["hello"]).unwrap_err();
    assert_eq!((failed.code(), failed.message()), (Code::Unimplemented, "404 Not Found (no-route)"));
}

#[test]
fn an_endpoint_that_is_gone_ends_no_call_that_has_begun_and_gets_no_other() {
    let (first, second) = (GrpcUpstream::start(100, None), GrpcUpstream::start(100, None));
    let sluice = sluice(|_| {}, UpstreamProtocol::Grpc, &[first.address]);
    let mut caller = Caller::new(&sluice);
    let mut call = caller.runtime.block_on(Call::open(&caller.client, Request::new(()), "Both")).unwrap();
    sluice.publish_speaking(UpstreamProtocol::Grpc, &[second.address]);
    assert_eq!(caller.call("One", &["x"]).unwrap(), ["x"]);
    caller.runtime.block_on(async {
        call.say("still here").await;
        assert_eq!(call.hear().await.unwrap(), "still here");
    });
    assert_eq!((first.connections(), second.connections()), (1, 1));
}

#[test]
fn endpoints_with_tls_of_their_own_are_spoken_to_in_it() {
    let authority = Authority::new();
    let (chain, key) = authority.certify(&["any.test"]);
    let server = |protocol: &[u8]| Arc::new(authority.server(&chain, &key, protocol));
    let upstream = GrpcUpstream::start(100, Some(server(b"h2")));
    let sluice = sluice(|_| {}, UpstreamProtocol::Grpcs, &[upstream.address]);
    let mut caller = Caller::new(&sluice);
    assert_eq!(caller.call("Both", &["a", "b"]).unwrap(), ["a", "b"]);
    // The same endpoint does not speak HTTP/1, which shows in the handshake already.
    sluice.publish_speaking(UpstreamProtocol::Https, &[upstream.address]);
    assert_eq!(Client::connect(sluice.address).get("/").status(), 502);
}

#[test]
fn an_endpoint_that_speaks_no_tls_is_not_sent_a_request() {
    // As servers of HTTP do that are spoken to in TLS.
    let upstream = Upstream::scripted(|peer| {
        let _ = peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    for protocol in [UpstreamProtocol::Https, UpstreamProtocol::Grpcs] {
        let sluice = sluice(|_| {}, protocol, &[upstream.address]);
        assert_eq!(Client::connect(sluice.address).get("/").status(), 502, "{protocol:?}");
    }
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn requests_of_http1_reach_an_endpoint_of_http2_and_come_back() {
    let upstream = GrpcUpstream::start(100, None);
    let sluice = sluice(|_| {}, UpstreamProtocol::Grpc, &[upstream.address]);
    let mut client = Client::connect(sluice.address);
    // One message of five bytes, as gRPC frames it.
    client.send("POST /test.Echo/One HTTP/1.1\r\nHost: host.test\r\nContent-Type: application/grpc\r\nContent-Length: 10\r\n\r\n\0\0\0\0\x05hello");
    let answer = client.response();
    assert_eq!((answer.status(), answer.text().as_str()), (200, "\0\0\0\0\x05hello"));
    assert_eq!(answer.field("x-host").as_deref(), Some(HOST));
    let mut client = Http2::connect(sluice.address);
    let request = client.request("POST", HOST, "/test.Echo/One").header("content-type", "application/grpc");
    let answer = client.send(request.body(Full::new(Bytes::from_static(b"\0\0\0\0\x01x"))).unwrap()).unwrap();
    assert_eq!(answer.trailers.unwrap()["grpc-status"], "0");
}
