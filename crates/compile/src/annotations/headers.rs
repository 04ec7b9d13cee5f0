//! Readers of edits of heads: one edit a line, as `set X-Frame-Options: DENY`, `add Via: edge` or `remove Server`.

use std::fmt;
use std::sync::Arc;

use model::{FieldText, HeaderChange, HeaderEdit, Template, TemplateError, is_forwarding_field};

use super::{Annotation, shown};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

/// Most edits in an annotation: each is made in each head. Lines that are none count, too: what is told of each is far longer
/// than itself, and an annotation has room for a hundred thousand.
pub(super) const EDITS_MAX: usize = 64;
/// Most bytes of names and values in an annotation: a head that grows by more is more than servers commonly take (8 KiB in
/// all, in nginx and others).
pub(super) const EDITS_BYTES_MAX: usize = 4096;

/// What frames a message or concerns one connection alone (RFC 9110 §7.6.1, RFC 9112 §6): we write it, for each of the two
/// connections that a request goes through. Beside these all that begin with `proxy-`.
const FRAMING: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Edits of requests' heads.
pub(super) fn request(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    read(annotation, |name| is_framing(name) || is_forwarding(name), &mut settings.request_headers)
}

/// Edits of responses' heads.
pub(super) fn response(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    read(annotation, is_framing, &mut settings.response_headers)
}

/// Reads all lines; one that is wrong costs itself alone, since edits guard nothing.
fn read(
    annotation: &Annotation<'_>,
    is_ours: impl Fn(&str) -> bool,
    edits: &mut Vec<HeaderEdit>,
) -> Result<(), Vec<Fault>> {
    let mut faults = Vec::new();
    let mut bytes = 0;
    let lines = annotation.value.lines().map(str::trim).filter(|line| !line.is_empty());
    for (at, line) in lines.enumerate() {
        if at == EDITS_MAX {
            faults.push(too_much(annotation.name));
            break;
        }
        let read = edit(line).and_then(|edit| match is_ours(&edit.name) {
            true => Err("the field is written by us alone".into()),
            false => Ok(edit),
        });
        match read {
            Ok(edit) => {
                bytes += size(&edit);
                if bytes > EDITS_BYTES_MAX {
                    faults.push(too_much(annotation.name));
                    break;
                }
                edits.push(edit);
            }
            Err(why) => faults.push(bad_line(annotation.name, line, &why)),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Reads a line.
fn edit(line: &str) -> Result<HeaderEdit, String> {
    let (verb, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let (name, value) = match rest.split_once(':') {
        Some((name, value)) => (name.trim(), Some(value.trim())),
        None => (rest.trim(), None),
    };
    let change = match (verb, value) {
        ("remove", None) => HeaderChange::Remove,
        ("remove", Some(_)) => return Err("to remove a field needs its name alone".into()),
        ("set" | "add", None | Some("")) => return Err("it has no value".into()),
        ("set" | "add", Some(value)) if !is_value(value) => {
            return Err("its value has characters beyond visible ASCII, spaces and tabs".into());
        }
        ("set", Some(value)) => HeaderChange::Set(value.into()),
        ("add", Some(value)) => HeaderChange::Add(value.into()),
        (other, _) => return Err(format!("{} is none of set, add and remove", shown(other))),
    };
    if !is_token(name) {
        return Err(format!("{} is no field name", shown(name)));
    }
    // RFC 6265 §5.4.
    if matches!(change, HeaderChange::Add(_)) && name.eq_ignore_ascii_case("cookie") {
        return Err("a request has one field of this name; set it".into());
    }
    Ok(HeaderEdit { name: name.to_ascii_lowercase().into(), change })
}

/// The name of a field of requests in lower case, if it is one that may be edited.
pub(super) fn request_name(name: &str) -> Option<Arc<str>> {
    response_name(name).filter(|name| !is_forwarding(name))
}

/// The name of a field of responses in lower case, if it is one that may be edited.
pub(super) fn response_name(name: &str) -> Option<Arc<str>> {
    let name = name.to_ascii_lowercase();
    (is_token(&name) && !is_framing(&name)).then(|| name.into())
}

/// Whether there are no more edits than one annotation may have.
pub(super) fn are_few<'e>(edits: impl Iterator<Item = &'e HeaderEdit> + Clone) -> bool {
    edits.clone().count() <= EDITS_MAX && edits.map(size).sum::<usize>() <= EDITS_BYTES_MAX
}

fn size(edit: &HeaderEdit) -> usize {
    let value = edit.change.text().map_or(0, FieldText::bytes);
    edit.name.len() + value
}

/// RFC 9110 §5.6.2.
pub(super) fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

pub(super) fn is_value(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_graphic() || b == b' ' || b == b'\t')
}

/// What a field is set to, as nginx writes it: with variables.
///
/// # Errors
/// Says why it cannot be.
pub(super) fn text_with_variables(value: &str) -> Result<FieldText, NoText> {
    if !is_value(value) {
        return Err(NoText::Characters);
    }
    match Template::parse(value) {
        Ok(template) if template.is_constant() => Ok(value.into()),
        Ok(template) => Ok(FieldText::Filled(template)),
        Err(error) => Err(NoText::Variable(error)),
    }
}

/// Why a field cannot be set to a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoText {
    /// It has other characters than visible ASCII, spaces and tabs.
    Characters,
    /// It has a variable that is not known.
    Variable(TemplateError),
}

impl fmt::Display for NoText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoText::Characters => f.write_str("it has other characters than fields have"),
            NoText::Variable(error) => error.fmt(f),
        }
    }
}

pub(super) fn is_framing(name: &str) -> bool {
    let name = plain(name);
    FRAMING.contains(&&*name) || name.starts_with("proxy-")
}

fn is_forwarding(name: &str) -> bool {
    is_forwarding_field(&plain(name))
}

/// An endpoint that hands fields on as variables cannot tell `X-Real-IP` from `X_Real.IP`.
fn plain(name: &str) -> String {
    name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

fn bad_line(name: &str, line: &str, why: &str) -> Fault {
    let message = format!("{name}: the line {} has no effect: {why}", shown(line));
    let remedy =
        "write set NAME: VALUE, add NAME: VALUE or remove NAME, of fields that are not ours to write";
    Fault::error(reasons::INVALID_ANNOTATION, message, remedy)
}

fn too_much(name: &str) -> Fault {
    let message = format!(
        "{name} has more than {EDITS_MAX} lines or {EDITS_BYTES_MAX} bytes of names and values; those beyond have no effect"
    );
    Fault::error(reasons::INVALID_ANNOTATION, message, "write fewer or shorter ones")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_request(value: &str) -> (Vec<HeaderEdit>, usize) {
        let mut settings = RouteSettings::default();
        let annotation = Annotation { name: "x/request-headers", value, namespace: "shop" };
        let faults = request(&annotation, &mut settings).err().map_or(0, |faults| faults.len());
        (settings.request_headers, faults)
    }

    #[test]
    fn no_spelling_of_a_field_that_we_write_is_edited() {
        for name in [
            "Host",
            "CONTENT-LENGTH",
            "transfer_encoding",
            "TE",
            "Proxy-Authorization",
            "Proxy.Connection",
            "X-Forwarded-For",
            "x_forwarded_anything",
            "X-Original-URL",
            "Forwarded",
            "X.Real.IP",
            "X-Request-ID",
        ] {
            assert_eq!(read_request(&format!("set {name}: x")), (Vec::new(), 1), "{name}");
            assert_eq!(read_request(&format!("remove {name}")), (Vec::new(), 1), "{name}");
        }
    }

    #[test]
    fn more_than_the_limits_have_no_effect_and_are_told_once() {
        let many = |count: usize| (0..count).map(|at| format!("remove x-{at}\n")).collect::<String>();
        let (edits, faults) = read_request(&many(EDITS_MAX));
        assert_eq!((edits.len(), faults), (EDITS_MAX, 0));
        let (edits, faults) = read_request(&many(EDITS_MAX + 9));
        assert_eq!((edits.len(), faults), (EDITS_MAX, 1));
        let (edits, faults) = read_request(&"nonsense\n".repeat(EDITS_MAX * 1000));
        assert_eq!((edits.len(), faults), (0, EDITS_MAX + 1));
        let long = |length: usize| read_request(&format!("set x: {}", "y".repeat(length)));
        assert_eq!((long(EDITS_BYTES_MAX - 1).1, long(EDITS_BYTES_MAX).1), (0, 1));
    }
}
