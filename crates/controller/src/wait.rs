//! How long to wait: until an instant, and before the next try.

use std::time::Duration;

use tokio::time::Instant;

/// Waits for an instant, or for ever.
pub(crate) async fn until(at: Option<impl Into<Instant>>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// The time doubled so many times, but no more than this.
pub(crate) fn doubled(first: Duration, times: u32, max: Duration) -> Duration {
    first.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX)).min(max)
}

/// Between half the time and all of it, so that replicas do not act in step.
pub(crate) fn jittered(time: Duration) -> Duration {
    time.mul_f64(0.5 + fastrand::f64() / 2.0)
}
