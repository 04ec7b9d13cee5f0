//! How fast answers are sent.

use std::fmt;
use std::num::NonZeroU32;

/// How fast each answer is sent to its client, however fast that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Throttle {
    /// Bytes of its body in a second.
    pub bytes_per_second: NonZeroU32,
    /// Bytes that come before that.
    pub after: u64,
}

impl Throttle {
    /// Bytes that may have been sent in this second of a request, which is counted from 0.
    pub fn allowed(&self, second: u64) -> u64 {
        let rate = u64::from(self.bytes_per_second.get());
        rate.saturating_mul(second.saturating_add(1)).saturating_add(self.after)
    }
}

impl fmt::Display for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes a second after the first {}", self.bytes_per_second, self.after)
    }
}
