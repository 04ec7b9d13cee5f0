//! Changes to the fields of a head, and the fields that are not for others to change.

use std::sync::Arc;

/// Whether endpoints believe us a request's field of this name, in lower case: which client it is from and what its certificate says, how it came, and by
/// which id it is known. We write them (`proxy`'s `forwarding`); no client may, unless it is a trusted proxy, and no route. This is
/// the one list of them.
pub fn is_forwarding_field(name: &str) -> bool {
    matches!(name, "forwarded" | "x-real-ip" | "x-request-id")
        || name.starts_with("ssl-client-")
        || name.starts_with("x-forwarded-")
        || name.starts_with("x-original-")
}

/// What becomes of one field of a head.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderEdit {
    /// The field's name, in lower case: a token (RFC 9110 §5.1), and none that frames the message or concerns the
    /// connection alone.
    pub name: Arc<str>,
    /// What becomes of it.
    pub change: HeaderChange,
}

/// The change of a field. Values are field values (RFC 9110 §5.5) of visible ASCII characters, spaces and tabs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HeaderChange {
    /// All fields of the name go.
    Remove,
    /// One field with this value takes the place of all of the name.
    Set(Arc<str>),
    /// A field with this value comes to those that are there.
    Add(Arc<str>),
}
