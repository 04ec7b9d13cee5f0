//! Durations, counted in buckets that are at most a sixteenth wide.

use std::time::Duration;

/// Buckets for each doubling.
const STEPS: u64 = 16;
/// Microseconds up to 2^36 (19 hours): sixteen single ones, then sixteen buckets for each doubling from 16 on.
const BUCKETS: usize = 16 + 32 * 16;

/// How many durations fell into which bucket.
#[derive(Clone)]
pub(crate) struct Histogram {
    buckets: [u64; BUCKETS],
    count: u64,
    longest: Duration,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { buckets: [0; BUCKETS], count: 0, longest: Duration::ZERO }
    }
}

impl Histogram {
    pub(crate) fn record(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.buckets[bucket(micros)] += 1;
        self.count += 1;
        self.longest = self.longest.max(took);
    }

    pub(crate) fn longest(&self) -> Duration {
        self.longest
    }

    /// The duration that this share of all, in per cent, stays below; at most a sixteenth too high.
    pub(crate) fn percentile(&self, share: u64) -> Duration {
        let wanted = (self.count * share).div_ceil(100);
        let mut seen = 0;
        let reached = self.buckets.iter().position(|bucket| {
            seen += bucket;
            wanted > 0 && seen >= wanted
        });
        reached.map_or(Duration::ZERO, |at| Duration::from_micros(end(at)).min(self.longest))
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
    fn every_value_lies_in_its_bucket_and_no_bucket_is_wider_than_a_sixteenth() {
        for micros in (0..40_000).chain([1 << 20, (1 << 30) + 7]) {
            let end = end(bucket(micros));
            assert!(end >= micros && end - micros <= micros / STEPS, "{micros} {end}");
        }
    }

    #[test]
    fn percentiles_count_from_below() {
        let mut all = Histogram::default();
        (1..=100).for_each(|millis| all.record(Duration::from_millis(millis)));
        let millis = |share| all.percentile(share).as_millis();
        assert!((50..=53).contains(&millis(50)) && (99..=100).contains(&millis(99)), "{}", millis(50));
        assert_eq!(all.longest(), Duration::from_millis(100));
    }
}
