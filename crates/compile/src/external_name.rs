//! Services of type ExternalName: a DNS name, or an address, in place of pods. The name is resolved elsewhere; here is decided
//! which names and which addresses may be used.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Service, ServiceSpec};
use model::{Condition, Endpoint, EndpointKey, HostName};

use crate::problems::Fault;
use crate::{address, reasons};

/// The DNS name that a Service of type ExternalName stands for, in the form that
/// [`Objects::resolved`](crate::Objects::resolved) has. None for other Services, and for a name that is not used.
pub fn external_name_of(service: &Service) -> Option<String> {
    let spec = service.spec.as_ref().filter(|spec| is_external(spec))?;
    match parse(spec.external_name.as_deref()) {
        Ok(External::Name(name)) => Some(name),
        Ok(External::Address(_)) | Err(_) => None,
    }
}

/// What a Service stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum External {
    /// A DNS name: lower case, without final dot.
    Name(String),
    /// An address, which needs no resolver.
    Address(IpAddr),
}

/// Whether the Service is of type ExternalName.
pub(crate) fn is_external(spec: &ServiceSpec) -> bool {
    spec.type_.as_deref() == Some("ExternalName")
}

/// Reads `spec.externalName`.
///
/// # Errors
/// Refuses what is neither an address nor a DNS name, and what can only mean the node itself or its surroundings.
pub(crate) fn parse(raw: Option<&str>) -> Result<External, Fault> {
    let raw = raw.unwrap_or_default();
    if let Ok(address) = raw.parse::<IpAddr>() {
        return address::check(address).map(External::Address).map_err(|forbidden| {
            let message = format!("{raw:?} is {} and is not used", forbidden.as_str());
            Fault::error(reasons::FORBIDDEN_ADDRESS, message, "name an address outside this node")
        });
    }
    let name = raw.strip_suffix('.').unwrap_or(raw).to_ascii_lowercase();
    let why = if name.is_empty() {
        "is empty".into()
    } else if is_address(&name) {
        format!("{raw:?} is an address that is not written out")
    } else if is_localhost(&name) {
        format!("{raw:?} means the node itself")
    } else if let Err(error) = HostName::parse(&name) {
        format!("{raw:?} is no DNS name: {error}")
    } else {
        return Ok(External::Name(name));
    };
    let remedy = "name a DNS name, or an address as in 192.0.2.1";
    Err(Fault::error(reasons::INVALID_EXTERNAL_NAME, why, remedy))
}

/// Resolvers read a name whose last label is a number as an IPv4 address, as in `127.1` and `0x7f000001`.
fn is_address(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_hex = last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    is_number(last) || is_hex || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

/// RFC 6761 §6.3, and the names that hosts files commonly give to loopback.
fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.starts_with("localhost.") || name.ends_with(".localhost")
}

/// The endpoint that an address is.
pub(crate) fn endpoint(address: IpAddr, port: u16) -> Endpoint {
    let key = EndpointKey { address: SocketAddr::new(address, port), uid: address.to_string().into() };
    Endpoint { key, condition: Condition::Ready }
}

/// The endpoints that a name's addresses give, and what is wrong with the others. A name that is not resolved yet
/// gives none and is no fault.
pub(crate) fn endpoints(
    name: &str,
    port: u16,
    resolved: Option<&Result<Vec<IpAddr>, String>>,
) -> (Vec<Endpoint>, Vec<Fault>) {
    let addresses = match resolved {
        None => return (Vec::new(), Vec::new()),
        Some(Err(error)) => return (Vec::new(), vec![unresolved(name, error)]),
        Some(Ok(addresses)) => addresses,
    };
    let uid: Arc<str> = name.into();
    let (mut endpoints, mut faults) = (Vec::new(), Vec::new());
    for address in addresses {
        match address::check(*address) {
            Ok(address) => {
                let key = EndpointKey { address: SocketAddr::new(address, port), uid: Arc::clone(&uid) };
                endpoints.push(Endpoint { key, condition: Condition::Ready });
            }
            Err(forbidden) => faults.push(Fault::error(
                reasons::FORBIDDEN_ADDRESS,
                format!("{name} resolves to {address}, which is {} and is not used", forbidden.as_str()),
                "name a DNS name whose addresses lie outside this node",
            )),
        }
    }
    (endpoints, faults)
}

/// What is wrong with an address that is written in a DNS name's place and may not be used.
pub(crate) fn forbidden(address: &str) -> Fault {
    let message = format!("{address} is an address that is not used");
    Fault::error(reasons::FORBIDDEN_ADDRESS, message, "name a server that lies outside this node")
}

fn unresolved(name: &str, error: &str) -> Fault {
    Fault::warning(
        reasons::UNRESOLVED_NAME,
        format!("{name} could not be resolved: {error}"),
        "correct the name or mend its DNS record; it is tried again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_lowered_and_loses_its_final_dot() {
        let name = External::Name("api.example.com".into());
        assert_eq!(parse(Some("API.Example.COM.")).expect("a name"), name);
    }

    #[test]
    fn an_address_outside_the_node_needs_no_name() {
        for (raw, address) in
            [("192.0.2.77", "192.0.2.77"), ("2001:db8::1", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1")]
        {
            let address = address.parse().expect("an address");
            assert_eq!(parse(Some(raw)).expect(raw), External::Address(address));
        }
    }

    #[test]
    fn a_name_that_means_an_address_or_the_node_is_refused() {
        for raw in [
            "",
            ".",
            "127.0.0.1",
            "169.254.169.254",
            "::ffff:127.0.0.1",
            "10.0.0.1.",
            "127.1",
            "2130706433",
            "0x7f000001",
            "::1",
            "[::1]",
            "localhost",
            "LocalHost.",
            "localhost.localdomain",
            "a.localhost",
            "a b",
            "http://a",
            "a..b",
            "a:80",
        ] {
            assert!(parse(Some(raw)).is_err(), "{raw:?}");
        }
        assert!(parse(None).is_err());
    }
}
