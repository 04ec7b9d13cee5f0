//! Backends (a Service and a port) and their endpoints (one address each).

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::{Digest, Protocol, Transport};

/// Names a backend: one port of one Service; or of a DNS name or an address, in a namespace without a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackendKey {
    /// The Service's namespace.
    pub namespace: Arc<str>,
    /// The Service's name.
    pub service: Arc<str>,
    /// The port as the Ingress wrote it: a number or a name.
    pub port: Arc<str>,
    /// How the Ingress wants it to be spoken to.
    pub transport: Arc<Transport>,
}

impl BackendKey {
    /// What stands for it in cookies.
    pub fn digest(&self) -> u64 {
        let BackendKey { namespace, service, port, .. } = self;
        [namespace, service, port]
            .iter()
            .fold(Digest::new(), |digest, part| digest.with(part.as_bytes()))
            .finish()
    }
}

impl fmt::Display for BackendKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        write!(f, "{}:{}", self.service, self.port)?;
        if *self.transport == Transport::default() { Ok(()) } else { write!(f, " ({})", self.transport) }
    }
}

/// What tells one endpoint from another. A pod address that is used again by another pod is another endpoint, so
/// that no pooled connection of the old pod ever meets a request for the new one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointKey {
    /// Where to connect.
    pub address: SocketAddr,
    /// The UID of the pod (`targetRef`), else of the EndpointSlice, else the DNS name it was resolved from.
    pub uid: Arc<str>,
}

impl EndpointKey {
    /// What stands for it in cookies, and what keys are weighed with. The pods' UIDs, which are random, keep clients
    /// from finding out addresses.
    pub fn digest(&self) -> u64 {
        let address = self.address.to_string();
        Digest::new().with(address.as_bytes()).with(self.uid.as_bytes()).finish()
    }
}

/// An endpoint's conditions in the words of EndpointSlice (KEP-1672): absent `ready` and `serving` mean true,
/// absent `terminating` means false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// Takes new requests.
    Ready,
    /// Shutting down but still serving: used only when no endpoint is ready (KEP-1669).
    Terminating,
    /// Takes no requests.
    NotReady,
}

impl Condition {
    /// The word used in JSON and in `explain`.
    pub fn as_str(self) -> &'static str {
        match self {
            Condition::Ready => "ready",
            Condition::Terminating => "terminating",
            Condition::NotReady => "not-ready",
        }
    }
}

/// One address of a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its identity.
    pub key: EndpointKey,
    /// Whether it takes requests.
    pub condition: Condition,
}

/// Which endpoints of a backend take requests now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The ready ones.
    Ready,
    /// None is ready; the ones that terminate but still serve are used (KEP-1669).
    Terminating,
    /// None: requests are answered 503.
    None(Unavailable),
}

/// Why a backend has no usable endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The Service does not exist.
    NoService,
    /// The Service has no such port.
    NoPort,
    /// The Service has no endpoint at all.
    NoEndpoint,
    /// It has endpoints, but none is ready or serving.
    NoneReady,
    /// The backend is refused: its Ingress names something that may not be used.
    Refused,
}

impl Unavailable {
    /// The word used in JSON, logs and `explain`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Unavailable::NoService => "no-service",
            Unavailable::NoPort => "no-port",
            Unavailable::NoEndpoint => "no-endpoint",
            Unavailable::NoneReady => "none-ready",
            Unavailable::Refused => "refused",
        }
    }
}

/// One port of one Service with all its endpoints, the usable ones first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Its name.
    pub key: BackendKey,
    /// What is spoken with its endpoints.
    pub protocol: Protocol,
    endpoints: Vec<Endpoint>,
    usable: usize,
    selection: Selection,
}

impl Backend {
    /// A backend with these endpoints, in any order. Endpoints with the same key count once; the one with the better
    /// condition stays (two slices may name the same endpoint while it moves from one to the other).
    pub fn new(key: BackendKey, mut endpoints: Vec<Endpoint>) -> Backend {
        endpoints.sort_by(|a, b| (&a.key, a.condition).cmp(&(&b.key, b.condition)));
        endpoints.dedup_by(|later, first| later.key == first.key);
        endpoints.sort_by(|a, b| (a.condition, &a.key).cmp(&(b.condition, &b.key)));
        let count = |condition| endpoints.iter().filter(|e| e.condition == condition).count();
        let (usable, selection) = match (count(Condition::Ready), count(Condition::Terminating)) {
            (0, 0) if endpoints.is_empty() => (0, Selection::None(Unavailable::NoEndpoint)),
            (0, 0) => (0, Selection::None(Unavailable::NoneReady)),
            (0, terminating) => (terminating, Selection::Terminating),
            (ready, _) => (ready, Selection::Ready),
        };
        let protocol = key.transport.protocol.unwrap_or_default();
        Backend { key, protocol, endpoints, usable, selection }
    }

    /// The same, where the Service says what is spoken. What the Ingress says goes before it.
    #[must_use]
    pub fn speaking(self, of_service: Option<Protocol>) -> Backend {
        Backend { protocol: self.key.transport.protocol.or(of_service).unwrap_or_default(), ..self }
    }

    /// A backend that can have no endpoint, and why.
    pub fn unavailable(key: BackendKey, why: Unavailable) -> Backend {
        Backend {
            endpoints: Vec::new(),
            usable: 0,
            selection: Selection::None(why),
            ..Backend::new(key, Vec::new())
        }
    }

    /// The endpoints that take requests.
    pub fn usable(&self) -> &[Endpoint] {
        &self.endpoints[..self.usable]
    }

    /// All endpoints, the usable ones first.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Which endpoints take requests.
    pub fn selection(&self) -> Selection {
        self.selection
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(address: &str, uid: &str, condition: Condition) -> Endpoint {
        let key = EndpointKey { address: address.parse().expect("an address"), uid: uid.into() };
        Endpoint { key, condition }
    }

    fn backend(endpoints: Vec<Endpoint>) -> Backend {
        let key = BackendKey {
            namespace: "shop".into(),
            service: "web".into(),
            port: "80".into(),
            transport: Arc::default(),
        };
        Backend::new(key, endpoints)
    }

    #[test]
    fn terminating_endpoints_are_used_only_when_none_is_ready() {
        let terminating = endpoint("10.0.0.1:80", "a", Condition::Terminating);
        let ready = endpoint("10.0.0.2:80", "b", Condition::Ready);
        let both = backend(vec![terminating.clone(), ready.clone()]);
        assert_eq!((both.usable(), both.selection()), (&[ready][..], Selection::Ready));
        let one = backend(vec![terminating.clone()]);
        assert_eq!((one.usable(), one.selection()), (&[terminating][..], Selection::Terminating));
    }

    #[test]
    fn an_endpoint_in_two_slices_counts_once_with_its_better_condition() {
        let one = backend(vec![
            endpoint("10.0.0.1:80", "a", Condition::NotReady),
            endpoint("10.0.0.1:80", "a", Condition::Ready),
        ]);
        assert_eq!(one.endpoints(), &[endpoint("10.0.0.1:80", "a", Condition::Ready)]);
    }

    #[test]
    fn an_address_used_again_by_another_pod_is_another_endpoint() {
        let old = endpoint("10.0.0.1:80", "a", Condition::Ready);
        let new = endpoint("10.0.0.1:80", "b", Condition::Ready);
        assert_ne!(old.key, new.key);
    }

    #[test]
    fn a_backend_says_why_it_has_no_usable_endpoint() {
        assert_eq!(backend(vec![]).selection(), Selection::None(Unavailable::NoEndpoint));
        let waiting = backend(vec![endpoint("10.0.0.1:80", "a", Condition::NotReady)]);
        assert_eq!(
            (waiting.usable().len(), waiting.selection()),
            (0, Selection::None(Unavailable::NoneReady))
        );
    }
}
