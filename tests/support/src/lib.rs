//! What tests and benches of all crates are made of: raw clients, upstreams that do exactly as they are told, frames,
//! processes, manifests and waits.
//!
//! Everything speaks bytes over real sockets on loopback, with blocking calls and a deadline on each: a test that hangs
//! fails and says where. Never: any crate of the product, so that each of them may use this one for its own tests; the
//! data plane in one process is `system-tests`'. Start at [`Client`] and [`Upstream`].

pub mod client;
pub mod frames;
pub mod gate;
pub mod grpc;
pub mod http2;
pub mod leaving;
pub mod message;
pub mod mute;
pub mod refusing;
pub mod secure;
pub mod secure_upstream;
pub mod upstream;
pub mod websocket;

use std::time::{Duration, Instant};

pub use client::{Client, End};
pub use frames::Frames;
pub use gate::Gate;
pub use grpc::{GrpcUpstream, Raw};
pub use http2::Http2;
pub use leaving::{Ending, LeavingUpstream};
pub use message::Message;
pub use refusing::{How, RefusingUpstream};
pub use secure::{Authority, Secure};
pub use secure_upstream::SecureUpstream;
pub use upstream::{Deaf, Peer, Upstream};
pub use websocket::{WebSocketUpstream, over_http1, over_http2};

/// How long anything may take that must happen. Generous: it is only waited for when a test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until `condition` holds.
///
/// # Panics
/// If it does not within [`PATIENCE`].
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
