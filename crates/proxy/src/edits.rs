//! Changes to heads that routes ask for.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use model::{Edge, HeaderChange, HeaderEdit};

/// Changes the head of an answer as its route's edge says, whether an endpoint gave it or we do.
pub(crate) fn edit_answer(edge: &Edge, is_tls: bool, head: &mut HeaderMap) {
    for name in &edge.hidden {
        head.remove(&**name);
    }
    edit(&edge.response, head);
    if let Some(hsts) = edge.hsts.as_ref().filter(|_| is_tls)
        && let Ok(value) = HeaderValue::from_str(hsts.as_str())
    {
        head.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
}

/// Makes the edits, one after the other. Names and values were checked when they were compiled: one that is none is passed
/// over.
pub(crate) fn edit(edits: &[HeaderEdit], head: &mut HeaderMap) {
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
