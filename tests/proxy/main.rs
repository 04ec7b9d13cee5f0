//! The data plane between raw clients and scripted upstreams.
//!
//! - `forwarding`: what reaches the upstream, and what comes back
//! - `strictness`: what is refused of what a client may send, row by row
//! - `limits`: what is too large, too slow or too many, towards clients and from upstreams
//! - `drain`: what a client sees of a drain, and when the workers end
//! - `idle`: what keeps a connection open, what ends it, and what its end may cost
//! - `upstreams`: endpoints and their pools; what is tried again, and where; broken answers

mod drain;
mod forwarding;
mod idle;
mod limits;
mod strictness;
mod upstreams;
