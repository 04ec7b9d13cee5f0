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
pub mod manifests;
pub mod message;
pub mod mute;
pub mod process;
pub mod refusing;
pub mod secure;
pub mod secure_upstream;
pub mod upstream;
pub mod wait;
pub mod websocket;

pub use client::{Client, End};
pub use frames::Frames;
pub use gate::Gate;
pub use grpc::{GrpcUpstream, Raw};
pub use http2::Http2;
pub use leaving::{Ending, LeavingUpstream};
pub use manifests::Folder;
pub use message::Message;
pub use process::Process;
pub use refusing::{How, RefusingUpstream};
pub use secure::{Authority, Secure};
pub use secure_upstream::SecureUpstream;
pub use upstream::{Deaf, Peer, Upstream};
pub use wait::{PATIENCE, eventually};
pub use websocket::{WebSocketUpstream, over_http1, over_http2};
