//! Durations as they are reported.

use std::time::Duration;

/// Median, 99th percentile and maximum, in milliseconds.
pub(crate) fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
    format!("p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms (n = {})", at(50), at(99), at(100), times.len())
}
