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

/// A Secret has a certificate or a key that cannot be used, or that do not belong together.
pub const INVALID_CERTIFICATE: &str = "invalid-certificate";
/// A certificate is still served though its Secret does not give it any more.
pub const STALE_CERTIFICATE: &str = "stale-certificate";
/// A certificate is not for the hosts of those who name its Secret.
pub const MISMATCHED_CERTIFICATE: &str = "mismatched-certificate";
/// A chain has a certificate that did not issue the one before it.
pub const DISORDERED_CHAIN: &str = "disordered-chain";
/// A certificate ends soon.
pub const EXPIRING_CERTIFICATE: &str = "expiring-certificate";
/// A certificate has ended.
pub const EXPIRED_CERTIFICATE: &str = "expired-certificate";
/// A certificate has not begun.
pub const FUTURE_CERTIFICATE: &str = "future-certificate";
/// An entry of the Secret with the keys of session tickets is no key.
pub const INVALID_TICKET_KEY: &str = "invalid-ticket-key";

/// All of them, sorted.
pub const ALL: [&str; 18] = [
    DISORDERED_CHAIN,
    DUPLICATE_OBJECT,
    EXPIRED_CERTIFICATE,
    EXPIRING_CERTIFICATE,
    FUTURE_CERTIFICATE,
    INVALID_CERTIFICATE,
    INVALID_SYNTAX,
    INVALID_TICKET_KEY,
    INVALID_VALUE,
    LIMIT_EXCEEDED,
    MISMATCHED_CERTIFICATE,
    MISSING_NAME,
    NOT_AN_OBJECT,
    STALE_CERTIFICATE,
    UNREADABLE_FILE,
    UNREADABLE_OBJECT,
    UNSUPPORTED_VERSION,
    WATCH_FAILED,
];
