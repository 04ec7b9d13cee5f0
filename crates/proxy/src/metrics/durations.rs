//! How long requests took, as a histogram.

use std::fmt::Write as _;
use std::time::Duration;

use super::Cell;

/// Upper bounds of the buckets, in seconds.
const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// The cells of a histogram, written by one worker.
#[derive(Debug, Default)]
pub(super) struct Durations {
    buckets: [Cell; BUCKETS.len() + 1],
    micros: Cell,
}

impl Durations {
    pub(super) fn add(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BUCKETS.iter().position(|bound| seconds <= *bound).unwrap_or(BUCKETS.len());
        self.buckets[bucket].add(1);
        self.micros.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }
}

/// The sum of several.
#[derive(Debug, Default)]
pub(super) struct Sum {
    buckets: [u64; BUCKETS.len() + 1],
    micros: u64,
}

impl Sum {
    pub(super) fn add(&mut self, one: &Durations) {
        self.buckets.iter_mut().zip(&one.buckets).for_each(|(sum, cell)| *sum = sum.wrapping_add(cell.get()));
        self.micros = self.micros.wrapping_add(one.micros.get());
    }

    /// The samples of one series, in Prometheus' text format. Each bucket has what those before it have, too.
    pub(super) fn write(&self, out: &mut String, name: &str, labels: &str) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut total = 0;
        let bounds = BUCKETS.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
        for (bound, count) in bounds.zip(self.buckets) {
            total += count;
            let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {total}");
        }
        let seconds = Duration::from_micros(self.micros).as_secs_f64();
        let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = writeln!(out, "{name}_sum{braces} {seconds}\n{name}_count{braces} {total}");
    }
}
