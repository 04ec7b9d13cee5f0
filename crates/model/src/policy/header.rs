//! Changes to the fields of a head, and the fields that are not for others to change.

use std::fmt;
use std::sync::Arc;

use crate::Template;

/// Whether endpoints believe us a request's field of this name, in lower case: which client it is from and what its
/// certificate says, how it came, and by which id it is known. We write them (`proxy`'s `forwarding`); no client may,
/// unless it is a trusted proxy, and no route. This is the one list of them.
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

impl HeaderEdit {
    /// Edits as they are shown to people.
    pub fn list(edits: &[HeaderEdit]) -> String {
        edits.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for HeaderEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.change {
            HeaderChange::Remove => write!(f, "remove {}", self.name),
            HeaderChange::Set(value) => write!(f, "set {}: {value}", self.name),
            HeaderChange::Add(value) => write!(f, "add {}: {value}", self.name),
            HeaderChange::AddUnlessError(value) => write!(f, "add {}: {value} unless error", self.name),
        }
    }
}

/// The change of a field. What is written of values is of visible ASCII characters, spaces and tabs (RFC 9110 §5.5).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HeaderChange {
    /// All fields of the name go.
    Remove,
    /// One field with this value takes the place of all of the name.
    Set(FieldText),
    /// A field with this value comes to those that are there.
    Add(FieldText),
    /// The same in answers with a status by which nginx adds fields: 200, 201, 204, 206, 301 to 304, 307 and 308.
    AddUnlessError(FieldText),
}

/// The value of a field that is set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldText {
    /// The same for all requests.
    Fixed(Arc<str>),
    /// With variables of the request in it. Where it comes to nothing there is no such field.
    Filled(Template),
}

impl From<&str> for FieldText {
    fn from(text: &str) -> FieldText {
        FieldText::Fixed(text.into())
    }
}

impl FieldText {
    /// How many bytes it was written with.
    pub fn bytes(&self) -> usize {
        match self {
            FieldText::Fixed(text) => text.len(),
            FieldText::Filled(template) => template.to_string().len(),
        }
    }
}

/// In quotation marks.
impl fmt::Display for FieldText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldText::Fixed(text) => write!(f, "{text:?}"),
            FieldText::Filled(template) => write!(f, "{:?}", template.to_string()),
        }
    }
}

impl HeaderChange {
    /// What the field is set to, if it is.
    pub fn text(&self) -> Option<&FieldText> {
        match self {
            HeaderChange::Remove => None,
            HeaderChange::Set(text) | HeaderChange::Add(text) | HeaderChange::AddUnlessError(text) => {
                Some(text)
            }
        }
    }

    /// What the field is set to, if that has variables.
    pub fn template(&self) -> Option<&Template> {
        match self.text()? {
            FieldText::Fixed(_) => None,
            FieldText::Filled(template) => Some(template),
        }
    }

    /// Whether fields of the name that are there stay.
    pub fn keeps(&self) -> bool {
        matches!(self, HeaderChange::Add(_) | HeaderChange::AddUnlessError(_))
    }
}
