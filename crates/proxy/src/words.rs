//! What other servers have said of requests, kept for a while on one worker, where a route asks for that (nginx' `proxy_cache`
//! of a subrequest).
//!
//! A word is found by a print of the route and of the text that the route makes of a request: neither that text, which often has
//! a password in it, nor anything that it could be found from is kept. As with nginx, what sets a cookie or says that it is for
//! one alone is not kept, and how long an answer wants to be kept goes before what the route says.
//!
//! Owns: the words. Never: asking for one.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use foldhash::fast::RandomState;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use model::{ExternalAuth, WordCache};

use crate::timer::{TICK, Timers};

/// Most words that are kept: with those of the greatest length 16 MiB.
const WORDS_MAX: usize = 4096;
/// Longest head of an answer that is kept, in bytes of names and values.
const HEAD_BYTES_MAX: usize = 4096;
/// Longest that any is kept, in ticks: the most that a route may ask for.
const TICKS_MAX: u128 = Duration::from_secs(24 * 60 * 60).as_millis() / TICK.as_millis();

/// Tells requests apart that may get different words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Print([u8; 32]);

/// The words that one worker keeps.
#[derive(Default)]
pub(crate) struct Words(RefCell<HashMap<Print, Kept, RandomState>>);

struct Kept {
    status: StatusCode,
    head: HeaderMap,
    /// The fields of what was asked that the answer depends on, as they were.
    varies: Vec<(HeaderName, Option<HeaderValue>)>,
    /// The tick from which it does not count any more.
    until: u32,
}

impl Print {
    /// That of these texts, and of what is asked where.
    pub(crate) fn new(external: &ExternalAuth, texts: &[&[u8]]) -> Print {
        let mut context = Context::new(&SHA256);
        let asked = external.to_string();
        for text in texts.iter().copied().chain([asked.as_bytes()]) {
            // The length keeps them apart.
            context.update(&text.len().to_le_bytes());
            context.update(text);
        }
        let mut print = [0; 32];
        print.copy_from_slice(context.finish().as_ref());
        Print(print)
    }
}

impl Words {
    /// The word that is kept for this print and a question with this head.
    pub(crate) fn look(
        &self,
        print: &Print,
        asked: &HeaderMap,
        timers: &Timers,
    ) -> Option<(StatusCode, HeaderMap)> {
        let words = self.0.borrow();
        let kept = words.get(print).filter(|kept| kept.until > timers.now())?;
        let is_for = kept.varies.iter().all(|(name, value)| asked.get(name) == value.as_ref());
        is_for.then(|| (kept.status, kept.head.clone()))
    }

    /// Keeps an answer, if it may be kept.
    pub(crate) fn keep(
        &self,
        cache: &WordCache,
        print: Print,
        asked: &HeaderMap,
        (status, head): (StatusCode, &HeaderMap),
        timers: &Timers,
    ) {
        let Some(time) = time_of(cache, status, head) else { return };
        let Some(varies) = varies(asked, head) else { return };
        let bytes = head.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
        if bytes > HEAD_BYTES_MAX {
            return;
        }
        let ticks = (time.as_millis() / TICK.as_millis()).min(TICKS_MAX);
        let until = timers.now().saturating_add(u32::try_from(ticks).unwrap_or(0));
        let mut words = self.0.borrow_mut();
        if words.len() >= WORDS_MAX && !words.contains_key(&print) {
            let now = timers.now();
            words.retain(|_, kept| kept.until > now);
            if words.len() >= WORDS_MAX
                && let Some(other) = words.keys().next().copied()
            {
                words.remove(&other);
            }
        }
        words.insert(print, Kept { status, head: head.clone(), varies, until });
    }
}

/// How long an answer is kept: as it says itself, else as the route says.
fn time_of(cache: &WordCache, status: StatusCode, head: &HeaderMap) -> Option<Duration> {
    let number = |text: &str| text.trim().parse().ok().map(Duration::from_secs);
    let text = |name: &str| head.get(name).and_then(|value| value.to_str().ok());
    if head.contains_key(header::SET_COOKIE) {
        return None;
    }
    let said = match (text("x-accel-expires"), text("cache-control"), head.contains_key(header::EXPIRES)) {
        (Some(time), ..) => Some(number(time)?),
        (None, Some(control), _) => {
            let mut directives = control.split(',').map(str::trim);
            let forbids = |one: &str| {
                ["no-cache", "no-store", "private"].iter().any(|word| one.eq_ignore_ascii_case(word))
            };
            if directives.clone().any(forbids) {
                return None;
            }
            let age =
                directives.find_map(|one| one.strip_prefix("s-maxage=").or(one.strip_prefix("max-age=")));
            age.map(|age| number(age).unwrap_or_default())
        }
        // When that is is not looked for: what is not kept is asked for again.
        (None, None, true) => return None,
        (None, None, false) => None,
    };
    said.or_else(|| cache.time_of(status.as_u16())).filter(|time| !time.is_zero())
}

/// What the answer depends on; none if it depends on what cannot be told.
fn varies(asked: &HeaderMap, head: &HeaderMap) -> Option<Vec<(HeaderName, Option<HeaderValue>)>> {
    let mut varies = Vec::new();
    for field in head.get_all(header::VARY) {
        for name in field.to_str().ok()?.split(',').map(str::trim) {
            let name = HeaderName::from_bytes(name.as_bytes()).ok().filter(|name| name.as_str() != "*")?;
            let value = asked.get(&name).cloned();
            varies.push((name, value));
        }
    }
    Some(varies)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use model::CacheTime;

    use super::*;

    fn head(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn cache() -> WordCache {
        WordCache { key: model::Template::default(), times: CacheTime::usual().into() }
    }

    fn print(at: u16) -> Print {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&at.to_le_bytes());
        Print(bytes)
    }

    #[test]
    fn an_answer_is_kept_as_long_as_it_wants_itself_and_else_as_its_route_says() {
        let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
        for (status, fields, time) in [
            (200, &[][..], minutes(5)),
            (403, &[], None),
            (200, &[("set-cookie", "a=b")], None),
            (200, &[("cache-control", "private, max-age=60")], None),
            (200, &[("cache-control", "public, max-age=60")], minutes(1)),
            (403, &[("cache-control", "max-age=60")], minutes(1)),
            (200, &[("cache-control", "max-age=0")], None),
            (200, &[("x-accel-expires", "120"), ("cache-control", "no-store")], minutes(2)),
            (200, &[("x-accel-expires", "0")], None),
            (200, &[("expires", "Thu, 01 Jan 2099 00:00:00 GMT")], None),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(time_of(&cache(), status, &head(fields)), time, "{status} {fields:?}");
        }
    }

    #[test]
    fn what_is_kept_has_an_end_and_is_for_those_alone_that_ask_the_same() {
        let (words, timers): (Words, Rc<Timers>) = (Words::default(), Timers::new());
        let (asked, other) = (head(&[("accept", "a")]), head(&[("accept", "b")]));
        let answer = head(&[("vary", "Accept"), ("x-user", "ada")]);
        words.keep(&cache(), print(0), &asked, (StatusCode::OK, &answer), &timers);
        let found = words.look(&print(0), &asked, &timers).expect("kept");
        assert_eq!(found.1["x-user"], "ada");
        assert!(words.look(&print(0), &other, &timers).is_none());
        assert!(words.look(&print(1), &asked, &timers).is_none());
        for at in 0..u16::try_from(WORDS_MAX).expect("few") + 100 {
            words.keep(&cache(), print(at), &asked, (StatusCode::OK, &answer), &timers);
        }
        assert_eq!(words.0.borrow().len(), WORDS_MAX);
        words.keep(&cache(), print(9999), &asked, (StatusCode::OK, &head(&[("vary", "*")])), &timers);
        assert!(words.look(&print(9999), &asked, &timers).is_none());
    }
}
