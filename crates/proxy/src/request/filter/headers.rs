//! Fields that a route adds to heads, sets in them, or takes from them.

use http::{HeaderMap, StatusCode};
use model::HeaderEdit;

use crate::answer_filter::edit_fields;
use crate::exchange::Exchange;

/// Makes the edits in a request's head. What a client sends in another spelling of a name that is set or removed goes, too:
/// an endpoint that hands fields on as variables cannot tell `X.User` from the `X-User` that it believes.
pub(super) fn edit_request(exchange: &Exchange, edits: &[HeaderEdit], head: &mut HeaderMap) {
    let decided = edits.iter().filter(|edit| !edit.change.keeps());
    for HeaderEdit { name, .. } in decided {
        remove_all_spellings(name, head);
    }
    edit_fields(exchange, edits, StatusCode::OK, head);
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
