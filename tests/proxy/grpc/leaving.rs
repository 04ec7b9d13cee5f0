//! Endpoints that give each connection only so many calls, as those do that have a MAX_CONNECTION_AGE.

use std::sync::Arc;

use futures_util::stream::iter;
use model::Protocol;
use system_tests::{Authority, Ending, LeavingUpstream, Raw};
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::{Caller, sluice};

/// One call with one message, which comes back.
async fn call(mut client: Grpc<Channel>) -> Result<(), Status> {
    client.ready().await.unwrap();
    let path = "/test.Echo/One".parse().unwrap();
    let mut answers =
        client.streaming(Request::new(iter([b"hello".to_vec()])), path, Raw).await?.into_inner();
    assert_eq!(answers.message().await?.unwrap(), b"hello");
    assert_eq!(answers.message().await?, None);
    Ok(())
}

#[test]
fn calls_go_on_while_every_endpoint_ends_each_connection_after_a_few_of_them() {
    const CALLERS: usize = 8;
    const CALLS: usize = 50;
    let authority = Authority::new();
    let (chain, key) = authority.certify(&["any.test"]);
    let tls = Arc::new(authority.server(&chain, &key, b"h2"));
    for ending in [Ending::GoodbyeTwice, Ending::Goodbye, Ending::Refuse] {
        for (protocol, tls) in [(Protocol::Grpc, None), (Protocol::Grpcs, Some(tls.clone()))] {
            let upstreams = [0; 3].map(|_| LeavingUpstream::start(20, ending, tls.clone()));
            let sluice = sluice(|_| {}, protocol, &upstreams.each_ref().map(|upstream| upstream.address));
            let caller = Caller::new(&sluice);
            let callers = (0..CALLERS).map(|_| {
                let client = caller.client.clone();
                caller.runtime.spawn(async move {
                    for _ in 0..CALLS {
                        call(client.clone()).await?;
                    }
                    Ok::<_, Status>(())
                })
            });
            for ended in callers.collect::<Vec<_>>() {
                caller.runtime.block_on(ended).unwrap().unwrap();
            }
            let answered: usize = upstreams.iter().map(LeavingUpstream::answered).sum();
            assert_eq!(answered, CALLERS * CALLS, "{ending:?} {protocol:?}");
        }
    }
}
