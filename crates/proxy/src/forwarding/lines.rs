//! The same fields as lines: what nothing looks at or changes on the way is not set, but written behind the other fields.

use bytes::Bytes;
use http::header::{self, HeaderMap};

use super::{FOR, Forwarding, HOST, ID_BYTES, PORT, PROTO, REAL_IP, REQUEST_ID, random_id};
use crate::headers;

/// The fields of one request as they are written.
pub(crate) struct Lines {
    /// Up to the request's ID.
    shared: Bytes,
    id: [u8; ID_BYTES],
}

impl Lines {
    /// Bytes of them.
    pub(crate) fn len(&self) -> usize {
        self.shared.len() + ID_BYTES + 2
    }

    /// Writes them.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.shared);
        bytes.extend_from_slice(&self.id);
        bytes.extend_from_slice(b"\r\n");
    }
}

impl Forwarding {
    /// The same without setting them, to be written behind the others; none where what the client says is to be extended.
    pub(crate) fn lines(&mut self, headers: &mut HeaderMap, keeps_underscores: bool) -> Option<Lines> {
        if self.trusted {
            return None;
        }
        headers::strip_aliases(headers, false, keeps_underscores);
        self.learn_host(headers);
        if self.lines.is_empty() {
            self.lines = self.shared_lines();
        }
        Some(Lines { shared: self.lines.clone(), id: random_id() })
    }

    fn shared_lines(&self) -> Bytes {
        let mut lines = Vec::new();
        for (name, value) in [
            (FOR, self.peer.as_bytes()),
            (REAL_IP, self.peer.as_bytes()),
            (PROTO, self.scheme.as_bytes()),
            (HOST, self.host.as_bytes()),
            (PORT, self.port.as_bytes()),
            (header::FORWARDED, self.forwarded.as_bytes()),
        ] {
            lines.extend([name.as_str().as_bytes(), b": ", value, b"\r\n"].concat());
        }
        lines.extend([REQUEST_ID.as_str().as_bytes(), b": "].concat());
        lines.into()
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn forwarding() -> Forwarding {
        let address = |text: &str| text.parse().expect("an address");
        Forwarding::new(address("192.0.2.1:4711"), address("192.0.2.2:80"), None, "http", &[])
    }

    fn request(host: &str) -> HeaderMap {
        let mut fields = HeaderMap::new();
        fields.insert(header::HOST, HeaderValue::from_str(host).expect("a host"));
        fields.insert(FOR, HeaderValue::from_static("6.6.6.6"));
        fields
    }

    #[test]
    fn lines_say_of_each_request_what_fields_would() {
        let (mut in_lines, mut in_fields) = (forwarding(), forwarding());
        for host in ["a.test", "a.test", "b.test:8080"] {
            let (mut plain, mut set) = (request(host), request(host));
            let lines = in_lines.lines(&mut plain, false).expect("the peer is not believed");
            in_fields.extend_or_replace(&mut set, &[], false);
            assert!(!plain.contains_key(FOR), "what the client says is gone");
            let mut bytes = Vec::new();
            lines.write(&mut bytes);
            assert_eq!(bytes.len(), lines.len());
            let text = String::from_utf8(bytes).expect("text");
            for line in text.strip_suffix("\r\n").expect("a whole line").split("\r\n") {
                let (name, value) = line.split_once(": ").expect("a field");
                let name = HeaderName::try_from(name).expect("a name");
                let ours = set.remove(&name).expect("the same field");
                assert!(ours == value || name == REQUEST_ID && ours.len() == value.len(), "{line}");
            }
            set.remove(header::HOST);
            assert!(set.is_empty(), "none is missing: {set:?}");
        }
    }
}
