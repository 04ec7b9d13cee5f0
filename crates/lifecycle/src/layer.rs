//! A tower [`Layer`](tower::Layer) that lets any HTTP service leave without costing a client a request.
//!
//! ```text
//! SIGTERM                          delay is over                     nothing is in flight
//!    │ still accepts what comes        │ what is in flight may go on     │ or longest is over
//!    ├────────────────────────────────►├────────────────────────────────►├──► the server stops accepting
//!    │ every answer on HTTP/1 says `Connection: close`
//! ```
//!
//! When Kubernetes ends a pod, it signals the process and tells proxies and load balancers at the same time; those hear
//! of it later, and until then they send requests. A server that stops accepting at the signal refuses them, and one
//! that closes its idle connections at the signal loses the requests that are on their way. So neither is done: for a
//! `delay` the service goes on as before, except that each answer asks its client to leave.
//!
//! ```no_run
//! use std::convert::Infallible;
//!
//! use http::{Request, Response};
//! use lifecycle::layer::{self, ExitConfig};
//! use tower::{Layer, service_fn};
//!
//! # async fn example() -> std::io::Result<()> {
//! let (mut exit, layer) = layer::exit(ExitConfig::default());
//! exit.on_signals()?;
//! let service = layer.layer(service_fn(async |_: Request<hyper::body::Incoming>| {
//!     Ok::<_, Infallible>(Response::new(String::from("hello\n")))
//! }));
//! // Give `service` to the server, and let it accept until:
//! let outcome = exit.finished().await;
//! # drop((service, outcome));
//! # Ok(())
//! # }
//! ```
//!
//! `examples/graceful_service.rs` is a whole program. What the layer cannot do is the server's part, and is done there:
//!
//! - Do not begin with the server's own graceful shutdown. hyper's, and so axum's, closes idle connections at once, even
//!   one with half a request in its buffer. Its time comes after [`Exit::finished`]: then it makes sure that the last
//!   bytes of the last answers are out.
//! - HTTP/2 has no `Connection` header: a client leaves when its server sends GOAWAY. hyper's graceful shutdown of an
//!   HTTP/2 connection does that and loses nothing; call it as soon as [`Exit::watch`] says
//!   [`LameDuck`](crate::Phase::LameDuck), spread over some seconds.
//! - What goes on after its answer, such as a WebSocket, is in flight only as long as the service
//!   [holds](ExitLayer::hold) it.
//!
//! Never: accepts, closes or counts connections. Start at [`exit`].

mod body;
mod close;
mod exit;
mod in_flight;
mod service;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use body::ExitBody;
pub use exit::{Exit, Outcome};
pub use in_flight::Held;
pub use service::{Answering, ExitLayer, ExitService};

use crate::drain::drain;
use in_flight::InFlight;

/// Endpoint controller, kube-proxy and ingress controllers take a second or two to stop sending; and see [`LONGEST`].
const DELAY: Duration = Duration::from_secs(5);
/// With [`DELAY`] it leaves 5 s of the 30 s after which Kubernetes by default kills a pod.
const LONGEST: Duration = Duration::from_secs(20);

/// How long leaving may take. Kubernetes' `terminationGracePeriodSeconds` must be some seconds more than the sum.
#[derive(Clone, Copy, Debug)]
pub struct ExitConfig {
    /// From the signal, how long the service goes on accepting: until no client sends to it any more. Clients that keep
    /// idle connections and do not retry are safe if it is longer than they keep one.
    pub delay: Duration,
    /// From the end of the delay, how long what is in flight may take.
    pub longest: Duration,
}

impl Default for ExitConfig {
    /// 5 s and 20 s: what fits into a pod that sets nothing.
    fn default() -> ExitConfig {
        ExitConfig { delay: DELAY, longest: LONGEST }
    }
}

/// The two ends of a graceful exit: the one that the program waits for, and the one that its service wears.
pub fn exit(config: ExitConfig) -> (Exit, ExitLayer) {
    let (trigger, watch) = drain();
    let in_flight = InFlight::new(watch);
    (Exit::new(config, trigger, in_flight.clone()), ExitLayer::new(in_flight))
}
