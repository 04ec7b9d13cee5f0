//! Answers that send clients elsewhere.

use std::fmt;
use std::sync::Arc;

/// Clients are sent elsewhere. With a status that sends nobody anywhere (300, 304 to 306) the place is the text of the answer,
/// as with nginx.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Redirect {
    /// The status, one of 3xx.
    pub status: u16,
    /// Where to.
    pub to: Location,
}

impl Redirect {
    /// Whether clients follow an answer with this status.
    pub fn is_followed(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }
}

impl fmt::Display for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.status, self.to)
    }
}

/// A place that depends on the request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location(Box<[LocationPart]>);

impl Location {
    /// Of these parts, one behind the other.
    pub fn new(parts: impl IntoIterator<Item = LocationPart>) -> Location {
        Location(parts.into_iter().collect())
    }

    /// Its parts.
    pub fn parts(&self) -> &[LocationPart] {
        &self.0
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            LocationPart::Text(text) => f.write_str(text),
            LocationPart::Value(value) => write!(f, "{{{}}}", value.as_str()),
        })
    }
}

/// A part of a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LocationPart {
    /// This text, of visible ASCII characters.
    Text(Arc<str>),
    /// What the request has.
    Value(RequestValue),
}

impl LocationPart {
    /// This text.
    pub fn text(text: &str) -> LocationPart {
        LocationPart::Text(text.into())
    }
}

macro_rules! values {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What a request has that may be a part of a place. A trusted proxy is believed what it says of its client where that is
        /// said here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RequestValue { $($(#[$doc])* $name,)* }

        impl RequestValue {
            /// The word for it in `explain`.
            pub fn as_str(self) -> &'static str {
                match self { $(RequestValue::$name => $word,)* }
            }
        }
    };
}

values! {
    /// What is spoken on the connection: `http` or `https`.
    Scheme = "scheme",
    /// What the client speaks, by the word of a trusted proxy.
    ClientScheme = "client-scheme",
    /// The host in lower case, without port.
    Host = "host",
    /// The host as it came, with its port.
    HostField = "host-field",
    /// The host that the client asked for, by the word of a trusted proxy, as it came.
    ClientHost = "client-host",
    /// The same without its port.
    ClientHostName = "client-host-name",
    /// The port that the client connected to, by the word of a trusted proxy.
    ClientPort = "client-port",
    /// The same with a colon, and nothing where it goes without saying.
    PortIfUnusual = "port-if-unusual",
    /// Path and query as they came.
    Target = "target",
    /// The same without the slash that it ends with.
    TargetWithoutSlash = "target-without-slash",
    /// The path as routes are found by it.
    Path = "path",
    /// The query.
    Query = "query",
    /// A question mark, if there is a query.
    QueryMark = "query-mark",
}
