//! The ConfigMap that says which ports are passed on to which Services (ingress-nginx' `--tcp-services-configmap`): each key
//! is a port, each value `NAMESPACE/SERVICE:PORT`, then `:PROXY` where connections begin with a PROXY header, and `:PROXY`
//! again where those to endpoints do.
//!
//! Ports that ingress-nginx needs for its own parts (442, 8181, 10245 to 10247) are as good as any other here.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use model::{BackendKey, Balance, ObjectRef, Protocol, ProxyHeader, Severity, TcpService, Transport};

use crate::problems::Fault;
use crate::reference::{Port, Reference};
use crate::routes::Output;
use crate::{ObjectKey, Settings, reasons};

/// ingress-nginx' defaults.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
const ATTEMPTS: NonZeroU16 = NonZeroU16::new(3).expect("3 is not 0");
const TRY_FOR: Duration = Duration::from_secs(600);

/// What holds for all services of TCP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TcpSettings {
    /// How long both sides may be silent.
    pub(crate) idle_timeout: Duration,
    /// Whether a connection is tried at more than one endpoint.
    pub(crate) tries_others: bool,
    /// How many endpoints it is tried at; if nothing, as many as the proxy tries.
    pub(crate) attempts: Option<NonZeroU16>,
    /// How long; if nothing, for ever.
    pub(crate) try_for: Option<Duration>,
}

impl Default for TcpSettings {
    fn default() -> TcpSettings {
        let (attempts, try_for) = (Some(ATTEMPTS), Some(TRY_FOR));
        TcpSettings { idle_timeout: IDLE_TIMEOUT, tries_others: true, attempts, try_for }
    }
}

/// An entry of the ConfigMap.
struct Entry<'a> {
    /// The port as it is written.
    key: &'a str,
    service: ObjectKey,
    port: Port,
    reads_proxy_header: bool,
    says_proxy_header: bool,
}

impl Output<'_> {
    /// Adds the services of the ConfigMap that the operator names, if there is one.
    pub(crate) fn add_tcp_services(&mut self, settings: &Settings, asked: &TcpSettings) {
        let Some(key) = &settings.tcp_services else { return };
        let object = ObjectRef::new("ConfigMap", &key.namespace, &key.name);
        let Some(config_map) = self.objects.config_maps.get(key) else {
            let message = "does not exist, so no TCP service is served";
            let remedy = "create it, or name another with --tcp-services-configmap";
            let fault = Fault::warning(reasons::DANGLING_REFERENCE, message, remedy);
            return self.problems.add(object, "", fault);
        };
        let mut entries = BTreeMap::new();
        for (key, value) in config_map.data.iter().flatten() {
            for fault in read(key, value, settings, &mut entries) {
                self.problems.add(object.clone(), field(key), fault);
            }
        }
        let more = entries.len().saturating_sub(settings.tcp_services_max);
        if more > 0 {
            self.problems.add(object.clone(), "data", too_many(more, settings.tcp_services_max));
        }
        for (port, entry) in entries.into_iter().take(settings.tcp_services_max) {
            self.add_tcp_service(port, &entry, &object, settings, asked);
        }
    }

    fn add_tcp_service(
        &mut self,
        port: u16,
        entry: &Entry<'_>,
        object: &ObjectRef,
        settings: &Settings,
        asked: &TcpSettings,
    ) {
        let transport = Transport {
            protocol: Some(Protocol::Tcp),
            // The version that nginx writes.
            proxy_header: entry.says_proxy_header.then_some(ProxyHeader::V1),
            ..Transport::default()
        };
        let key = BackendKey {
            namespace: (&*entry.service.namespace).into(),
            service: (&*entry.service.name).into(),
            port: entry.port.to_string().into(),
            transport: Arc::new(transport),
        };
        let reference = Reference::Port(key, entry.port.clone());
        let (backend, fault) = self.backends.place(reference, |_| None, &mut self.builder);
        if let Some(fault) = fault {
            self.problems.add(object.clone(), field(entry.key), of_entry(fault, entry, settings));
        }
        self.builder.tcp_service(TcpService {
            port,
            backend,
            reads_proxy_header: entry.reads_proxy_header,
            balance: settings.balance.unwrap_or(Balance::RoundRobin),
            idle_timeout: asked.idle_timeout,
            attempts: if asked.tries_others { asked.attempts } else { Some(NonZeroU16::MIN) },
            try_for: asked.try_for,
        });
    }
}

/// Reads an entry, and tells what is wrong with it.
fn read<'a>(
    key: &'a str,
    value: &str,
    settings: &Settings,
    entries: &mut BTreeMap<u16, Entry<'a>>,
) -> Vec<Fault> {
    let Some(port) = key.parse().ok().filter(|port| *port != 0) else {
        return invalid(format!("{key:?} is no port"), "write a number from 1 to 65535 as the key").into();
    };
    if let Some((_, flag)) = settings.reserved_ports.iter().find(|(reserved, _)| *reserved == port) {
        let message = format!("port {port} is that of {flag}, so it is not passed on");
        return Fault::error(reasons::RESERVED_PORT, message, "choose another port").into();
    }
    let mut parts = value.trim().split(':');
    let service = parts.next().and_then(|name| name.split_once('/'));
    let named =
        service.filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty() && !name.contains('/'));
    let (Some((namespace, name)), Some(service_port)) = (named, parts.next().and_then(Port::parse)) else {
        let message = format!("{} names no port of a Service", shown(value));
        return invalid(message, "write it as NAMESPACE/SERVICE:PORT, the port by name or by number").into();
    };
    let words: Vec<&str> = parts.collect();
    let is_proxy = |place: usize| words.get(place).is_some_and(|word| word.eq_ignore_ascii_case("PROXY"));
    let entry = Entry {
        key,
        service: ObjectKey::new(namespace, name),
        port: service_port,
        reads_proxy_header: is_proxy(0),
        says_proxy_header: is_proxy(1),
    };
    if let Some(other) = entries.get(&port) {
        let message = format!("port {port} is that of {:?} too, which is served", other.key);
        return Fault::error(reasons::CONFLICT, message, "remove one of them").into();
    }
    entries.insert(port, entry);
    let is_known = |(place, word): (usize, &&str)| place < 2 && (word.is_empty() || is_proxy(place));
    match words.iter().enumerate().all(is_known) {
        true => Vec::new(),
        false => {
            let message = format!("{} says more than is known, which has no effect", shown(value));
            let remedy = "write PROXY in third place for connections that begin with a PROXY header, and in fourth \
                          place to begin those to endpoints with one";
            Fault::warning(reasons::INVALID_TCP_SERVICE, message, remedy).into()
        }
    }
}

/// What is wrong with the Service, in words for the one who wrote the entry.
fn of_entry(fault: Fault, entry: &Entry<'_>, settings: &Settings) -> Fault {
    let namespaces = &settings.only_namespaces;
    let is_seen = namespaces.is_empty() || namespaces.contains(&entry.service.namespace);
    let remedy = match fault.reason {
        reasons::DANGLING_REFERENCE if is_seen => "create the Service or correct the name".into(),
        reasons::DANGLING_REFERENCE => "let --watch-namespace have the namespace of the Service".into(),
        _ => fault.remedy,
    };
    let means = if fault.severity == Severity::Error { ", so its connections are reset" } else { "" };
    Fault { remedy, message: fault.message + means, ..fault }
}

fn invalid(message: String, remedy: &str) -> Fault {
    Fault::error(reasons::INVALID_TCP_SERVICE, message + ", so nothing is served for it", remedy)
}

fn too_many(more: usize, max: usize) -> Fault {
    let message =
        format!("has {more} TCP services more than the {max} of the lowest ports, which are served");
    Fault::error(
        reasons::TOO_MANY_SERVICES,
        message,
        "raise --tcp-services-max and, since each takes one, the limit of open files (ulimit -n); or remove some",
    )
}

fn field(key: &str) -> String {
    format!("data[{key}]")
}

/// A value as it is told.
fn shown(value: &str) -> String {
    crate::annotations::shown(value)
}
