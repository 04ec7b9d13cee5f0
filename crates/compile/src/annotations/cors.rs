//! Readers of what is said of pages of other origins. As with ingress-nginx a value that cannot be read is the default, which for
//! origins is all of them: pages of any origin may read what anybody may.

use std::sync::Arc;

use model::{OriginMatch, Origins};

use super::{Annotation, boolean, shown};
use crate::policy::{CorsSettings, RouteSettings};
use crate::problems::Fault;
use crate::reasons;

/// Most origins: a request's is compared with one after the other.
const ORIGINS_MAX: usize = 256;
/// Longest list, in bytes: those of methods and headers are sent with each answer.
const LIST_BYTES_MAX: usize = 4096;

/// Whether browsers are told anything.
pub(super) fn enable(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.cors.enabled = boolean(annotation)?;
    Ok(())
}

/// From where.
pub(super) fn origins(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let (value, mut faults) = (annotation.value, Vec::new());
    settings.cors.cors.origins = Origins::Any;
    let remedy =
        "write origins as https://example.com or https://*.example.com, without a path, with commas between";
    if value.trim().is_empty() || !may_be_origins(value) {
        return Err(fault(annotation, shown(value), "pages of all origins may read answers", remedy));
    }
    let mut origins = Vec::new();
    for origin in value.split(',').map(str::trim).filter(|origin| !origin.is_empty()) {
        if origin == "*" {
            return Ok(());
        } else if !is_origin(origin) {
            faults.extend(fault(annotation, shown(origin), "that origin is passed over", remedy));
        } else if origins.len() == ORIGINS_MAX {
            let effect = format!("origins beyond the first {ORIGINS_MAX} are passed over");
            faults.extend(fault(annotation, format!("as long as {}", shown(value)), &effect, "write fewer"));
            break;
        } else {
            origins.push(OriginMatch::parse(origin));
        }
    }
    settings.cors.cors.origins = Origins::Some(origins.into());
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// With which methods.
pub(super) fn methods(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let is_listed = |byte: u8| byte.is_ascii_alphabetic();
    settings.cors.cors.methods = list(annotation, |value| is_list(value, is_listed)).map_err(|fault| {
        settings.cors.cors.methods = CorsSettings::default().cors.methods;
        fault
    })?;
    Ok(())
}

/// With which fields.
pub(super) fn headers(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"-_, ".contains(&byte);
    settings.cors.cors.headers = list(annotation, |value| !value.is_empty() && value.bytes().all(is_one))
        .map_err(|fault| {
            settings.cors.cors.headers = CorsSettings::default().cors.headers;
            fault
        })?;
    Ok(())
}

/// Which fields of an answer pages may read.
pub(super) fn expose(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let is_listed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_*".contains(&byte);
    settings.cors.cors.expose = None;
    settings.cors.cors.expose = Some(list(annotation, |value| is_list(value, is_listed))?);
    Ok(())
}

/// Whether pages may send cookies and the like along.
pub(super) fn credentials(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.cors.cors.credentials = boolean(annotation)?;
    Ok(())
}

/// How many seconds a browser may remember the answer to a preflight.
pub(super) fn max_age(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.cors.cors.max_age = annotation.value.parse().map_err(|_| {
        let default = format!("it is {} s", CorsSettings::default().cors.max_age);
        fault(annotation, shown(annotation.value), &default, "write a number of seconds")
    })?;
    Ok(())
}

fn list(annotation: &Annotation<'_>, is_valid: impl Fn(&str) -> bool) -> Result<Arc<str>, Vec<Fault>> {
    let value = annotation.value.trim();
    if value.len() <= LIST_BYTES_MAX && is_valid(value) {
        return Ok(value.into());
    }
    let remedy = "write names with a comma and at most one space between them";
    Err(fault(annotation, shown(annotation.value), "the default holds", remedy))
}

fn fault(annotation: &Annotation<'_>, part: String, effect: &str, remedy: &str) -> Vec<Fault> {
    let message = format!("{} cannot be {part}; {effect}", annotation.name);
    Fault::error(reasons::INVALID_ANNOTATION, message, remedy).into()
}

/// Names with a comma, a space or both behind each.
fn is_list(value: &str, is_listed: impl Fn(u8) -> bool) -> bool {
    let mut before = b' ';
    value.bytes().all(|byte| {
        let is_one = match byte {
            b',' => is_listed(before),
            b' ' | b'\t' => is_listed(before) || before == b',',
            byte => is_listed(byte),
        };
        before = byte;
        is_one
    }) && !value.is_empty()
}

/// Whether ingress-nginx takes the whole for a list of origins; it looks at each of them after that.
fn may_be_origins(value: &str) -> bool {
    let value: Vec<u8> = value.bytes().filter(|byte| *byte != b' ').collect();
    let follows = |at: usize, word: &[u8]| value[at + 1..].starts_with(word);
    let is_one = |(at, byte): (usize, &u8)| match byte {
        b'*' => follows(at, b"."),
        b':' if follows(at, b"//") => at > 0 && value[at - 1].is_ascii_lowercase(),
        b':' => value.get(at + 1).is_some_and(u8::is_ascii_digit),
        b'/' => (at >= 1 && value[..at].ends_with(b":") && follows(at, b"/")) || value[..at].ends_with(b":/"),
        byte => byte.is_ascii_alphanumeric() || b"-.,".contains(byte),
    };
    value == b"*" || value.iter().enumerate().all(is_one)
}

/// `scheme://`, one label that may be any, a host and a port; or `null`.
fn is_origin(origin: &str) -> bool {
    let Some((scheme, host)) = origin.split_once("://") else { return origin == "null" };
    let host = host.strip_prefix("*.").unwrap_or(host);
    let (host, port) = host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port)));
    let is_number = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_lowercase())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
        && port.is_none_or(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_origins_are_read_as_ingress_nginx_reads_them() {
        for (value, expected, faults) in [
            ("*", "any origin", 0),
            ("https://a.com, https://*.b.com:8443,null", "https://a.com, https://*.b.com:8443, null", 0),
            ("https://a.com,*", "any origin", 1),
            ("https://a.com/", "any origin", 1),
            ("https://a.com, b.com", "https://a.com", 1),
            ("HTTPS://a.com", "any origin", 1),
            ("https://a.*.com", "", 1),
            ("a.com", "", 1),
            ("", "any origin", 1),
        ] {
            let mut settings = RouteSettings::default();
            let annotation = Annotation { name: "x/cors-allow-origin", value, namespace: "shop" };
            let found = origins(&annotation, &mut settings).err().map_or(0, |faults| faults.len());
            assert_eq!(
                (settings.cors.cors.origins.to_string().as_str(), found),
                (expected, faults),
                "{value}"
            );
        }
    }

    #[test]
    fn lists_of_names_have_one_comma_and_one_space_between() {
        let is_letter = |byte: u8| byte.is_ascii_alphabetic();
        for (value, expected) in [
            ("GET", true),
            ("GET, PUT,POST DELETE", true),
            ("GET, ", true),
            ("GET,  PUT", false),
            (",GET", false),
            ("GET,,PUT", false),
            ("GET\n", false),
            ("", false),
        ] {
            assert_eq!(is_list(value, is_letter), expected, "{value}");
        }
    }
}
