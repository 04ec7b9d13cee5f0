//! EndpointSlices to endpoints: all slices of a Service joined (EndpointSlice v1, KEP-1672).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use k8s_openapi::api::discovery::v1::{self, EndpointConditions, EndpointSlice};
use model::{Condition, Endpoint, EndpointKey, ObjectRef};

use crate::address::{self, Forbidden};
use crate::problems::{Fault, Problems};
use crate::{ObjectKey, reasons};

/// A slice and its name.
pub(crate) type NamedSlice<'a> = (&'a ObjectKey, &'a Arc<EndpointSlice>);

/// Whether any slice that has endpoints has the port too, or none has endpoints: such a slice may leave its ports out.
pub(crate) fn any_has_port<'a>(slices: impl Iterator<Item = NamedSlice<'a>>, port_name: &str) -> bool {
    let mut with_endpoints = slices.filter(|(_, slice)| !slice.endpoints.is_empty()).peekable();
    with_endpoints.peek().is_none() || with_endpoints.any(|(_, slice)| find_port(slice, port_name).is_some())
}

/// Which of a slice's ports is meant.
#[derive(Clone, Copy)]
pub(crate) enum SlicePort<'a> {
    /// The one that has this name in the Service.
    Named(&'a str),
    /// As ingress-nginx reads slices that have none of that name: the first one if the port has no name in the Service, else,
    /// and where a slice has no port at all, the pods' port that the Service says.
    Unnamed { is_only: bool, target: Option<u16> },
}

/// The endpoints that a slice gives for a port of the Service.
pub(crate) fn read(
    (key, slice): NamedSlice<'_>,
    port: SlicePort<'_>,
    allow_loopback: bool,
    problems: &mut Problems,
) -> Vec<Endpoint> {
    let object = || ObjectRef::new("EndpointSlice", &key.namespace, &key.name);
    let family = match Family::of(slice) {
        Ok(family) => family,
        Err(fault) => {
            problems.add(object(), "addressType", fault);
            return Vec::new();
        }
    };
    let Some((at, number)) = port.find(slice) else { return Vec::new() };
    let Some(port) = u16::try_from(number).ok().filter(|port| *port != 0) else {
        problems.add(object(), format!("ports[{at}].port"), bad_port(number));
        return Vec::new();
    };
    let mut endpoints = Vec::with_capacity(slice.endpoints.len());
    for (at, endpoint) in slice.endpoints.iter().enumerate() {
        match address_of(endpoint, family, allow_loopback) {
            Ok(address) => endpoints.push(Endpoint {
                key: EndpointKey {
                    address: SocketAddr::new(address, port),
                    uid: uid_of(endpoint, key, slice),
                },
                condition: condition_of(endpoint.conditions.as_ref()),
            }),
            Err(fault) => problems.add(object(), format!("endpoints[{at}].addresses[0]"), fault),
        }
    }
    endpoints
}

/// The endpoints of before that a slice lists, whatever ports it has. Of another pod they are not: an address is used again,
/// and a node's is many pods'.
pub(crate) fn at_ports<'a>(
    (key, slice): NamedSlice<'a>,
    before: &'a HashMap<IpAddr, Vec<&'a EndpointKey>>,
) -> impl Iterator<Item = Endpoint> + 'a {
    let family = Family::of(slice).ok();
    slice.endpoints.iter().flat_map(move |endpoint| {
        let raw = endpoint.addresses.first().map(String::as_str).unwrap_or_default();
        let address = family.and_then(|family| family.parse(raw)).map(|address| address.to_canonical());
        let pod = endpoint.target_ref.as_ref().and_then(|target| target.uid.as_deref());
        let same = address.and_then(|address| before.get(&address)).into_iter().flatten();
        let same = same.filter(move |before| pod.is_none_or(|pod| *before.uid == *pod));
        same.map(move |before| Endpoint {
            key: EndpointKey { address: before.address, uid: uid_of(endpoint, key, slice) },
            condition: condition_of(endpoint.conditions.as_ref()),
        })
    })
}

impl SlicePort<'_> {
    /// Its place and number.
    fn find(self, slice: &EndpointSlice) -> Option<(usize, i32)> {
        match self {
            SlicePort::Named(name) => find_port(slice, name),
            SlicePort::Unnamed { is_only, target } => {
                let first = tcp_ports(slice).next().filter(|_| is_only);
                first.map(|(at, _, number)| (at, number)).or_else(|| Some((0, i32::from(target?))))
            }
        }
    }
}

/// The place, name and number of each TCP port. One without a number says nothing we could connect to.
fn tcp_ports(slice: &EndpointSlice) -> impl Iterator<Item = (usize, &str, i32)> {
    let is_tcp = |protocol: Option<&str>| protocol.is_none_or(|protocol| protocol == "TCP");
    slice.ports.iter().flatten().enumerate().filter_map(move |(at, port)| {
        let number = port.port.filter(|_| is_tcp(port.protocol.as_deref()))?;
        Some((at, port.name.as_deref().unwrap_or_default(), number))
    })
}

/// The place and number of the slice's TCP port of this name. Slices are matched to a Service's port by its name
/// alone: the number is the pods'.
fn find_port(slice: &EndpointSlice, name: &str) -> Option<(usize, i32)> {
    tcp_ports(slice).find(|(_, named, _)| *named == name).map(|(at, _, number)| (at, number))
}

#[derive(Clone, Copy)]
enum Family {
    V4,
    V6,
}

impl Family {
    fn of(slice: &EndpointSlice) -> Result<Family, Fault> {
        match slice.address_type.as_str() {
            "IPv4" => Ok(Family::V4),
            "IPv6" => Ok(Family::V6),
            "FQDN" => Err(Fault::warning(
                reasons::INVALID_ENDPOINT,
                "is of addressType FQDN, which has no defined meaning; its endpoints are not used",
                "use IPv4 or IPv6 addresses, or a Service of type ExternalName",
            )),
            other => Err(Fault::error(
                reasons::INVALID_ENDPOINT,
                format!("has the addressType {other:?}; its endpoints are not used"),
                "write IPv4 or IPv6",
            )),
        }
    }

    fn parse(self, raw: &str) -> Option<IpAddr> {
        match self {
            Family::V4 => raw.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
            Family::V6 => raw.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        }
    }
}

/// Only the first address has a meaning (EndpointSlice v1).
fn address_of(endpoint: &v1::Endpoint, family: Family, allow_loopback: bool) -> Result<IpAddr, Fault> {
    let raw = endpoint.addresses.first().map(String::as_str).unwrap_or_default();
    let Some(address) = family.parse(raw) else {
        return Err(Fault::error(
            reasons::INVALID_ENDPOINT,
            format!("{raw:?} is no {} address; this endpoint is not used", family.as_str()),
            "write an address of the slice's addressType",
        ));
    };
    match address::check(address) {
        Ok(address) => Ok(address),
        Err(Forbidden::Loopback) if allow_loopback => Ok(address.to_canonical()),
        Err(forbidden) => Err(Fault::error(
            reasons::FORBIDDEN_ADDRESS,
            format!("{raw} is {}; this endpoint is not used", forbidden.as_str()),
            "name the address of a pod or of a host outside this node",
        )),
    }
}

/// What stays the same for as long as the address means the same pod.
fn uid_of(endpoint: &v1::Endpoint, key: &ObjectKey, slice: &EndpointSlice) -> Arc<str> {
    let target = endpoint.target_ref.as_ref();
    let given = |text: Option<&String>| text.filter(|text| !text.is_empty()).map(|text| text.as_str().into());
    given(target.and_then(|target| target.uid.as_ref()))
        .or_else(|| given(target.and_then(|target| target.name.as_ref())))
        .or_else(|| given(slice.metadata.uid.as_ref()))
        .unwrap_or_else(|| key.to_string().into())
}

/// Absent `ready` and `serving` mean true, absent `terminating` false (EndpointSlice v1). `ready` beside `terminating`
/// is how `publishNotReadyAddresses` shows; such an endpoint counts as serving, whatever its pod says.
fn condition_of(conditions: Option<&EndpointConditions>) -> Condition {
    let ready = conditions.and_then(|c| c.ready).unwrap_or(true);
    let serving = conditions.and_then(|c| c.serving).unwrap_or(true);
    let terminating = conditions.and_then(|c| c.terminating).unwrap_or(false);
    match (ready, serving, terminating) {
        (true, _, false) => Condition::Ready,
        (true, _, true) | (_, true, true) => Condition::Terminating,
        _ => Condition::NotReady,
    }
}

fn bad_port(number: i32) -> Fault {
    Fault::error(
        reasons::INVALID_ENDPOINT,
        format!("{number} is no port; this slice's endpoints are not used"),
        "write a number from 1 to 65535",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_that_are_absent_mean_ready_serving_and_not_terminating() {
        let (yes, no) = (Some(true), Some(false));
        for (ready, serving, terminating, expected) in [
            (None, None, None, Condition::Ready),
            (yes, None, None, Condition::Ready),
            (no, None, None, Condition::NotReady),
            (no, yes, no, Condition::NotReady),
            (yes, no, no, Condition::Ready),
            (no, yes, yes, Condition::Terminating),
            (no, None, yes, Condition::Terminating),
            (no, no, yes, Condition::NotReady),
            (yes, yes, yes, Condition::Terminating),
            (yes, no, yes, Condition::Terminating),
        ] {
            let conditions = EndpointConditions { ready, serving, terminating };
            assert_eq!(condition_of(Some(&conditions)), expected, "{conditions:?}");
        }
        assert_eq!(condition_of(None), Condition::Ready);
    }
}
