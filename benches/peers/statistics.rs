//! Medians, spreads and ratios of series.

use std::fmt;

use crate::proxy::Proxy;
use crate::series::Series;

pub(crate) fn median<T>(runs: &[T], value: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// The smallest and the largest.
pub(crate) fn span<T>(runs: &[T], value: impl Fn(&T) -> f64) -> String {
    let (least, most) = ends(runs.iter().map(value));
    format!("{least:.1}–{most:.1}")
}

fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, 0.0), |(least, most), value| (f64::min(least, value), f64::max(most, value)))
}

/// One proxy's values over another's, turn by turn.
pub(crate) struct Ratio {
    pub(crate) median: f64,
    ends: (f64, f64),
}

impl Ratio {
    /// `None` without the other one.
    pub(crate) fn of<T>(
        series: &Series<T>,
        to: Proxy,
        runs: &[T],
        value: impl Fn(&T) -> f64,
    ) -> Option<Ratio> {
        let (_, base) = series.measured.iter().find(|(proxy, _)| *proxy == to)?;
        let ratios: Vec<f64> = runs.iter().zip(base).map(|(run, base)| value(run) / value(base)).collect();
        Some(Ratio { median: median(&ratios, |ratio| *ratio), ends: ends(ratios.iter().copied()) })
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ratio { median, ends: (least, most) } = self;
        write!(f, "{median:.2} ({least:.2}–{most:.2})")
    }
}

/// The ratio as a cell of a table, with its spread or without.
pub(crate) fn ratio<T>(
    series: &Series<T>,
    to: Proxy,
    runs: &[T],
    value: impl Fn(&T) -> f64,
    with_spread: bool,
) -> String {
    match Ratio::of(series, to, runs, value) {
        None => "–".into(),
        Some(ratio) if with_spread => ratio.to_string(),
        Some(ratio) => format!("{:.2}", ratio.median),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        assert_eq!((median(&[3.0, 1.0, 2.0], |v| *v), median(&[4.0, 1.0, 2.0, 3.0], |v| *v)), (2.0, 2.5));
    }

    #[test]
    fn ratios_are_of_what_was_measured_in_the_same_turn() {
        let measured = vec![(Proxy::Nginx, vec![2.0, 4.0, 3.0]), (Proxy::Haproxy, vec![3.0, 5.0, 3.6])];
        let series = Series { measured, failed: Vec::new() };
        let runs = &series.measured[1].1;
        assert_eq!(ratio(&series, Proxy::Nginx, runs, |v| *v, true), "1.25 (1.20–1.50)");
        assert_eq!(ratio(&series, Proxy::Floor, runs, |v| *v, true), "–");
    }
}
