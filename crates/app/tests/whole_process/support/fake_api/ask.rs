//! What the fake API server is asked.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    /// `ingresses`, `services`, `endpointslices`, `ingressclasses`, `namespaces`…
    pub(crate) kind: String,
    pub(crate) namespace: String,
    /// Empty in a list or a watch.
    pub(crate) name: String,
    pub(crate) is_watch: bool,
    method: String,
    subresource: String,
    query: String,
}

impl Ask {
    pub(crate) fn is_list_of(&self, kind: &str) -> bool {
        self.kind == kind && self.name.is_empty() && !self.is_watch
    }

    pub(crate) fn is_watch_of(&self, kind: &str) -> bool {
        self.kind == kind && self.is_watch
    }

    pub(crate) fn is_of(&self, kind: &str, name: &str) -> bool {
        self.kind == kind && self.name == name
    }

    /// The verb and the resource, in the words of a role.
    pub(crate) fn in_words_of_a_role(&self) -> (String, String) {
        let verb = match &*self.method {
            "GET" if self.is_watch => "watch",
            "GET" if self.name.is_empty() => "list",
            "GET" => "get",
            "POST" => "create",
            "PATCH" => "patch",
            other => other,
        };
        let slash = if self.subresource.is_empty() { "" } else { "/" };
        (verb.into(), format!("{}{slash}{}", self.kind, self.subresource))
    }

    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }
}

/// The request, and its body to the end: what is not read when a connection is closed destroys the answer.
pub(super) fn read(stream: &TcpStream) -> Option<Ask> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let request = line()?;
    let (mut words, mut length) = (request.split(' '), 0);
    let (method, target) = (words.next()?, words.next()?);
    loop {
        let field = line()?.to_ascii_lowercase();
        if field.is_empty() {
            break;
        }
        if let Some(bytes) = field.strip_prefix("content-length:") {
            length = bytes.trim().parse().unwrap();
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    Some(ask(method, target))
}

/// `/api/v1/namespaces/shop/services/web?watch=true`
fn ask(method: &str, target: &str) -> Ask {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (mut namespace, mut parts) = (String::new(), path.trim_start_matches('/').split('/'));
    // The group takes one part more than `/api/v1`.
    let _ = parts.nth(if path.starts_with("/apis/") { 2 } else { 1 });
    let mut parts: Vec<&str> = parts.collect();
    if parts.len() > 2 && parts[0] == "namespaces" {
        namespace = parts[1].into();
        parts.drain(..2);
    }
    let part = |at: usize| parts.get(at).copied().unwrap_or_default().to_owned();
    let is_watch = query.split('&').any(|pair| pair == "watch=true");
    let (kind, name, subresource, method) = (part(0), part(1), part(2), method.to_owned());
    Ask { kind, namespace, name, is_watch, method, subresource, query: query.into() }
}
