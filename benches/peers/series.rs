//! Runs of all proxies of a row, in turns: a machine's speed drifts by more than the differences looked for, so only what
//! was measured in the same turn is compared.

use anyhow::Result;

use crate::proxy::{Proxy, Running, Setup};
use crate::report::progress;

/// A proxy that fails may say much, and a table has lines.
const WHY_CHARS: usize = 300;

/// What was measured of each proxy, turn by turn, and why a proxy is missing.
pub(crate) struct Series<T> {
    pub(crate) measured: Vec<(Proxy, Vec<T>)>,
    pub(crate) failed: Vec<(Proxy, String)>,
}

impl<T: std::fmt::Display> Series<T> {
    fn of(proxies: &[Proxy]) -> Series<T> {
        Series { measured: proxies.iter().map(|proxy| (*proxy, Vec::new())).collect(), failed: Vec::new() }
    }

    /// Keeps what came of a turn; a proxy that has failed once is not measured again.
    fn keep(&mut self, row: &str, turn: usize, proxy: Proxy, outcome: Result<T>) {
        let Some(place) = self.measured.iter().position(|(of, _)| *of == proxy) else { return };
        match outcome {
            Ok(value) => {
                progress(row, proxy, turn, &value.to_string());
                self.measured[place].1.push(value);
            }
            Err(why) => {
                let words = format!("{why:#}").split_whitespace().collect::<Vec<_>>().join(" ");
                let why: String = words.chars().take(WHY_CHARS).collect();
                progress(row, proxy, turn, &format!("failed: {why}"));
                self.measured.remove(place);
                self.failed.push((proxy, why));
            }
        }
    }

    fn has_failed(&self, proxy: Proxy) -> bool {
        self.failed.iter().any(|(of, _)| *of == proxy)
    }

    /// All run side by side and take turns; none always goes first.
    pub(crate) fn side_by_side(
        row: &str,
        setup: &Setup,
        proxies: &[Proxy],
        turns: usize,
        mut measure: impl FnMut(&Running) -> Result<T>,
    ) -> Series<T> {
        let mut series = Series::of(proxies);
        let mut running = Vec::new();
        for proxy in proxies {
            match proxy.start(setup) {
                Ok(started) => running.push(started),
                Err(why) => series.keep(row, 0, *proxy, Err(why)),
            }
        }
        for turn in 0..turns {
            for place in 0..running.len() {
                let proxy = &running[(place + turn) % running.len()];
                if !series.has_failed(proxy.proxy) {
                    series.keep(row, turn, proxy.proxy, measure(proxy));
                }
            }
        }
        series
    }

    /// Each is started anew for each turn, and runs alone.
    pub(crate) fn one_by_one(
        row: &str,
        setup: &Setup,
        proxies: &[Proxy],
        turns: usize,
        mut measure: impl FnMut(&Running) -> Result<T>,
    ) -> Series<T> {
        let mut series = Series::of(proxies);
        for turn in 0..turns {
            for proxy in proxies {
                if !series.has_failed(*proxy) {
                    series.keep(row, turn, *proxy, proxy.start(setup).and_then(|running| measure(&running)));
                }
            }
        }
        series
    }
}
