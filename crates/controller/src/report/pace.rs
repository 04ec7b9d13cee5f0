//! How soon something is tried again.

use std::time::Duration;

use tokio::time::Instant;

/// The first pause after a failure of the whole API server.
const PAUSE_MIN: Duration = Duration::from_millis(500);

/// The longest one: who is away for an hour is found again within seconds.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How long to leave the API server alone after so many failures in a row.
pub(super) fn pause(failures: u32) -> Duration {
    jittered(doubled(PAUSE_MIN, failures, PAUSE_MAX))
}

/// The time doubled so many times, but no more than this.
pub(super) fn doubled(first: Duration, times: u32, max: Duration) -> Duration {
    first.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX)).min(max)
}

/// Between half the time and all of it, so that replicas do not act in step.
pub(super) fn jittered(time: Duration) -> Duration {
    time.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// Waits for an instant, or for ever.
pub(super) async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
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
