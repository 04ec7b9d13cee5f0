//! What system tests are made of: a running data plane in this process, and with it all of [`test_support`].
//!
//! Start at [`Sluice::start`].

pub mod sluice;

pub use sluice::Sluice;
pub use test_support::*;
