//! The words a [`Problem`](model::Problem) of this crate can have as its reason, beside those of [`compile`]. They are
//! labels of metrics and keys in scripts: a closed set, never renamed.

/// A file or folder cannot be read.
pub const UNREADABLE_FILE: &str = "unreadable-file";
/// A file is not YAML or JSON.
pub const INVALID_SYNTAX: &str = "invalid-syntax";
/// A file is larger than is read.
pub const LIMIT_EXCEEDED: &str = "limit-exceeded";
/// A document has no `apiVersion` or no `kind`.
pub const NOT_AN_OBJECT: &str = "not-an-object";
/// An object of a version that is not read.
pub const UNSUPPORTED_VERSION: &str = "unsupported-version";
/// An object has no name.
pub const MISSING_NAME: &str = "missing-name";
/// A field has a value of a wrong type.
pub const INVALID_VALUE: &str = "invalid-value";
/// Two places give the same object.
pub const DUPLICATE_OBJECT: &str = "duplicate-object";
/// The API server does not let us follow a kind of object, or cannot be reached.
pub const WATCH_FAILED: &str = "watch-failed";
/// The API server gives an object that is not as its kind defines it, or does not let us read it.
pub const UNREADABLE_OBJECT: &str = "unreadable-object";

/// All of them, sorted.
pub const ALL: [&str; 10] = [
    DUPLICATE_OBJECT,
    INVALID_SYNTAX,
    INVALID_VALUE,
    LIMIT_EXCEEDED,
    MISSING_NAME,
    NOT_AN_OBJECT,
    UNREADABLE_FILE,
    UNREADABLE_OBJECT,
    UNSUPPORTED_VERSION,
    WATCH_FAILED,
];
