//! Durations, counted in buckets that are at most a sixteenth wide.

use std::time::Duration;

/// Buckets for each doubling.
const STEPS: u64 = 16;
/// Microseconds up to 2^36 (19 hours): sixteen single ones, then sixteen buckets for each doubling from 16 on.
const BUCKETS: usize = 16 + 32 * 16;

/// How many durations fell into which bucket.
pub(super) struct Histogram {
    buckets: [u64; BUCKETS],
    count: u64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { buckets: [0; BUCKETS], count: 0 }
    }
}

impl Histogram {
    pub(super) fn record(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.buckets[bucket(micros)] += 1;
        self.count += 1;
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The duration that this share of all stays below, at most a sixteenth too high; zero if there are none.
    pub(super) fn quantile(&self, share: f64) -> Duration {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            clippy::cast_possible_truncation,
            reason = "counts stay below 2^52, and a share of one is positive and no larger"
        )]
        let wanted = (self.count as f64 * share).ceil() as u64;
        let mut seen = 0;
        let reached = self.buckets.iter().position(|bucket| {
            seen += bucket;
            wanted > 0 && seen >= wanted
        });
        reached.map_or(Duration::ZERO, |at| Duration::from_micros(end(at)))
    }
}

fn bucket(micros: u64) -> usize {
    let doublings = u64::from(micros.max(STEPS).ilog2() - STEPS.ilog2());
    let place = doublings * STEPS + (micros >> doublings);
    usize::try_from(place).unwrap_or(usize::MAX).min(BUCKETS - 1)
}

/// The largest value of a bucket.
fn end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let doublings = (bucket / STEPS).saturating_sub(1);
    ((bucket - doublings * STEPS + 1) << doublings) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_at_most_a_sixteenth_too_high() {
        for micros in [0_u64, 1, 15, 16, 17, 31, 32, 33, 1000, 123_456, 10_000_000] {
            let mut histogram = Histogram::default();
            histogram.record(Duration::from_micros(micros));
            let shown = u64::try_from(histogram.quantile(0.99).as_micros()).expect("a small number");
            assert!((micros..=micros + micros / 16).contains(&shown), "{micros} is shown as {shown}");
        }
    }

    #[test]
    fn the_99th_of_a_hundred_is_the_quantile() {
        let mut histogram = Histogram::default();
        (1..=10).for_each(|micros| (0..10).for_each(|_| histogram.record(Duration::from_micros(micros))));
        assert_eq!(histogram.quantile(0.5), Duration::from_micros(5));
        assert_eq!(histogram.quantile(0.99), Duration::from_micros(10));
        assert_eq!(Histogram::default().quantile(0.99), Duration::ZERO);
    }
}
