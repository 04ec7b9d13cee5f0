//! Readers of how long another server's words are kept.

use std::time::Duration;

use model::{CacheTime, Template};

use super::{Annotation, denied, shown};
use crate::annotations::{headers, time};
use crate::policy::RouteSettings;
use crate::problems::Fault;

/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 1024;
/// Most times.
const TIMES_MAX: usize = 16;

/// What of a request decides which word is for it.
pub(in crate::annotations) fn cache_key(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let key = annotation.value.trim();
    if key.is_empty() {
        return Ok(());
    }
    let remedy = "write variables of nginx, as $remote_addr$http_authorization, or remove it: then the server is asked \
                  about each request";
    if key.len() > KEY_BYTES_MAX {
        return Err(denied(annotation, &format!("has more than {KEY_BYTES_MAX} bytes"), remedy));
    }
    if !headers::is_value(key) {
        return Err(denied(annotation, &format!("cannot be {}", shown(key)), remedy));
    }
    let why = |error| denied(annotation, &format!("cannot be {}: {error}", shown(key)), remedy);
    settings.auth.external.cache_key = Some(Template::parse(key).map_err(why)?);
    Ok(())
}

/// How long which words are kept, as nginx' `proxy_cache_valid` has it.
pub(in crate::annotations) fn cache_duration(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let texts: Vec<&str> =
        annotation.value.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
    let remedy = "write statuses and a time, as 200 202 401 5m, with commas between several";
    if texts.len() > TIMES_MAX {
        return Err(denied(annotation, &format!("has more than {TIMES_MAX} entries"), remedy));
    }
    let read = |text: &&str| {
        cache_time(text).ok_or_else(|| denied(annotation, &format!("has {}", shown(text)), remedy))
    };
    let times = texts.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    settings.auth.external.cache_times = (!times.is_empty()).then(|| times.into());
    Ok(())
}

/// Statuses and a time. Without a status the time is for those that nginx means then; `any` is for all.
fn cache_time(text: &str) -> Option<CacheTime> {
    let mut words: Vec<&str> = text.split_ascii_whitespace().collect();
    let written = words.pop()?;
    let time = match written.strip_suffix('d') {
        Some(days) => time::parse(&format!("{days}h"))?.checked_mul(24)?,
        // A number alone is a status.
        None => time::parse(written).filter(|_| !written.ends_with(|c: char| c.is_ascii_digit()))?,
    };
    let status = |word: &&str| word.parse().ok().filter(|status| (100..600).contains(status));
    let statuses = match &*words {
        [] => vec![200, 301, 302],
        ["any"] => Vec::new(),
        words => words.iter().map(status).collect::<Option<_>>()?,
    };
    (time > Duration::ZERO).then_some(CacheTime { statuses, time: time.min(time::SILENCE_MAX) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_nginx_reads_them() {
        for (text, statuses, seconds) in [
            ("200 202 401 30m", vec![200, 202, 401], 1800),
            ("10s", vec![200, 301, 302], 10),
            ("any 1h", vec![], 3600),
            ("200 1d", vec![200], 86_400),
            ("200 7d", vec![200], 86_400),
        ] {
            let time = Duration::from_secs(seconds);
            assert_eq!(cache_time(text), Some(CacheTime { statuses, time }), "{text}");
        }
        for text in ["", "200", "200 300", "200 5m 401", "99 5m", "x 5m", "200 0s"] {
            assert_eq!(cache_time(text), None, "{text}");
        }
    }
}
