//! Fields that a route adds to heads, sets in them, or takes from them.

use http::{HeaderMap, HeaderName, HeaderValue};
use model::{HeaderChange, HeaderEdit};

/// Makes the edits in a request's head. What a client sends in another spelling of a name that is set or removed goes, too:
/// an endpoint that hands fields on as variables cannot tell `X.User` from the `X-User` that it believes.
pub(super) fn edit_request(edits: &[HeaderEdit], head: &mut HeaderMap) {
    let decided = edits.iter().filter(|edit| !matches!(edit.change, HeaderChange::Add(_)));
    for HeaderEdit { name, .. } in decided {
        remove_all_spellings(name, head);
    }
    edit(edits, head);
}

/// Removes the fields whose names are other spellings of this one.
pub(super) fn remove_all_spellings(name: &str, head: &mut HeaderMap) {
    while let Some(other) = head.keys().find(|other| is_other_spelling(other.as_str(), name)) {
        let other = other.clone();
        head.remove(other);
    }
}

/// Whether two names differ, and only in characters that are neither letters nor digits.
fn is_other_spelling(name: &str, of: &str) -> bool {
    let is_same = |(a, b): (u8, u8)| a == b || !(a.is_ascii_alphanumeric() || b.is_ascii_alphanumeric());
    name.len() == of.len() && name != of && name.bytes().zip(of.bytes()).all(is_same)
}

/// Makes the edits, one after the other. Names and values were checked when they were compiled: one that is none is passed
/// over.
pub(super) fn edit(edits: &[HeaderEdit], head: &mut HeaderMap) {
    for HeaderEdit { name, change } in edits {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        match change {
            HeaderChange::Remove => drop(head.remove(name)),
            HeaderChange::Set(value) => {
                if let Ok(value) = HeaderValue::from_str(value) {
                    head.insert(name, value);
                }
            }
            HeaderChange::Add(value) => {
                if let Ok(value) = HeaderValue::from_str(value) {
                    head.append(name, value);
                }
            }
        }
    }
}
