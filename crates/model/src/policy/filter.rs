//! The closed list of what can be done with a request and its response on the way. To add a filter: a variant here, in the
//! place at which it is to be executed; what builds it in `compile`; and a file in `proxy`'s `request/filter`.

use std::fmt;
use std::sync::Arc;

use crate::{
    AddressRules, Auth, Blocked, ClientTls, Compression, CookieRewrite, Cors, HeaderEdit, Pages,
    PathTemplate, PlaceRewrite, Redirect, RequestLimits, Rewrite, Template, Throttle,
};

/// What is done with a request before it is sent. **The order of the variants is the order of execution**, whatever the
/// order in which they were asked for: what refuses a request stands before what costs something, and all of that before what
/// changes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestFilter {
    /// Every request is refused (503): something that was to guard the route cannot be honoured, and it is better not
    /// served than served unguarded.
    Deny,
    /// Clients without a good certificate are refused (400, 403), and endpoints are told what it says.
    ClientTls(Arc<ClientTls>),
    /// Clients that call themselves something else than they may, or come from elsewhere, are refused (403).
    Blocked(Arc<Blocked>),
    /// Clients that leave out the slash which the route's path ends with are sent to it.
    Slash(Redirect),
    /// Preflights of browsers are answered, and the origin of the page is noted for the answer.
    Cors(Arc<Cors>),
    /// Clients are sent elsewhere.
    Redirect(Redirect),
    /// Clients are sent to a URL that their path is put into (302).
    Elsewhere(PathTemplate),
    /// Clients that speak plain HTTP are sent to https.
    Https(Redirect),
    /// Clients that do not speak TLS with us are refused (400): they could not show what the route demands.
    TlsOnly,
    /// Clients that send too many requests are refused.
    Limits(RequestLimits),
    /// Clients of other addresses are refused (403).
    Addresses(AddressRules),
    /// Requests without a password are refused, or those that another server does not vouch for.
    Auth(Box<Auth>),
    /// Another host is asked for than the client's.
    Host(Template),
    /// The head is changed, in the order of the edits.
    Headers(Vec<HeaderEdit>),
    /// The target is another one.
    Rewrite(Rewrite),
}

impl RequestFilter {
    /// Whether it decides on access.
    pub fn is_guard(&self) -> bool {
        match self {
            RequestFilter::Deny
            | RequestFilter::ClientTls(_)
            | RequestFilter::Blocked(_)
            | RequestFilter::TlsOnly
            | RequestFilter::Addresses(_)
            | RequestFilter::Auth(_) => true,
            RequestFilter::Slash(_)
            | RequestFilter::Cors(_)
            | RequestFilter::Redirect(_)
            | RequestFilter::Elsewhere(_)
            | RequestFilter::Https(_)
            | RequestFilter::Host(_)
            | RequestFilter::Limits(_)
            | RequestFilter::Headers(_)
            | RequestFilter::Rewrite(_) => false,
        }
    }

    /// The word used in JSON and in `explain`.
    pub fn as_str(&self) -> &'static str {
        match self {
            RequestFilter::Deny => "deny",
            RequestFilter::ClientTls(_) => "client-tls",
            RequestFilter::Blocked(_) => "blocked",
            RequestFilter::Slash(_) => "slash-redirect",
            RequestFilter::Cors(_) => "cors",
            RequestFilter::Redirect(_) => "redirect",
            RequestFilter::Elsewhere(_) => "rewrite-redirect",
            RequestFilter::Https(_) => "https-redirect",
            RequestFilter::TlsOnly => "tls-only",
            RequestFilter::Limits(_) => "limits",
            RequestFilter::Addresses(_) => "addresses",
            RequestFilter::Auth(_) => "auth",
            RequestFilter::Host(_) => "host",
            RequestFilter::Headers(_) => "request-headers",
            RequestFilter::Rewrite(_) => "rewrite",
        }
    }
}

/// The word and what is set, as `explain` and golden files show it.
impl fmt::Display for RequestFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        match self {
            RequestFilter::Deny | RequestFilter::TlsOnly => Ok(()),
            RequestFilter::ClientTls(demanded) => write!(f, ": {demanded}"),
            RequestFilter::Blocked(blocked) => write!(f, ": {blocked}"),
            RequestFilter::Cors(cors) => write!(f, ": {cors}"),
            RequestFilter::Elsewhere(url) => write!(f, ": {url}"),
            RequestFilter::Slash(redirect)
            | RequestFilter::Redirect(redirect)
            | RequestFilter::Https(redirect) => write!(f, ": {redirect}"),
            RequestFilter::Limits(limits) => write!(f, ": {limits}"),
            RequestFilter::Addresses(rules) => write!(f, ": {rules}"),
            RequestFilter::Auth(auth) => write!(f, ": {auth}"),
            RequestFilter::Host(host) => write!(f, ": {host}"),
            RequestFilter::Headers(edits) => write!(f, ": {}", HeaderEdit::list(edits)),
            RequestFilter::Rewrite(rewrite) => write!(f, ": {rewrite}"),
        }
    }
}

/// What is done with a response before it is handed on, in the order of the variants. The first ones are for answers of
/// endpoints; from [`Cors`](ResponseFilter::Cors) on they are for our own answers, too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResponseFilter {
    /// Another backend serves in the place of endpoints.
    Pages(Pages),
    /// Places that an endpoint sends clients to.
    Place(PlaceRewrite),
    /// Cookies that an endpoint sets.
    Cookies(CookieRewrite),
    /// The head of an endpoint's answer is changed, in the order of the edits.
    Headers(Vec<HeaderEdit>),
    /// Browsers are told that the page whose origin was noted may read the answer.
    Cors(Arc<Cors>),
    /// Clients of our TLS are told to speak it from now on (`Strict-Transport-Security`, RFC 6797).
    Hsts(Arc<str>),
    /// Its body is compressed for clients that take that.
    Compress(Compression),
    /// It is sent no faster than this.
    Throttle(Throttle),
}

impl ResponseFilter {
    /// The word used in JSON and in `explain`.
    pub fn as_str(&self) -> &'static str {
        match self {
            ResponseFilter::Pages(_) => "pages",
            ResponseFilter::Place(_) => "place",
            ResponseFilter::Cookies(_) => "cookies",
            ResponseFilter::Headers(_) => "response-headers",
            ResponseFilter::Cors(_) => "cors",
            ResponseFilter::Hsts(_) => "hsts",
            ResponseFilter::Compress(_) => "compress",
            ResponseFilter::Throttle(_) => "throttle",
        }
    }
}

/// The word and what is set.
impl fmt::Display for ResponseFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        match self {
            ResponseFilter::Pages(pages) => write!(f, ": {pages}"),
            ResponseFilter::Place(rewrite) => write!(f, ": {rewrite}"),
            ResponseFilter::Cookies(rewrite) => write!(f, ": {rewrite}"),
            ResponseFilter::Headers(edits) => write!(f, ": {}", HeaderEdit::list(edits)),
            // The filter of requests says what.
            ResponseFilter::Cors(_) => Ok(()),
            ResponseFilter::Hsts(value) => write!(f, ": {value}"),
            ResponseFilter::Compress(compression) => write!(f, ": {compression}"),
            ResponseFilter::Throttle(throttle) => write!(f, ": {throttle}"),
        }
    }
}
