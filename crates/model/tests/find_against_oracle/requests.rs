//! Requests as their clients write them, and what they mean.

use std::borrow::Cow;
use std::collections::BTreeSet;

use fastrand::Rng;
use model::{Facts, RequestHost, RequestPath, cookie_in, query_parameter};

/// A host and a path, and what they mean.
pub(crate) struct Request {
    pub(crate) raw_host: &'static str,
    pub(crate) raw_path: String,
    pub(crate) labels: Vec<String>,
    pub(crate) path: String,
}

/// What a client writes, and the value of `a` in it.
type Spelled = (&'static str, Option<&'static str>);

const HEADERS: [Spelled; 4] = [("", None), ("a", Some("a")), ("b", Some("b")), ("ab", Some("ab"))];
const QUERIES: [Spelled; 6] = [
    ("", None),
    ("b=a", None),
    ("a=a&a=b", Some("a")),
    ("x&%61=%62", Some("b")),
    ("a=a+b", Some("a b")),
    ("a", Some("")),
];
const COOKIES: [Spelled; 4] =
    [("", None), ("aa=a; b=a", None), ("b=c; a=a", Some("a")), ("a=b;a=a", Some("b"))];

/// A request with what it has beside host and path, and the number that chance gives it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'r> {
    pub(crate) request: &'r Request,
    pub(crate) method: &'static str,
    pub(crate) header: Spelled,
    pub(crate) query: Spelled,
    pub(crate) cookie: Spelled,
    pub(crate) number: u64,
}

impl<'r> Asked<'r> {
    pub(crate) fn random(random: &mut Rng, requests: &'r [Request]) -> Asked<'r> {
        Asked {
            request: &requests[random.usize(..requests.len())],
            method: ["GET", "POST", "PUT"][random.usize(..3)],
            header: HEADERS[random.usize(..HEADERS.len())],
            query: QUERIES[random.usize(..QUERIES.len())],
            cookie: COOKIES[random.usize(..COOKIES.len())],
            number: random.u64(..1000),
        }
    }
}

/// The same as the implementation reads it.
pub(crate) struct Read<'r> {
    asked: &'r Asked<'r>,
    host: Option<RequestHost<'r>>,
    path: RequestPath<'r>,
}

impl<'r> Read<'r> {
    pub(crate) fn new(asked: &'r Asked<'r>) -> Read<'r> {
        let Request { raw_host, raw_path, .. } = asked.request;
        Read {
            asked,
            host: (!raw_host.is_empty()).then(|| RequestHost::parse(raw_host).expect("a host")),
            path: RequestPath::parse(raw_path).expect("a path"),
        }
    }
}

impl Facts for Read<'_> {
    fn host(&self) -> Option<&RequestHost<'_>> {
        self.host.as_ref()
    }

    fn path(&self) -> &RequestPath<'_> {
        &self.path
    }

    fn method(&self) -> &str {
        self.asked.method
    }

    fn is_secure(&self) -> bool {
        false
    }

    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let (value, _) = self.asked.header;
        (name == "a" && !value.is_empty()).then_some(Cow::Borrowed(value))
    }

    fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        query_parameter(self.asked.query.0, name)
    }

    fn cookie(&self, name: &str) -> Option<Cow<'_, str>> {
        cookie_in(self.asked.cookie.0.as_bytes(), name).map(Cow::Borrowed)
    }
}

/// Every request host with every path of up to three elements, with and without a final slash, in more than one spelling.
pub(crate) fn all_requests() -> Vec<Request> {
    let hosts = [
        ("", ""),
        ("x", "x"),
        ("a.x", "a.x"),
        ("A.x:80", "a.x"),
        ("b.x.", "b.x"),
        ("c.x", "c.x"),
        ("b.a.x", "b.a.x"),
        ("c.a.x", "c.a.x"),
        ("c.b.a.x", "c.b.a.x"),
        ("y", "y"),
    ];
    let mut paths = vec![String::new()];
    for _ in 0..3 {
        let longer =
            paths.iter().flat_map(|path| ["a", "b", "ab", "c"].map(|element| format!("{path}/{element}")));
        paths = paths.iter().cloned().chain(longer).collect::<BTreeSet<_>>().into_iter().collect();
    }
    let paths: Vec<String> = paths.iter().flat_map(|path| [path.clone(), format!("{path}/")]).collect();
    let paths: Vec<String> = paths.into_iter().filter(|path| !path.is_empty()).collect();
    let spellings = |path: &str| {
        let beyond_root = &path[1..];
        [
            path.to_string(),
            path.replace('a', "%61"),
            path.replace('/', "//"),
            path.replace('/', "/./"),
            format!("/z/..{path}"),
            format!("/{}", beyond_root.replace('/', "%2F")),
        ]
    };
    let with_hosts = |path: &String| {
        let spelled = spellings(path).into_iter().flat_map(|raw| hosts.map(|host| (host, raw.clone())));
        spelled.map(|(host, raw)| request(host, raw, path)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(with_hosts).collect()
}

fn request((raw_host, host): (&'static str, &str), raw_path: String, path: &str) -> Request {
    let labels = if host.is_empty() { Vec::new() } else { host.split('.').map(str::to_string).collect() };
    Request { raw_host, raw_path, labels, path: path.into() }
}
