//! A Service and a port to a backend with its endpoints.

mod made;

use std::net::SocketAddr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Service, ServiceSpec};
use model::{Backend, BackendKey, Condition, Endpoint, EndpointKey, ObjectRef, Selection, Unavailable};

pub(super) use self::made::Made;
use self::made::NoSlice;
use super::{before, port, spoken};
use crate::endpoint::{self, SlicePort};
use crate::external_name::{self, External};
use crate::problems::{Fault, Problems};
use crate::reference::Port;
use crate::{ObjectKey, Objects, Settings, address, reasons};

/// What backends are made from.
#[derive(Clone, Copy)]
pub(super) struct Maker<'a> {
    objects: &'a Objects,
    settings: &'a Settings,
}

impl<'a> Maker<'a> {
    pub(super) fn new(objects: &'a Objects, settings: &'a Settings) -> Maker<'a> {
        Maker { objects, settings }
    }

    /// The key with what the Ingress leaves for the Service to say.
    pub(super) fn named(self, key: BackendKey) -> BackendKey {
        let service = self.objects.services.get(&ObjectKey::new(&*key.namespace, &*key.service));
        spoken::named(key, service.and_then(|service| external_name::external_name_of(service)))
    }

    /// A Service's first port, and the name of its backend.
    pub(super) fn first_port(self, service: &ObjectKey) -> Option<(BackendKey, Port)> {
        let spec = self.objects.services.get(service)?.spec.as_ref()?;
        let port = u16::try_from(spec.ports.as_ref()?.first()?.port).ok()?;
        let key = BackendKey {
            namespace: (&*service.namespace).into(),
            service: (&*service.name).into(),
            port: port.to_string().into(),
            transport: Arc::default(),
        };
        Some((self.named(key), Port::Number(port)))
    }

    /// Makes a backend, with endpoints of before while it has none of its own; tells what is wrong with its Service and
    /// with the slices, and of no other object.
    pub(super) fn make(
        self,
        key: &BackendKey,
        port: &Port,
        before: Option<&Backend>,
        problems: &mut Problems,
    ) -> Made {
        let mut made = self.make_of_now(key, port, problems);
        let loose = made.loose.take();
        let stays = |loose: &&Backend| before.is_none_or(|before| !before::moves(before, loose));
        let loosely = loose.as_ref().filter(stays).and_then(|loose| made.take_loosely(loose));
        let pending = before.and_then(|before| self.keep_before(before, port, &mut made));
        let loosely = loosely
            .or_else(|| loose.filter(|_| !made.is_pending).and_then(|loose| made.take_loosely(&loose)));
        let of_service = loosely.or(pending);
        let of_service = of_service.or_else(|| made.no_slice.take().map(|no_slice| no_slice.fault()));
        if let Some(fault) = of_service {
            problems.add(ObjectRef::new("Service", &key.namespace, &key.service), "", fault);
        }
        made
    }

    /// Lets endpoints of before go on if there are none else; returns what to tell of that of the Service, if it is not
    /// told of the Ingress.
    fn keep_before(self, before: &Backend, port: &Port, made: &mut Made) -> Option<Fault> {
        if !before::is_unmet(&made.backend) {
            return None;
        }
        let (endpoints, names) = before::still_listed(before, &made.backend, self.objects);
        if endpoints.is_empty() {
            return None;
        }
        let why = made.backend.selection();
        made.backend = Backend::new(before.key.clone(), endpoints).speaking(Some(before.protocol));
        made.external_names.extend(names);
        made.is_pending = true;
        let serves = "the endpoints that served before go on";
        match (why, &mut made.fault, made.no_slice.take()) {
            (Selection::None(Unavailable::NoService | Unavailable::NoPort), Some(fault), _) => {
                *fault = self.pending(&fault.message, serves, fault.remedy.clone());
                None
            }
            (.., Some(no_slice)) => Some(self.pending(&no_slice.message(), serves, no_slice.remedy().into())),
            _ => {
                let message = format!("has no endpoint for port {port} that takes requests");
                Some(self.pending(&message, serves, String::new()))
            }
        }
    }

    /// What is told while something of before serves.
    pub(super) fn pending(self, why: &str, serves: &str, remedy: String) -> Fault {
        let time = self.settings.reference_timeout;
        let message = format!("{why}; for up to {time:?} {serves}");
        let remedy = if remedy.is_empty() { "wait, or undo the change".into() } else { remedy };
        Fault::warning(reasons::PENDING_REFERENCE, message, remedy)
    }

    fn make_of_now(self, key: &BackendKey, port: &Port, problems: &mut Problems) -> Made {
        if key.namespace.is_empty() {
            return self.make_named(key, port);
        }
        let service = ObjectKey::new(&*key.namespace, &*key.service);
        let Some(service) = self.objects.services.get(&service) else {
            return Made::unavailable(key, Unavailable::NoService, Some(no_service(key)));
        };
        match service.spec.as_ref() {
            Some(spec) if external_name::is_external(spec) => self.make_external(key, port, spec, problems),
            _ => self.make_sliced(key, port, service, problems),
        }
    }

    fn make_sliced(self, key: &BackendKey, port: &Port, service: &Service, problems: &mut Problems) -> Made {
        let Some(port) = service.spec.as_ref().and_then(|spec| port::find(spec, port)) else {
            return no_port(key, "add the port to the Service or name one that it has");
        };
        let protocol = port.app_protocol.as_deref().and_then(spoken::protocol_of);
        if key.transport.by_service
            && let Some(endpoint) = self.by_service(key, service, port.port, problems)
        {
            return Made::speaking(Backend::new(key.clone(), vec![endpoint]).speaking(protocol));
        }
        let port_name = port.name.as_deref().unwrap_or_default();
        let slices = self.objects.endpoint_slices.of(&key.namespace, &key.service);
        let none_at_all = slices.clone().next().is_none();
        let is_missing = none_at_all || !endpoint::any_has_port(slices.clone(), port_name);
        let no_slice = is_missing.then(|| NoSlice { none_at_all, port_name: port_name.into() });
        let allow_loopback = self.settings.allow_loopback;
        let mut read = |port| {
            let endpoints =
                slices.clone().flat_map(|slice| endpoint::read(slice, port, allow_loopback, problems));
            Made::speaking(Backend::new(key.clone(), endpoints.collect()).speaking(protocol))
        };
        let made = read(SlicePort::Named(port_name));
        let unnamed = SlicePort::Unnamed { is_only: port_name.is_empty(), target: port::target(port) };
        let loose = (is_missing && !none_at_all).then(|| read(unnamed).backend);
        Made { no_slice, loose, ..made }
    }

    /// The Service's own address, if it has one.
    fn by_service(
        self,
        key: &BackendKey,
        service: &Service,
        port: i32,
        problems: &mut Problems,
    ) -> Option<Endpoint> {
        let made = endpoint::of_service(service, port, self.settings.allow_loopback);
        made.map_err(|fault| {
            let object = ObjectRef::new("Service", &key.namespace, &key.service);
            problems.add(object, "spec.clusterIP", fault);
        })
        .ok()
    }

    /// A DNS name or an address that is no Service's. No namespace has an empty name, so none is taken for one.
    fn make_named(self, key: &BackendKey, port: &Port) -> Made {
        let Port::Number(port) = *port else { return Made::unavailable(key, Unavailable::Refused, None) };
        if let Ok(address) = key.service.parse() {
            let may_be_used =
                address::check(address).is_ok() || (self.settings.allow_loopback && address.is_loopback());
            let endpoint =
                EndpointKey { address: SocketAddr::new(address, port), uid: Arc::clone(&key.service) };
            let endpoint = Endpoint { key: endpoint, condition: Condition::Ready };
            return match may_be_used {
                true => Made::of(Backend::new(key.clone(), vec![endpoint])),
                false => {
                    Made::unavailable(key, Unavailable::Refused, Some(external_name::forbidden(&key.service)))
                }
            };
        }
        let resolved = self.objects.resolved.get(&*key.service);
        let (endpoints, faults) = external_name::endpoints(&key.service, port, resolved);
        let backend = Backend::new(key.clone(), endpoints);
        let names = vec![key.service.to_string()];
        Made { external_names: names, fault: faults.into_iter().next(), ..Made::of(backend) }
    }

    /// An ExternalName Service needs no `ports`; a number in the Ingress is enough.
    fn make_external(
        self,
        key: &BackendKey,
        port: &Port,
        spec: &ServiceSpec,
        problems: &mut Problems,
    ) -> Made {
        let object = || ObjectRef::new("Service", &key.namespace, &key.service);
        if self.settings.no_external_names {
            let message = "is of type ExternalName, which --disable-svc-external-name forbids, so its routes are answered 503";
            let remedy = "let a Service with endpoints stand for it, or start without that flag";
            problems.add(object(), "spec.type", Fault::error(reasons::FORBIDDEN_ADDRESS, message, remedy));
            return Made::unavailable(key, Unavailable::Refused, None);
        }
        let external = match external_name::parse(spec.external_name.as_deref()) {
            Ok(external) => external,
            Err(fault) => {
                problems.add(object(), "spec.externalName", fault);
                return Made::unavailable(key, Unavailable::Refused, None);
            }
        };
        let named = port::find(spec, port);
        let protocol = named.and_then(|port| port.app_protocol.as_deref()).and_then(spoken::protocol_of);
        let number = match port {
            Port::Number(number) => named.map_or(Some(*number), port::connected_to),
            Port::Name(_) => named.and_then(port::connected_to),
        };
        let Some(port) = number.filter(|number| *number != 0) else {
            return no_port(key, "name the port by its number, or add it to the Service");
        };
        let (endpoints, names) = match external {
            External::Address(address) => (vec![external_name::endpoint(address, port)], Vec::new()),
            External::Name(name) => {
                let resolved = self.objects.resolved.get(&name);
                let (endpoints, faults) = external_name::endpoints(&name, port, resolved);
                for fault in faults {
                    problems.add(object(), "spec.externalName", fault);
                }
                (endpoints, vec![name])
            }
        };
        let backend = Backend::new(key.clone(), endpoints).speaking(protocol);
        Made { external_names: names, ..Made::speaking(backend) }
    }
}

fn no_port(key: &BackendKey, remedy: &str) -> Made {
    let BackendKey { namespace, service, port, .. } = key;
    let message =
        format!("routes to port {port} of Service {namespace}/{service}, which has no such TCP port");
    let fault = Fault::error(reasons::MISSING_PORT, message, remedy);
    Made::unavailable(key, Unavailable::NoPort, Some(fault))
}

fn no_service(key: &BackendKey) -> Fault {
    Fault::error(
        reasons::DANGLING_REFERENCE,
        format!("routes to Service {}/{}, which does not exist", key.namespace, key.service),
        "create the Service in the Ingress' namespace or correct the name",
    )
}
