//! The ways in which a request can be lost, as its client sees them.

use std::fmt;

/// Why a request was lost. The client has sent it once and does not try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No connection: a reset in answer to the first packet. In HTTP/2 also a stream that the other side says it has not
    /// looked at, by REFUSED_STREAM or by a GOAWAY that names an earlier one as the last.
    Refused,
    /// The connection was reset before the first byte of the answer.
    Reset,
    /// The connection was closed in order after the request was written, and before the first byte of the answer.
    Eof,
    /// The answer began and did not end.
    Truncated,
    /// No whole answer, or no connection, in time.
    Timeout,
    /// An answer other than 200.
    Status(u16),
    /// 200, but not what was asked for: another backend, another request's answer, or no HTTP at all.
    Wrong,
}

impl Failure {
    /// What the columns of the report are called, in the order of [`Failure::class`].
    pub(crate) const CLASSES: [&str; 7] =
        ["refused", "reset", "EOF", "truncated", "timeout", "status", "wrong"];

    /// Its place among [`Failure::CLASSES`].
    pub(crate) fn class(self) -> usize {
        match self {
            Failure::Refused => 0,
            Failure::Reset => 1,
            Failure::Eof => 2,
            Failure::Truncated => 3,
            Failure::Timeout => 4,
            Failure::Status(_) => 5,
            Failure::Wrong => 6,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Status(status) => write!(f, "status {status}"),
            other => f.write_str(Failure::CLASSES[other.class()]),
        }
    }
}
