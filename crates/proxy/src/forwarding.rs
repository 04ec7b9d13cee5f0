//! What upstreams are told about the client: `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, `X-Real-IP`, `X-Request-ID`
//! and `Forwarded` (RFC 7239).
//!
//! A client can write anything into these fields. So they are replaced, unless the peer is a proxy that we trust: then
//! they are believed and extended.

pub(crate) mod edge;
mod lines;

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use model::{RequestHost, any_contains};

pub(crate) use self::lines::Lines;
use crate::field;
use crate::headers;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(crate) const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub(crate) const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
pub(crate) const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Bytes of a request ID that is taken over from a trusted proxy.
const REQUEST_ID_BYTES_MAX: usize = 128;
/// Bytes of one of ours.
const ID_BYTES: usize = 32;
/// Entries of `X-Forwarded-For` that are looked at for the client's address.
const HOPS_MAX: usize = 32;

/// What is the same for all requests of one connection, made once.
pub(crate) struct Forwarding {
    trusted: bool,
    address: IpAddr,
    /// The peer's address as text.
    pub(crate) peer: HeaderValue,
    /// What the client speaks: `http` or `https`.
    scheme: &'static str,
    local: HeaderValue,
    /// The port that the client connected to, if we were told.
    connected_to: Option<u16>,
    /// The host that `forwarded` names and `port` belongs to.
    host: HeaderValue,
    forwarded: HeaderValue,
    port: HeaderValue,
    /// All that is the same for each request to that host, as it is written; empty until it is needed.
    lines: Bytes,
}

impl Forwarding {
    pub(crate) fn new(
        peer: SocketAddr,
        local: SocketAddr,
        connected_to: Option<u16>,
        scheme: &'static str,
        networks: &[IpNet],
    ) -> Forwarding {
        let none = HeaderValue::from_static("");
        Forwarding {
            trusted: any_contains(networks, peer.ip()),
            address: peer.ip(),
            scheme,
            peer: value(&peer.ip().to_canonical().to_string()),
            local: value(&local.to_string()),
            connected_to,
            host: none.clone(),
            forwarded: none.clone(),
            port: none,
            lines: Bytes::new(),
        }
    }

    /// Sets the fields for one request. `keeps_underscores`: names may be spelled with them.
    pub(crate) fn extend_or_replace(
        &mut self,
        headers: &mut HeaderMap,
        networks: &[IpNet],
        keeps_underscores: bool,
    ) {
        headers::strip_aliases(headers, self.trusted, keeps_underscores);
        self.set(headers, networks);
    }

    fn set(&mut self, headers: &mut HeaderMap, networks: &[IpNet]) {
        self.learn_host(headers);
        if self.trusted {
            self.extend(headers, networks);
        } else {
            self.replace(headers);
        }
    }

    /// The host that the request is for. Most are for the same as the last one.
    fn learn_host(&mut self, headers: &mut HeaderMap) {
        if headers.get(header::HOST).is_some_and(|host| *host == self.host) {
            return;
        }
        let host = match headers.get(header::HOST) {
            Some(host) => host.clone(),
            None => {
                // A client of HTTP/1.0; the upstream speaks 1.1, where a host is a must.
                headers.insert(header::HOST, self.local.clone());
                self.local.clone()
            }
        };
        if self.host != host {
            self.forwarded = forwarded(&self.peer, &host, self.scheme);
            self.port = port(host.as_bytes(), self.connected_to, self.scheme.as_bytes());
            // A copy: a slice of the read buffer would keep that buffer from being used again.
            self.host = HeaderValue::from_bytes(host.as_bytes()).unwrap_or(host);
            self.lines = Bytes::new();
        }
    }

    fn replace(&self, headers: &mut HeaderMap) {
        headers.insert(FOR, self.peer.clone());
        headers.insert(REAL_IP, self.peer.clone());
        headers.insert(PROTO, HeaderValue::from_static(self.scheme));
        headers.insert(HOST, self.host.clone());
        headers.insert(PORT, self.port.clone());
        headers.insert(header::FORWARDED, self.forwarded.clone());
        headers.insert(REQUEST_ID, request_id());
    }

    fn extend(&self, headers: &mut HeaderMap, networks: &[IpNet]) {
        let real_ip = real_ip(headers, networks).map(|ip| value(&ip.to_string()));
        let real_ip = real_ip.or_else(|| headers.get(REAL_IP).cloned()).unwrap_or_else(|| self.peer.clone());
        headers.insert(REAL_IP, real_ip);
        append(headers, FOR, &self.peer);
        append(headers, header::FORWARDED, &self.forwarded);
        // What the proxy says of the scheme counts for more than which of its ports led here.
        let connected_to = self.connected_to.filter(|_| !headers.contains_key(PROTO));
        keep_or_set(headers, PROTO, || HeaderValue::from_static(self.scheme));
        keep_or_set(headers, HOST, || self.host.clone());
        if !headers.contains_key(PORT) {
            let port = port(first(headers, &HOST), connected_to, first(headers, &PROTO));
            headers.insert(PORT, port);
        }
        if !headers.get(REQUEST_ID).is_some_and(is_request_id) {
            headers.insert(REQUEST_ID, request_id());
        }
    }
}

/// The nearest address of the chain that no trusted proxy has; if all are trusted, the farthest.
fn real_ip(headers: &HeaderMap, networks: &[IpNet]) -> Option<IpAddr> {
    let chain = headers.get_all(FOR).iter().flat_map(|value| field::list(value.as_bytes()));
    let chain: Vec<&[u8]> = chain.collect();
    let mut farthest = None;
    for hop in chain.iter().rev().take(HOPS_MAX) {
        let ip = std::str::from_utf8(hop).ok().and_then(|hop| hop.parse::<IpAddr>().ok())?;
        farthest = Some(ip);
        if !any_contains(networks, ip) {
            break;
        }
    }
    farthest
}

/// Where a request comes from: the peer's address, or what a proxy that we trust says; none if that says nonsense. It is what
/// endpoints are told, so that they and we decide about the same client.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, networks: &[IpNet]) -> Option<IpAddr> {
    let of_peer = Some(peer.to_canonical());
    if !any_contains(networks, peer) {
        of_peer
    } else if headers.contains_key(FOR) {
        real_ip(headers, networks)
    } else if let Some(told) = headers.get(REAL_IP) {
        told.to_str().ok()?.parse().ok()
    } else {
        of_peer
    }
}

/// What a proxy that we trust says in a field.
pub(crate) fn told<'h>(
    peer: IpAddr,
    headers: &'h HeaderMap,
    name: &HeaderName,
    networks: &[IpNet],
) -> Option<&'h [u8]> {
    let value = headers.get(name)?;
    any_contains(networks, peer).then_some(value.as_bytes())
}

/// Adds an element to a list field, in one line: not every upstream joins several.
fn append(headers: &mut HeaderMap, name: HeaderName, last: &HeaderValue) {
    let mut list: Vec<u8> = Vec::new();
    for value in headers.get_all(&name).iter().chain([last]) {
        if !list.is_empty() && !value.is_empty() {
            list.extend_from_slice(b", ");
        }
        list.extend_from_slice(value.as_bytes());
    }
    headers.insert(name, HeaderValue::from_maybe_shared(Bytes::from(list)).unwrap_or_else(|_| last.clone()));
}

fn keep_or_set(headers: &mut HeaderMap, name: HeaderName, ours: impl FnOnce() -> HeaderValue) {
    if !headers.contains_key(&name) {
        headers.insert(name, ours());
    }
}

/// `for=…;host=…;proto=…` (RFC 7239 §4); what is no token is quoted.
fn forwarded(peer: &HeaderValue, host: &HeaderValue, scheme: &str) -> HeaderValue {
    let mut text = String::new();
    let (peer, host) = (peer.to_str().unwrap_or("unknown"), host.to_str().unwrap_or(""));
    let _ = if peer.contains(':') { write!(text, "for=\"[{peer}]\"") } else { write!(text, "for={peer}") };
    let token = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    let _ = if token { write!(text, ";host={host}") } else { write!(text, ";host=\"{host}\"") };
    let _ = write!(text, ";proto={scheme}");
    value(&text)
}

/// The port that the client used: its host's, else the one that a PROXY header told, else that of the scheme. Our listener's is
/// nothing to it: behind a load balancer or a NodePort it is another one.
pub(crate) fn port(host: &[u8], connected_to: Option<u16>, scheme: &[u8]) -> HeaderValue {
    let host = std::str::from_utf8(host).ok().and_then(|host| RequestHost::parse(host).ok());
    match host.and_then(|host| host.port()).or(connected_to) {
        Some(port) => value(&port.to_string()),
        None if scheme.eq_ignore_ascii_case(b"https") => HeaderValue::from_static("443"),
        None => HeaderValue::from_static("80"),
    }
}

/// What the proxy nearest to the client has said, in a field that others may have extended.
fn first<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h [u8] {
    let list = headers.get(name).map_or(&[][..], HeaderValue::as_bytes);
    field::list(list).next().unwrap_or_default()
}

fn is_request_id(id: &HeaderValue) -> bool {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"-_.:+/=".contains(b);
    (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.as_bytes().iter().all(allowed)
}

fn request_id() -> HeaderValue {
    HeaderValue::from_bytes(&random_id()).unwrap_or_else(|_| HeaderValue::from_static("0"))
}

/// 128 random bits, as nginx writes `$request_id`. It tells requests apart; it is no secret.
fn random_id() -> [u8; ID_BYTES] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bits = fastrand::u128(..).to_be_bytes();
    std::array::from_fn(|at| HEX[usize::from(bits[at / 2] >> (4 * (1 - at % 2)) & 15)])
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}

#[cfg(test)]
mod tests;
