//! Places as nginx writes them: text with variables in it.

use model::{Location, LocationPart, RequestValue};

/// Longest place, in bytes.
const BYTES_MAX: usize = 2048;

/// The variables that say of a request nothing but what its client knows.
const VARIABLES: &[(&str, RequestValue)] = &[
    ("args", RequestValue::Query),
    ("best_http_host", RequestValue::ClientHost),
    ("document_uri", RequestValue::Path),
    ("host", RequestValue::Host),
    ("http_host", RequestValue::HostField),
    ("is_args", RequestValue::QueryMark),
    ("pass_access_scheme", RequestValue::ClientScheme),
    ("query_string", RequestValue::Query),
    ("request_uri", RequestValue::Target),
    ("scheme", RequestValue::Scheme),
    ("uri", RequestValue::Path),
];

/// The names of all variables.
pub(super) fn known() -> String {
    VARIABLES.iter().map(|(name, _)| format!("${name}")).collect::<Vec<_>>().join(", ")
}

/// Whether it has no other characters than ingress-nginx lets through, and those of variables.
pub(super) fn is_valid(written: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:,?&=${}".contains(&byte);
    written.len() <= BYTES_MAX && written.bytes().all(is_one)
}

/// Reads a place, or says which variable is not known.
pub(super) fn read(written: &str) -> Result<Location, &str> {
    let (mut parts, mut rest) = (Vec::new(), written);
    while let Some((text, after)) = rest.split_once('$') {
        if !text.is_empty() {
            parts.push(LocationPart::text(text));
        }
        let (name, behind) = name(after).ok_or(after)?;
        let variable = VARIABLES.iter().find(|(known, _)| *known == name);
        parts.push(LocationPart::Value(variable.ok_or(name)?.1));
        rest = behind;
    }
    if !rest.is_empty() {
        parts.push(LocationPart::text(rest));
    }
    Ok(Location::new(parts))
}

/// The name of the variable at the beginning, with braces or without, and what stands behind it.
fn name(text: &str) -> Option<(&str, &str)> {
    if let Some(text) = text.strip_prefix('{') {
        return text.split_once('}');
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_with_braces_and_without() {
        for (written, expected) in [
            ("https://a.com/x?y=z", Ok("https://a.com/x?y=z")),
            ("https://a.com$request_uri", Ok("https://a.com{target}")),
            ("${scheme}://x$host/a", Ok("{scheme}://x{host}/a")),
            ("https://a$hostx", Err("hostx")),
            ("https://a/$", Err("")),
            ("https://a/${host", Err("{host")),
            ("https://a/$http_cookie", Err("http_cookie")),
        ] {
            let read = read(written).map(|place| place.to_string());
            assert_eq!(read.as_deref().map_err(|variable| *variable), expected, "{written}");
        }
    }
}
