//! How soon something is tried again.

use std::time::Duration;

use tokio::time::Instant;

use crate::wait::{doubled, jittered};

/// The first pause after a failure of the whole API server.
const PAUSE_MIN: Duration = Duration::from_millis(500);

/// The longest one: an API server that was away for an hour is found again within seconds.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How long to leave the API server alone after so many failures in a row.
pub(super) fn pause(failures: u32) -> Duration {
    jittered(doubled(PAUSE_MIN, failures, PAUSE_MAX))
}

/// The earlier one of two instants that may not come.
pub(super) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_few_seconds_and_no_further() {
        assert!(pause(0) >= PAUSE_MIN / 2 && pause(0) <= PAUSE_MIN);
        for failures in [10, 31, 32, 1000, u32::MAX] {
            assert!(pause(failures) >= PAUSE_MAX / 2 && pause(failures) <= PAUSE_MAX, "{failures}");
        }
    }
}
