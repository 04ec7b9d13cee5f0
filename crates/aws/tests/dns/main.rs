//! Records in Route 53, against a strict model of it in one process. That AWS' own protocol is spoken is for the tests of whole processes.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod model;

mod adoption;
mod batches;
mod converges;
mod hosts;
mod keeper;
mod quiet;
