//! The same in the way that a route asks for: which of what a client says is believed, and what endpoints are told.

use std::net::IpAddr;

use http::Uri;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use model::{Edge, any_contains};

use super::{FOR, Forwarding, HOPS_MAX, HOST, PORT, PROTO, REAL_IP, REQUEST_ID, first, request_id, value};
use crate::field;
use crate::headers;

const SCHEME: HeaderName = HeaderName::from_static("x-scheme");
const FORWARDED_SCHEME: HeaderName = HeaderName::from_static("x-forwarded-scheme");
const ORIGINAL_FOR: HeaderName = HeaderName::from_static("x-original-forwarded-for");
const ORIGINAL_HOST: HeaderName = HeaderName::from_static("x-original-forwarded-host");
const ORIGINAL_URI: HeaderName = HeaderName::from_static("x-original-uri");
/// What programs that read fields as variables take for the proxy that they are to use (httpoxy).
const PROXY: HeaderName = HeaderName::from_static("proxy");

const HTTPS_PORT: u16 = 443;

impl Forwarding {
    /// Sets the fields for one request, as the edge says.
    pub(crate) fn tell(&mut self, edge: &Edge, headers: &mut HeaderMap, target: &Uri, networks: &[IpNet]) {
        headers::keep_names(headers, edge.names);
        headers.remove(PROXY);
        let believed = edge.believes_clients || self.trusted;
        let (scheme, port) = (self.told_scheme(believed, headers), self.told_port(believed, headers));
        let host = self.told_host(believed, headers);
        let address = self.told_address(edge, headers, networks);
        let (chain, hosts) = (joined(headers, &edge.for_field), joined(headers, &edge.host_field));
        let told = match &chain {
            Some(chain) if edge.tells_chain && believed => extended(chain, &self.peer),
            _ if edge.tells_chain && believed => self.peer.clone(),
            _ => address.clone(),
        };
        headers.insert(FOR, told);
        headers.insert(REAL_IP, address);
        headers.insert(HOST, host.clone());
        headers.insert(header::HOST, host);
        headers.insert(PORT, port);
        headers.insert(PROTO, scheme.clone());
        headers.insert(FORWARDED_SCHEME, scheme.clone());
        headers.insert(SCHEME, scheme);
        set_or_remove(headers, ORIGINAL_FOR, chain);
        set_or_remove(headers, ORIGINAL_HOST, hosts);
        if edge.tells_target
            && let Some(Ok(target)) = target.path_and_query().map(|it| HeaderValue::from_str(it.as_str()))
        {
            headers.insert(ORIGINAL_URI, target);
        }
        let id = joined(headers, REQUEST_ID.as_str());
        set_or_remove(headers, REQUEST_ID, id.or_else(|| edge.makes_request_id.then(request_id)));
    }

    fn told_scheme(&self, believed: bool, headers: &HeaderMap) -> HeaderValue {
        if self.connected_to == Some(HTTPS_PORT) {
            return HeaderValue::from_static("https");
        }
        let told = believed.then(|| joined(headers, PROTO.as_str())).flatten();
        told.unwrap_or(HeaderValue::from_static(self.scheme))
    }

    /// That of the listener, which is by convention that of the scheme: the ones that are bound are of the container.
    fn told_port(&self, believed: bool, headers: &HeaderMap) -> HeaderValue {
        let told = believed.then(|| joined(headers, PORT.as_str())).flatten();
        told.unwrap_or_else(|| match self.connected_to {
            Some(port) => HeaderValue::from(port),
            None if self.scheme == "https" => HeaderValue::from_static("443"),
            None => HeaderValue::from_static("80"),
        })
    }

    fn told_host(&self, believed: bool, headers: &HeaderMap) -> HeaderValue {
        if believed && headers.contains_key(HOST) {
            let told = HeaderValue::from_bytes(first(headers, &HOST));
            if let Some(told) = told.ok().filter(|told| !told.is_empty()) {
                return told;
            }
        }
        headers.get(header::HOST).unwrap_or(&self.local).clone()
    }

    fn told_address(&self, edge: &Edge, headers: &HeaderMap, networks: &[IpNet]) -> HeaderValue {
        match told_address(self.address, edge, headers, networks) {
            Some(address) => value(&address.to_string()),
            None => self.peer.clone(),
        }
    }
}

/// The nearest address of the chain that no believed proxy has; if all are believed, the farthest. None if it is that of the
/// peer. What cannot be read ends the chain.
fn told_address(peer: IpAddr, edge: &Edge, headers: &HeaderMap, networks: &[IpNet]) -> Option<IpAddr> {
    let is_believed =
        |ip| any_contains(networks, ip) || (edge.real_ip && any_contains(&edge.real_ip_from, ip));
    if !is_believed(peer) {
        return None;
    }
    let chain = headers.get_all(&*edge.for_field).iter().flat_map(|value| field::list(value.as_bytes()));
    let chain: Vec<&[u8]> = chain.collect();
    let mut farthest = None;
    for hop in chain.iter().rev().take(HOPS_MAX) {
        let Some(ip) = hop_address(hop) else { break };
        farthest = Some(ip);
        if !is_believed(ip) {
            break;
        }
    }
    farthest
}

/// An address, with a port or without.
fn hop_address(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?;
    let address = hop.parse::<IpAddr>().ok();
    let address = address.or_else(|| Some(hop.parse::<std::net::SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

/// Where a request comes from, as endpoints are told it.
pub(crate) fn client_address(
    peer: IpAddr,
    edge: &Edge,
    headers: &HeaderMap,
    networks: &[IpNet],
) -> Option<IpAddr> {
    Some(told_address(peer, edge, headers, networks).unwrap_or(peer.to_canonical()))
}

/// All fields of a name as one; none if they say nothing.
fn joined(headers: &HeaderMap, name: &str) -> Option<HeaderValue> {
    let mut all = headers.get_all(name).iter();
    let (one, more) = (all.next()?, all.next());
    let joined = match more {
        None => one.clone(),
        Some(_) => all_of(headers, name).unwrap_or_else(|| one.clone()),
    };
    (!joined.is_empty()).then_some(joined)
}

fn all_of(headers: &HeaderMap, name: &str) -> Option<HeaderValue> {
    let all: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    HeaderValue::from_bytes(&all.join(&b", "[..])).ok()
}

fn extended(chain: &HeaderValue, peer: &HeaderValue) -> HeaderValue {
    let both = [chain.as_bytes(), peer.as_bytes()].join(&b", "[..]);
    HeaderValue::from_bytes(&both).unwrap_or_else(|_| peer.clone())
}

fn set_or_remove(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    match value {
        Some(value) => drop(headers.insert(name, value)),
        None => drop(headers.remove(name)),
    }
}
