//! A request to an application, and what is to become of it.

use std::net::SocketAddr;

use serde_json::Value;
use test_support::{Client, Message};

/// A request, as a manifest file writes it.
pub(crate) struct Request {
    /// The method and the URL, which tell it from others.
    pub(crate) line: String,
    method: String,
    secure: bool,
    host: String,
    target: String,
    /// Further fields.
    with: Vec<(String, String)>,
    /// Bytes of the body.
    body: usize,
    status: u16,
    /// The Service and port that get it.
    to: Option<String>,
    /// The target that it gets.
    target_sent: String,
    /// Fields that it gets; none for one that must not be there, and `~TEXT` for one with that in it.
    sends: Vec<(String, Option<String>)>,
    /// Fields of the answer; the same.
    gives: Vec<(String, Option<String>)>,
}

impl Request {
    pub(crate) fn read(document: &Value) -> Request {
        let word = |name: &str| document[name].as_str().map(str::to_owned);
        let url = word("get").unwrap_or_else(|| panic!("no URL: {document}"));
        let (scheme, rest) = url.split_once("://").expect("http:// or https://");
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let method = word("method").unwrap_or_else(|| "GET".into());
        let target = format!("/{path}");
        let fields = |name: &str| -> Vec<(String, Option<String>)> {
            let all = document[name].as_object().into_iter().flatten();
            all.map(|(name, value)| (name.to_ascii_lowercase(), value.as_str().map(str::to_owned))).collect()
        };
        Request {
            line: format!("{method} {url}"),
            secure: scheme == "https",
            host: host.into(),
            target_sent: word("as").unwrap_or_else(|| target.clone()),
            target,
            method,
            with: fields("with").into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect(),
            body: document["body"].as_u64().unwrap_or(0) as usize,
            status: document["status"].as_u64().unwrap_or(200) as u16,
            to: word("to"),
            sends: fields("sends"),
            gives: fields("gives"),
        }
    }

    /// Sends it.
    ///
    /// # Errors
    /// Says in what its answer differs from what is to be.
    pub(crate) fn send(&self, gate: SocketAddr) -> Result<(), Vec<String>> {
        let answer = self.ask(gate).map_err(|error| vec![format!("no answer: {error}")])?;
        let mut wrong = Vec::new();
        let mut compare = |what: &str, found: Option<&str>, expected: Option<&str>| {
            let is_so = match (found, expected.and_then(|text| text.strip_prefix('~'))) {
                (Some(found), Some(part)) => found.contains(part),
                _ => found == expected,
            };
            if !is_so {
                wrong.push(format!("{what}: {found:?}, not {expected:?}"));
            }
        };
        compare("status", Some(&answer.status().to_string()), Some(&self.status.to_string()));
        compare("endpoint", answer.field("x-endpoint").as_deref(), self.to.as_deref());
        if self.to.is_some() {
            compare("target", answer.field("x-target").as_deref(), Some(&self.target_sent));
        }
        for (name, value) in &self.gives {
            compare(name, answer.field(name).as_deref(), value.as_deref());
        }
        let got: Value = serde_json::from_str(&answer.text()).unwrap_or_default();
        for (name, value) in &self.sends {
            let fields = got["fields"].as_array().into_iter().flatten();
            let mut named = fields.filter(|field| field[0] == **name).filter_map(|field| field[1].as_str());
            compare(&format!("sent {name}"), named.next(), value.as_deref());
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    fn ask(&self, gate: SocketAddr) -> std::io::Result<Message> {
        let mut client = Client::connect(gate);
        let scheme = if self.secure { "https" } else { "http" };
        let Request { method, target, host, .. } = self;
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n");
        if !self.with.iter().any(|(name, _)| name == "x-forwarded-proto") {
            head.push_str(&format!("X-Forwarded-Proto: {scheme}\r\n"));
        }
        self.with.iter().for_each(|(name, value)| head.extend([name, ": ", value, "\r\n"]));
        if self.body > 0 {
            head.push_str(&format!("Content-Length: {}\r\n", self.body));
        }
        client.try_send(format!("{head}\r\n").as_bytes())?;
        // What is too large may be refused before it is read.
        let _ = client.try_send(&vec![b'x'; self.body]);
        if method == "HEAD" { client.head() } else { client.try_response() }
    }
}
