//! Whole numbers with a unit, as people write them: in flags and in annotations alike.

use std::time::Duration;

/// The units of a time, each in milliseconds, the largest first.
pub const TIMES: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// A number and one of these units, without anything between: as many of the smallest unit. None if it does not fit.
pub fn number_with_unit(raw: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = raw.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = raw.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// A time, as `300ms`, `75s`, `5m` or `1h`; it may be none.
pub fn time_with_unit(raw: &str) -> Option<Duration> {
    number_with_unit(raw, &TIMES).map(Duration::from_millis)
}
