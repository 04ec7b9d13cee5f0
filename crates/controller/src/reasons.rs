//! The words a [`Problem`](model::Problem) of this crate can have as its reason, beside those of [`compile`]. They are
//! labels of metrics and keys in scripts: a closed set, never renamed.

compile::reasons! {
    /// A file or folder cannot be read.
    UNREADABLE_FILE = "unreadable-file",
    /// A file is not YAML or JSON.
    INVALID_SYNTAX = "invalid-syntax",
    /// A file is larger than is read.
    LIMIT_EXCEEDED = "limit-exceeded",
    /// A document has no `apiVersion` or no `kind`.
    NOT_AN_OBJECT = "not-an-object",
    /// An object of a version that is not read.
    UNSUPPORTED_VERSION = "unsupported-version",
    /// An object has no name.
    MISSING_NAME = "missing-name",
    /// A field has a value of a wrong type.
    INVALID_VALUE = "invalid-value",
    /// Two places give the same object.
    DUPLICATE_OBJECT = "duplicate-object",
    /// The API server does not let us follow a kind of object, or cannot be reached.
    WATCH_FAILED = "watch-failed",
    /// The API server gives an object that is not as its kind defines it, or does not let us read it.
    UNREADABLE_OBJECT = "unreadable-object",

    /// A Secret has a certificate or a key that cannot be used, or that do not belong together.
    INVALID_CERTIFICATE = "invalid-certificate",
    /// A certificate is still served though its Secret does not give it any more.
    STALE_CERTIFICATE = "stale-certificate",
    /// A certificate is not for the hosts of the Ingresses that name its Secret.
    MISMATCHED_CERTIFICATE = "mismatched-certificate",
    /// A chain has a certificate that did not issue the one before it.
    DISORDERED_CHAIN = "disordered-chain",
    /// A certificate ends soon.
    EXPIRING_CERTIFICATE = "expiring-certificate",
    /// A certificate has ended.
    EXPIRED_CERTIFICATE = "expired-certificate",
    /// A certificate has not begun.
    FUTURE_CERTIFICATE = "future-certificate",
    /// An entry of the Secret with the keys of session tickets is no key.
    INVALID_TICKET_KEY = "invalid-ticket-key",
}
