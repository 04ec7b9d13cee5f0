//! Clients that are to stay with an endpoint: what their cookie says, and what they are told of it.

use std::time::{Duration, SystemTime};

use http::header::{self, HeaderMap, HeaderValue};
use model::{Affinity, CookieAttributes, Facts, Keyed as KeyedBy, Route, SameSite, StickyValue, Target};

use super::RequestFacts;
use super::variables::Variables;
use crate::exchange::Exchange;
use crate::upstream::{Keyed, Stay};

/// What decides on the endpoint of a request for this backend of its route's target, where something of it does.
pub(super) fn keyed<B>(
    by: &KeyedBy,
    route: &Route,
    backend: u32,
    exchange: &Exchange,
    facts: &RequestFacts<'_, B>,
) -> Option<Box<Keyed>> {
    let affinity = match by {
        KeyedBy::Text(text) => {
            // One that is too long is for the endpoint of all such.
            let text = Variables { exchange, facts }.fill(text).unwrap_or_default();
            return Some(Box::new(Keyed::by_text(&text)));
        }
        KeyedBy::Cookie(affinity) => affinity,
    };
    if !keeps_clients(&route.target, backend) {
        return None;
    }
    let value = facts.cookie(&affinity.cookie);
    let value = value.as_deref().map(StickyValue::read);
    let agent = facts.header("user-agent").filter(|_| affinity.attributes.same_site_none_if_known);
    let stay = Stay {
        stickiness: affinity.stickiness,
        change_on_failure: affinity.change_on_failure,
        is_secure: exchange.scheme_as_told(facts.request.headers()).eq_ignore_ascii_case(b"https"),
        knows_same_site_none: agent.is_none_or(|agent| knows_same_site_none(&agent)),
        named: value.and_then(|value| value.endpoint()),
        issued: None,
    };
    Some(Box::new(Keyed::by_cookie(value, stay)))
}

/// Whether a browser takes `SameSite=None` for what it is: these take it for `Strict`, or drop the cookie
/// (<https://www.chromium.org/updates/same-site/incompatible-clients>).
fn knows_same_site_none(agent: &str) -> bool {
    let has = |part: &str| agent.contains(part);
    let is_old_chrome = has("Chrome/4") || has("Chrome/5") || has("Chrome/6");
    let is_old_ios = has("CPU iPhone OS 12") || has("iPad; CPU OS 12");
    let is_old_safari = has("Macintosh") && has("Intel Mac OS X 10_14") && has("Safari") && !has("Chrome");
    !(is_old_chrome || is_old_ios || is_old_safari)
}

/// Whether a backend of a route with affinity does so, too: of a split's others that is said by themselves.
fn keeps_clients(target: &Target, backend: u32) -> bool {
    match target {
        Target::Backend(_) | Target::Nothing => true,
        Target::Split(split) => {
            split.primary().is_none_or(|primary| primary.backend == backend || primary.others_stick)
        }
    }
}

/// Tells the client of its cookie, if it is to be another one than it came with.
pub(super) fn tell(exchange: &Exchange, keyed: Option<&Keyed>, head: &mut HeaderMap) {
    let Some(stay) = keyed.and_then(|keyed| keyed.stay.as_ref()) else { return };
    let Some(key) = stay.issued else { return };
    let (Some(pool), Some(route)) = (exchange.pool(), exchange.route()) else { return };
    let Some(KeyedBy::Cookie(affinity)) = route.policy.keyed.as_deref() else { return };
    let value = StickyValue::write(key, pool.cells.key.digest());
    let cookie = write(affinity, &value, route.path.as_str(), stay);
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        head.append(header::SET_COOKIE, cookie);
    }
}

/// The field, its attributes in the order in which ingress-nginx has them.
fn write(affinity: &Affinity, value: &str, path: &str, stay: &Stay) -> String {
    let CookieAttributes { path: own_path, domain, max_age, expires, secure, same_site, .. } =
        &affinity.attributes;
    let mut cookie = format!("{}={value}", affinity.cookie);
    let mut add = |name: &str, value: &str| cookie.extend(["; ", name, value]);
    if let Some(seconds) = expires {
        add("Expires=", &httpdate::fmt_http_date(after(*seconds)));
    }
    if let Some(seconds) = max_age {
        add("Max-Age=", &seconds.to_string());
    }
    if let Some(domain) = domain {
        add("Domain=", domain);
    }
    add("Path=", own_path.as_deref().unwrap_or_else(|| whole(path)));
    if *secure || stay.is_secure {
        add("Secure", "");
    }
    add("HttpOnly", "");
    if let Some(same_site) = same_site.filter(|one| *one != SameSite::None || stay.knows_same_site_none) {
        add("SameSite=", same_site.as_str());
    }
    cookie
}

/// So many seconds from now, or the beginning of time.
fn after(seconds: i64) -> SystemTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let then = i64::try_from(now.as_secs()).unwrap_or(i64::MAX).saturating_add(seconds);
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(then).unwrap_or_default())
}

/// As much of a rule's path as a cookie can be for: what would end the attribute, or is not a path but a pattern, is for all that
/// begins as it does.
fn whole(path: &str) -> &str {
    let is_odd = |b: u8| !b.is_ascii_graphic() || b";,()[]{}^$|*+?\\".contains(&b);
    match path.bytes().position(is_odd) {
        None => path,
        Some(end) => {
            path[..end].rsplit_once('/').map_or("/", |(whole, _)| if whole.is_empty() { "/" } else { whole })
        }
    }
}
