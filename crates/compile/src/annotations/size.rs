//! Readers of what is said of sizes, and of buffers. None of it guards anything: what cannot be read has no effect.

use super::{Annotation, no_effect, shown};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

/// Bytes of the head of an answer for which there is room in any case.
const ANSWER_HEAD_BYTES: u64 = 64 << 10;

/// How many bytes the body of a request may have; with 0 as many as the proxy takes.
pub(super) fn request_body(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let size = read(annotation)?;
    settings.size.request_body_max = Some(size).filter(|size| *size > 0);
    Ok(())
}

/// How many bytes the head of an answer may have. There is room for more than most ask for, and one that is smaller would only
/// make answers fail.
pub(super) fn answer_head(annotation: &Annotation<'_>, _: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let Annotation { name, value, .. } = annotation;
    if read(annotation)? <= ANSWER_HEAD_BYTES {
        return Ok(());
    }
    let message =
        format!("{name} is {}; heads of answers have room for {ANSWER_HEAD_BYTES} bytes", shown(value));
    let remedy =
        "nothing if they are not longer; else start the proxy with a larger --upstream-head-bytes-max";
    Err(Fault::warning(reasons::NO_EFFECT, message, remedy).into())
}

/// The size of a buffer that we do not have: bodies are handed on as they come, and none is written to a disk. What was to be
/// had by it holds, so there is nothing to tell.
pub(super) fn buffer(annotation: &Annotation<'_>, _: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    read(annotation).map(|_| ())
}

/// How many such buffers there are.
pub(super) fn buffers(annotation: &Annotation<'_>, _: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    match annotation.value.parse::<u32>() {
        Ok(_) => Ok(()),
        Err(_) => Err(no_effect(annotation, "write a whole number")),
    }
}

/// Whether bodies are held back until they are whole, which none is.
pub(super) fn buffering(annotation: &Annotation<'_>, _: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    match annotation.value.trim() {
        "on" | "off" => Ok(()),
        _ => Err(no_effect(annotation, "write \"on\" or \"off\"")),
    }
}

fn read(annotation: &Annotation<'_>) -> Result<u64, Vec<Fault>> {
    let size = parse(annotation.value);
    size.ok_or_else(|| no_effect(annotation, "write bytes, as 8388608, or with a unit 8192k, 8m or 1g"))
}

/// A size as nginx reads it (`ngx_parse_offset`): bytes, or with a unit of which each is 1024 of the one before.
pub(super) fn parse(value: &str) -> Option<u64> {
    let value = value.trim();
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at(digits);
    let shift = match unit {
        "" => 0,
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        _ => return None,
    };
    // nginx' sizes are signed.
    number.parse::<i64>().ok()?.checked_mul(1 << shift)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_by_nginx() {
        for (value, size) in [
            ("0", Some(0)),
            ("1000", Some(1000)),
            ("8k", Some(8 << 10)),
            ("8K", Some(8 << 10)),
            ("10m", Some(10 << 20)),
            (" 2G ", Some(2 << 30)),
            ("007", Some(7)),
            ("9223372036854775807", Some(i64::MAX as u64)),
            ("9223372036854775808", None),
            ("9007199254740992k", None),
            ("", None),
            ("m", None),
            ("-1", None),
            ("+1", None),
            ("1.5m", None),
            ("8 m", None),
            ("8mb", None),
            ("8b", None),
            ("8Mi", None),
            ("8t", None),
            ("\u{668}m", None),
        ] {
            assert_eq!(parse(value), size, "{value}");
        }
    }

    /// Whatever is read is what the digits say, and whatever else is there is refused.
    #[test]
    fn no_text_is_read_as_another_size_than_it_says() {
        let mut random = fastrand::Rng::with_seed(7);
        let alphabet = ["0", "1", "9", "k", "M", "g", "b", " ", "-", "+", ".", "e", "\u{664}", "\0"];
        for _ in 0..100_000 {
            let text: String =
                (0..random.usize(..7)).map(|_| alphabet[random.usize(..alphabet.len())]).collect();
            let Some(size) = parse(&text) else { continue };
            let lower = text.trim().to_ascii_lowercase();
            let number = lower.trim_end_matches(['k', 'm', 'g']);
            assert!(
                lower.len() - number.len() <= 1 && number.bytes().all(|b| b.is_ascii_digit()),
                "{text:?}"
            );
            let unit = match lower.as_bytes().last() {
                Some(b'k') => 1 << 10,
                Some(b'm') => 1 << 20,
                Some(b'g') => 1 << 30,
                _ => 1,
            };
            assert_eq!(u128::from(size), number.parse::<u128>().unwrap() * unit, "{text:?}");
        }
    }
}
