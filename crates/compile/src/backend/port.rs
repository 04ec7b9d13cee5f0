//! Which port of a Service is meant.

use k8s_openapi::api::core::v1::{ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::reference::Port;

/// The TCP port of this number or name; a number may occur once for each protocol. Where the Service has none it may be the
/// pods' port (`targetPort`), which ingress-nginx takes too.
pub(super) fn find<'s>(spec: &'s ServiceSpec, wanted: &Port) -> Option<&'s ServicePort> {
    let is_tcp = |port: &&ServicePort| port.protocol.as_deref().is_none_or(|protocol| protocol == "TCP");
    let mut ports = spec.ports.iter().flatten().filter(is_tcp);
    let own = ports.clone().find(|port| match wanted {
        Port::Number(number) => port.port == i32::from(*number),
        Port::Name(name) => port.name.as_deref() == Some(&**name),
    });
    own.or_else(|| {
        ports.find(|port| match (&port.target_port, wanted) {
            (Some(IntOrString::Int(target)), Port::Number(number)) => *target == i32::from(*number),
            (Some(IntOrString::String(target)), Port::Name(name)) => *target == **name,
            // As a number in quotation marks is read.
            (Some(IntOrString::String(target)), Port::Number(number)) => *target == number.to_string(),
            _ => false,
        })
    })
}

/// The pods' port, where the Service says it as a number.
pub(super) fn target(port: &ServicePort) -> Option<u16> {
    match port.target_port {
        Some(IntOrString::Int(target)) => u16::try_from(target).ok().filter(|target| *target != 0),
        _ => None,
    }
}

/// Where a Service that stands for something outside the cluster is connected to: no slice says it.
pub(super) fn connected_to(port: &ServicePort) -> Option<u16> {
    target(port).or_else(|| u16::try_from(port.port).ok())
}
