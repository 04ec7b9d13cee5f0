//! The data plane between raw clients and scripted upstreams.
//!
//! - `forwarding`: what reaches the upstream, and what comes back

mod forwarding;
