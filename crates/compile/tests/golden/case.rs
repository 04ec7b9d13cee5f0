//! Reads the documents of an input.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use compile::{Compiled, ObjectKey, Objects, Profile, Settings};
use model::Balance;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An input.
#[derive(Default)]
pub(crate) struct Case {
    objects: Objects,
    settings: Settings,
    /// What was live before.
    before: Option<Box<Case>>,
    /// Whether the time of all that is pending is over.
    over: bool,
    /// Host (may be empty) and path.
    pub(crate) requests: Vec<(String, String)>,
}

impl Case {
    pub(crate) fn read(documents: Vec<Value>) -> Case {
        let mut case = Case::default();
        for document in &documents {
            match document["kind"].as_str().unwrap_or_default() {
                "Before" => case.before = Some(Box::new(before(document, &documents))),
                _ => case.add(document.clone()),
            }
        }
        case
    }

    pub(crate) fn compile(&self) -> Compiled {
        let Some(before) = &self.before else { return compile::compile(&self.objects, &self.settings, 1) };
        let before = before.compile();
        let compile_again = |over: &BTreeSet<_>| before.compile_again(&self.objects, &self.settings, 1, over);
        let now = compile_again(&BTreeSet::new());
        if self.over { compile_again(&now.pending) } else { now }
    }

    fn add(&mut self, document: Value) {
        let key = key(&document);
        match document["kind"].as_str().unwrap_or_default() {
            "Ingress" => drop(self.objects.ingresses.insert(key, parse(document))),
            "IngressClass" => drop(self.objects.ingress_classes.insert(key.name, parse(document))),
            "Service" => drop(self.objects.services.insert(key, parse(document))),
            "ConfigMap" => drop(self.objects.config_maps.insert(key, parse(document))),
            "EndpointSlice" => drop(self.objects.endpoint_slices.insert(key, parse(document))),
            "Secret" => drop(self.objects.secrets.insert(key, parse(document))),
            "Requests" => {
                self.requests = document["requests"].as_array().expect("a list").iter().map(request).collect()
            }
            "Settings" => self.settings = settings(&document),
            "Resolved" => self.resolve(&document),
            "Over" => self.over = true,
            "Namespaces" => {
                let names = document["counting"].as_array().expect("a list").iter();
                self.objects.namespaces = Some(names.map(|name| text(name).into()).collect());
            }
            other => panic!("unknown kind {other:?}"),
        }
    }

    fn resolve(&mut self, document: &Value) {
        for (name, addresses) in document["names"].as_object().expect("names") {
            let resolved = match addresses {
                Value::String(error) => Err(error.clone()),
                Value::Array(all) => {
                    Ok(all.iter().map(|a| text(a).parse::<IpAddr>().expect("an address")).collect())
                }
                other => panic!("{name}: {other}"),
            };
            self.objects.resolved.insert(name.clone(), resolved);
        }
    }
}

/// The same documents, with the `objects` of this one in place of those of the same names, and without those that `without`
/// names as kind/name.
fn before(before: &Value, documents: &[Value]) -> Case {
    let name = |document: &Value| format!("{}/{}", text(&document["kind"]), key(document).name);
    let objects: Vec<Value> = before["objects"].as_array().cloned().unwrap_or_default();
    let without = before["without"].as_array().into_iter().flatten().map(|name| text(name).to_owned());
    let others: BTreeSet<String> =
        objects.iter().map(name).chain(without).chain(["Before/".into(), "Over/".into()]).collect();
    let same = documents.iter().filter(|document| !others.contains(&name(document))).cloned();
    Case::read(same.chain(objects.iter().cloned()).collect())
}

fn key(document: &Value) -> ObjectKey {
    let metadata = &document["metadata"];
    ObjectKey::new(
        metadata["namespace"].as_str().unwrap_or("default"),
        metadata["name"].as_str().unwrap_or_default(),
    )
}

fn parse<T: DeserializeOwned>(document: Value) -> Arc<T> {
    let shown = document.to_string();
    Arc::new(serde_json::from_value(document).unwrap_or_else(|error| panic!("{error}: {shown}")))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string"))
}

fn named(value: &Value) -> ObjectKey {
    let (namespace, name) = text(value).split_once('/').expect("a namespace and a name");
    ObjectKey::new(namespace, name)
}

fn request(line: &Value) -> (String, String) {
    let line = text(line);
    let (host, path) = line.split_once(' ').unwrap_or(("", line));
    (host.into(), path.into())
}

/// The one flag that is named in a test.
fn reserved(ports: &Value) -> Vec<(u16, &'static str)> {
    let ports = ports.as_object().expect("a mapping").keys();
    ports.map(|port| (port.parse().expect("a port"), "--http")).collect()
}

fn settings(document: &Value) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in document.as_object().expect("a mapping") {
        match name.as_str() {
            "kind" => {}
            "class" => settings.class = text(value).into(),
            "classIsGiven" => settings.class_is_given = value.as_bool().expect("true or false"),
            "onlyNamespaces" => {
                settings.only_namespaces =
                    value.as_array().expect("a list").iter().map(|name| text(name).into()).collect();
            }
            "annotationsPrefix" => settings.annotations_prefix = Some(text(value).into()),
            "defaultBackend" => settings.default_backend = Some(named(value)),
            "noCatchAll" => settings.no_catch_all = value.as_bool().expect("true or false"),
            "noExternalNames" => settings.no_external_names = value.as_bool().expect("true or false"),
            "withoutClass" => settings.without_class = value.as_bool().expect("true or false"),
            "configMap" => settings.config_map = Some(named(value)),
            "tcpServices" => settings.tcp_services = Some(named(value)),
            "tcpServicesMax" => {
                settings.tcp_services_max =
                    usize::try_from(value.as_u64().expect("a number")).expect("it fits");
            }
            "reservedPorts" => settings.reserved_ports = reserved(value),
            "controllerName" => settings.controller_name = text(value).into(),
            "allowLoopback" => settings.allow_loopback = value.as_bool().expect("true or false"),
            "balance" => {
                let all = [Balance::LeastRequest, Balance::RoundRobin];
                settings.balance = all.into_iter().find(|b| b.as_str() == text(value));
                assert!(settings.balance.is_some(), "{value} is no balance");
            }
            "sslPassthrough" => settings.ssl_passthrough = value.as_bool().expect("true or false"),
            "profile" => settings.profile = Some(Profile::parse(text(value)).expect("a profile")),
            "defaultCertificate" => settings.default_certificate = Some(named(value)),
            "ticketKeys" => settings.ticket_keys = Some(named(value)),
            other => panic!("unknown setting {other:?}"),
        }
    }
    settings
}
