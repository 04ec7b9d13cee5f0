//! Durations and sizes as people write them: `75s`, `500ms`, `64KiB`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use model::{TIMES, number_with_unit, time_with_unit};

/// A duration of at least a millisecond, as `75s`, `500ms`, `5m` or `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(raw: &str) -> Result<Span, String> {
        let time = time_with_unit(raw).filter(|time| !time.is_zero());
        Ok(Span(time.ok_or("write a whole number above 0 and a unit, as 500ms, 75s, 5m or 1h")?))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX), &TIMES)
    }
}

/// A duration that may be none: a [`Span`], or `0s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanOrNone(pub(crate) Duration);

impl fmt::Display for SpanOrNone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_zero() { f.write_str("0s") } else { Span(self.0).fmt(f) }
    }
}

impl FromStr for SpanOrNone {
    type Err = String;

    fn from_str(raw: &str) -> Result<SpanOrNone, String> {
        match raw {
            "0" | "0s" => Ok(SpanOrNone(Duration::ZERO)),
            _ => {
                raw.parse::<Span>().map(|span| SpanOrNone(span.0)).map_err(|error| format!("{error}, or 0s"))
            }
        }
    }
}

/// A number of bytes, at least one, as `64KiB`, `1MiB`, `1GiB` or `512B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// Each unit in bytes, the largest first.
const SIZES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Size {
    /// As a length in memory. The largest `u64` fits wherever this runs; elsewhere the limit is what memory holds.
    pub(crate) fn in_memory(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl From<usize> for Size {
    fn from(bytes: usize) -> Size {
        Size(bytes as u64)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(raw: &str) -> Result<Size, String> {
        let bytes = number_with_unit(raw, &SIZES).filter(|bytes| *bytes > 0);
        Ok(Size(bytes.ok_or("write a whole number above 0 and a unit, as 512B, 64KiB, 1MiB or 1GiB")?))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.0, &SIZES)
    }
}

/// In the largest unit that divides it.
fn show(f: &mut fmt::Formatter<'_>, value: u64, units: &[(&str, u64)]) -> fmt::Result {
    let divides = units.iter().find(|(_, factor)| value.is_multiple_of(*factor));
    divides.map_or(Ok(()), |(name, factor)| write!(f, "{}{name}", value / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_read_as_people_write_them() {
        for (raw, millis) in [("75s", 75_000), ("500ms", 500), ("5m", 300_000), ("1h", 3_600_000)] {
            assert_eq!(raw.parse(), Ok(Span(Duration::from_millis(millis))), "{raw}");
        }
        for (raw, bytes) in [("512B", 512), ("64KiB", 65_536), ("1MiB", 1 << 20), ("2GiB", 2 << 30)] {
            assert_eq!(raw.parse(), Ok(Size(bytes)), "{raw}");
        }
    }

    #[test]
    fn what_is_no_duration_or_size_is_refused_and_told_how_to_write_one() {
        for raw in [
            "",
            "75",
            "s",
            "0s",
            "-1s",
            "1.5s",
            "75 s",
            "75S",
            "1d",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            let error = raw.parse::<Span>().expect_err(raw);
            assert!(error.contains("75s"), "{error}");
        }
        for raw in ["64", "64kb", "64K", "0B", "KiB", "17179869184GiB"] {
            let error = raw.parse::<Size>().expect_err(raw);
            assert!(error.contains("64KiB"), "{error}");
        }
    }

    #[test]
    fn a_value_is_shown_as_it_would_be_written() {
        for raw in ["75s", "1500ms", "5m", "1h"] {
            assert_eq!(raw.parse::<Span>().expect(raw).to_string(), raw);
        }
        for raw in ["64KiB", "1025B", "1GiB"] {
            assert_eq!(raw.parse::<Size>().expect(raw).to_string(), raw);
        }
    }
}
