//! A Service and a port to a backend with its endpoints. Each is made once, however many routes lead to it.

use std::collections::{BTreeSet, HashMap};

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use model::{Backend, BackendKey, ObjectRef, RouteTableBuilder, Unavailable};

use crate::endpoint::{self, Slices};
use crate::problems::{Fault, Problems};
use crate::reference::{Port, Reference};
use crate::{ObjectKey, Objects, Settings, external_name, reasons};

/// Makes backends and keeps what was wrong with those that routes were wrong to name.
pub(crate) struct Backends<'a> {
    objects: &'a Objects,
    settings: &'a Settings,
    slices: Slices<'a>,
    /// What is to be told of each route that leads to such a backend.
    faults: HashMap<BackendKey, Fault>,
    external_names: BTreeSet<String>,
}

impl<'a> Backends<'a> {
    pub(crate) fn new(objects: &'a Objects, settings: &'a Settings) -> Backends<'a> {
        let slices = Slices::new(&objects.endpoint_slices);
        Backends { objects, settings, slices, faults: HashMap::new(), external_names: BTreeSet::new() }
    }

    /// The place of the backend that is referred to, and what is wrong with referring to it. What is wrong with the
    /// Service itself or with its slices is told of them.
    pub(crate) fn place(
        &mut self,
        reference: Reference,
        builder: &mut RouteTableBuilder,
        problems: &mut Problems,
    ) -> (u32, Option<Fault>) {
        match reference {
            Reference::Refused(key, fault) => {
                let refused = || Backend::unavailable(key.clone(), Unavailable::Refused);
                (builder.backend(&key, refused), fault)
            }
            Reference::Port(key, port) => {
                let place = builder.backend(&key, || self.make(&key, &port, problems));
                (place, self.faults.get(&key).cloned())
            }
        }
    }

    /// The DNS names of all ExternalName Services that a backend was made of.
    pub(crate) fn into_external_names(self) -> BTreeSet<String> {
        self.external_names
    }

    fn make(&mut self, key: &BackendKey, port: &Port, problems: &mut Problems) -> Backend {
        let (objects, service) = (self.objects, ObjectKey::new(&*key.namespace, &*key.service));
        let Some(service) = objects.services.get(&service) else {
            self.faults.insert(key.clone(), no_service(key));
            return Backend::unavailable(key.clone(), Unavailable::NoService);
        };
        match service.spec.as_ref() {
            Some(spec) if spec.type_.as_deref() == Some("ExternalName") => {
                self.make_external(key, port, spec, problems)
            }
            _ => self.make_sliced(key, port, service, problems),
        }
    }

    fn make_sliced(
        &mut self,
        key: &BackendKey,
        port: &Port,
        service: &Service,
        problems: &mut Problems,
    ) -> Backend {
        let Some(port) = service.spec.as_ref().and_then(|spec| find_port(spec, port)) else {
            return self.no_port(key, "add the port to the Service or name one that it has");
        };
        let port_name = port.name.as_deref().unwrap_or_default();
        let slices = self.slices.of(&key.namespace, &key.service);
        if slices.is_empty() || !endpoint::any_has_port(slices, port_name) {
            let object = ObjectRef::new("Service", &key.namespace, &key.service);
            problems.add(object, "", no_slice(slices.is_empty(), port_name));
        }
        let allow_loopback = self.settings.allow_loopback;
        let read = |slice: &_| endpoint::read(*slice, port_name, allow_loopback, problems);
        Backend::new(key.clone(), slices.iter().flat_map(read).collect())
    }

    /// An ExternalName Service needs no `ports`; a number in the Ingress is enough.
    fn make_external(
        &mut self,
        key: &BackendKey,
        port: &Port,
        spec: &ServiceSpec,
        problems: &mut Problems,
    ) -> Backend {
        let object = || ObjectRef::new("Service", &key.namespace, &key.service);
        let name = match external_name::parse(spec.external_name.as_deref()) {
            Ok(name) => name,
            Err(fault) => {
                problems.add(object(), "spec.externalName", fault);
                return Backend::unavailable(key.clone(), Unavailable::Refused);
            }
        };
        let number = match port {
            Port::Number(number) => Some(*number),
            Port::Name(_) => find_port(spec, port).and_then(|port| u16::try_from(port.port).ok()),
        };
        let Some(port) = number.filter(|number| *number != 0) else {
            return self.no_port(key, "name the port by its number, or add it to the Service");
        };
        let (endpoints, faults) = external_name::endpoints(&name, port, self.objects.resolved.get(&name));
        for fault in faults {
            problems.add(object(), "spec.externalName", fault);
        }
        self.external_names.insert(name);
        Backend::new(key.clone(), endpoints)
    }

    fn no_port(&mut self, key: &BackendKey, remedy: &str) -> Backend {
        let BackendKey { namespace, service, port } = key;
        let message =
            format!("routes to port {port} of Service {namespace}/{service}, which has no such TCP port");
        self.faults.insert(key.clone(), Fault::error(reasons::MISSING_PORT, message, remedy));
        Backend::unavailable(key.clone(), Unavailable::NoPort)
    }
}

/// The TCP port of this number or name; a number may occur once for each protocol.
fn find_port<'s>(spec: &'s ServiceSpec, wanted: &Port) -> Option<&'s ServicePort> {
    spec.ports.iter().flatten().find(|port| {
        let is_tcp = port.protocol.as_deref().is_none_or(|protocol| protocol == "TCP");
        is_tcp
            && match wanted {
                Port::Number(number) => port.port == i32::from(*number),
                Port::Name(name) => port.name.as_deref() == Some(&**name),
            }
    })
}

fn no_service(key: &BackendKey) -> Fault {
    Fault::error(
        reasons::DANGLING_REFERENCE,
        format!("routes to Service {}/{}, which does not exist", key.namespace, key.service),
        "create the Service in the Ingress' namespace or correct the name",
    )
}

/// In a cluster every Service with a selector has a slice, even without pods; in a folder of manifests one is easily
/// forgotten or mislabelled.
fn no_slice(none_at_all: bool, port_name: &str) -> Fault {
    if none_at_all {
        Fault::warning(
            reasons::NO_ENDPOINT_SLICE,
            "has no EndpointSlice, so requests for it are answered 503",
            "create an EndpointSlice in its namespace that carries the label kubernetes.io/service-name",
        )
    } else {
        let port =
            if port_name.is_empty() { "without a name".into() } else { format!("named {port_name:?}") };
        Fault::warning(
            reasons::NO_ENDPOINT_SLICE,
            format!(
                "has no EndpointSlice with a TCP port {port}, so requests for that port are answered 503"
            ),
            "give the port the same name in the Service and in its EndpointSlices",
        )
    }
}
