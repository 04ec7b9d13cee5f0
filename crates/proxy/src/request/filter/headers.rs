//! Fields that a route adds to heads, sets in them, or takes from them.

use http::{HeaderMap, HeaderName, HeaderValue};
use model::{HeaderChange, HeaderEdit};

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
