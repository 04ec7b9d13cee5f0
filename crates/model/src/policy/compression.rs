//! Which answers are compressed.

use std::fmt;
use std::sync::Arc;

/// Which answers are compressed with gzip for clients that take it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Compression {
    /// From 1, which costs least, to 9.
    pub level: u8,
    /// Answers that say a shorter length are left alone.
    pub length_min: u64,
    /// The types of content, in lower case and without parameters; `*` is any.
    pub types: Arc<[Box<str>]>,
}

impl Compression {
    /// Whether content of this type is compressed, as `Content-Type` says it.
    pub fn is_for(&self, content_type: &str) -> bool {
        let name = content_type.split(';').next().unwrap_or_default().trim();
        self.types.iter().any(|known| &**known == "*" || known.eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "gzip at level {} of {} types, from {} bytes on",
            self.level,
            self.types.len(),
            self.length_min
        )
    }
}
