//! What an Ingress writes as a backend, read into the backend it names.

use std::sync::Arc;

use k8s_openapi::api::networking::v1::{IngressBackend, IngressServiceBackend};
use model::{BackendKey, Transport};

use crate::problems::Fault;
use crate::reasons;

/// A port of a Service as an Ingress names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    Number(u16),
    Name(Arc<str>),
}

impl Port {
    /// A number if it can be one.
    pub(crate) fn parse(written: &str) -> Option<Port> {
        match written.parse() {
            Ok(0) => None,
            Ok(number) => Some(Port::Number(number)),
            Err(_) => is_port_name(written).then(|| Port::Name(written.into())),
        }
    }
}

/// What a route leads to.
#[derive(Clone)]
pub(crate) enum Reference {
    /// A port of a Service, which may or may not exist.
    Port(BackendKey, Port),
    /// Nothing that may be used. The port in the key stands in parentheses, which no port has, so that what is refused never
    /// shares a backend with what is served.
    Refused(BackendKey, Fault),
}

impl Reference {
    /// Reads a backend: `service` or `resource`, and the Service's port by `name` or by `number` (Ingress v1). The
    /// namespace is the Ingress' own.
    pub(crate) fn read(namespace: &Arc<str>, backend: &IngressBackend) -> Reference {
        let refused = |service: &str, written: &str, message: &str| {
            let remedy = "name one Service and one of its ports, by name or by number";
            let fault = Fault::error(reasons::INVALID_BACKEND, message, remedy);
            Reference::Refused(key(namespace, service, &format!("({written})")), fault)
        };
        match (&backend.service, &backend.resource) {
            (Some(service), None) if !service.name.is_empty() => match port_of(service) {
                Ok(port) => Reference::Port(key(namespace, &service.name, &port.to_string()), port),
                Err((written, message)) => refused(&service.name, &written, &message),
            },
            (Some(_), None) => refused("", "none", "names a Service without a name"),
            (Some(service), Some(_)) => refused(&service.name, "both", "names both a service and a resource"),
            (None, Some(resource)) => {
                let name = format!("{}/{}", resource.kind, resource.name);
                refused(&name, "none", &format!("names the resource {name}; only services are supported"))
            }
            (None, None) => refused("", "none", "names neither a service nor a resource"),
        }
    }

    /// The same, spoken to in this way.
    pub(crate) fn over(self, transport: &Arc<Transport>) -> Reference {
        match self {
            Reference::Port(key, port) => {
                Reference::Port(BackendKey { transport: Arc::clone(transport), ..key }, port)
            }
            refused @ Reference::Refused(..) => refused,
        }
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Port::Number(number) => write!(f, "{number}"),
            Port::Name(name) => f.write_str(name),
        }
    }
}

fn key(namespace: &Arc<str>, service: &str, port: &str) -> BackendKey {
    BackendKey {
        namespace: Arc::clone(namespace),
        service: service.into(),
        port: port.into(),
        transport: Arc::default(),
    }
}

/// The port, or what was written in its place and what is wrong with it. An empty name and the number 0 are how the
/// API writes "not given".
fn port_of(service: &IngressServiceBackend) -> Result<Port, (String, String)> {
    let port = service.port.as_ref();
    let name = port.and_then(|port| port.name.as_deref()).filter(|name| !name.is_empty());
    let number = port.and_then(|port| port.number).filter(|number| *number != 0);
    match (name, number) {
        (Some(name), None) if is_port_name(name) => Ok(Port::Name(name.into())),
        (Some(name), None) => Err((
            name.into(),
            format!("names the port {name:?}; a port's name has letters, digits and -, at least one letter"),
        )),
        (None, Some(number)) => u16::try_from(number).map(Port::Number).map_err(|_| {
            (number.to_string(), format!("names the port {number}, which is not from 1 to 65535"))
        }),
        (Some(name), Some(number)) => Err((
            format!("{name}, {number}"),
            format!("names the port both by name ({name}) and by number ({number})"),
        )),
        (None, None) => Err(("none".into(), "names no port of its Service".into())),
    }
}

/// RFC 6335 §5.1, without its limit of 15 characters, which a Service's own ports do not have. A name of digits alone
/// would share its key with the number.
fn is_port_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && name.bytes().any(|b| b.is_ascii_alphabetic())
}
