//! An Ingress to routes: its rules and its default backend (Ingress v1). What is wrong with a path or a rule costs
//! that path or rule alone.

mod certificates;
mod rule;

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::networking::v1::{HTTPIngressPath, Ingress, IngressBackend, IngressRule};
use model::{HostMatch, ObjectRef, Origin};

use super::{Draft, RouteDraft, Serves, Written};
use crate::annotations;
use crate::policy::{self, Locations, RouteSettings};
use crate::problems::{Fault, Problems};
use crate::reference::Reference;
use crate::{ObjectKey, Profile, Settings, auth, reasons};

/// Reads an Ingress that is ours, with what holds where it says nothing. None comes of one that is not served at all.
pub(crate) fn read(
    key: &ObjectKey,
    ingress: &Ingress,
    profile: Profile,
    defaults: RouteSettings,
    problems: &mut Problems,
) -> Option<Draft> {
    let object = Arc::new(ObjectRef::new("Ingress", &key.namespace, &key.name));
    if let Some((field, fault)) = annotations::too_risky(ingress, &defaults.allowed) {
        problems.add(ObjectRef::clone(&object), field, fault);
        return None;
    }
    let mut asked = asked(&object, ingress, defaults, problems);
    asked.settle_locations();
    if asked.left_out {
        return None;
    }
    for fault in policy::check(&asked) {
        problems.add(ObjectRef::clone(&object), "", fault);
    }
    let certificates = certificates::read(key, ingress, problems);
    let created = ingress.metadata.creation_timestamp.as_ref();
    let created = created.map_or(i64::MAX, |time| time.0.as_second());
    let namespace = key.namespace.as_str().into();
    let (hosts, routes) = (Vec::new(), Vec::new());
    let mut reading =
        Reading { object, namespace, created, profile, locations: asked.locations, hosts, routes, problems };
    reading.read(ingress);
    let Reading { object, hosts, routes, .. } = reading;
    Some(Draft { object, created, profile, hosts, routes, certificates, asked })
}

/// Whether an Ingress has a default backend, where none may have one: then it is not served, and told.
pub(crate) fn refuse_catch_all(key: &ObjectKey, ingress: &Ingress, problems: &mut Problems) -> bool {
    let refused = ingress.spec.as_ref().is_some_and(|spec| spec.default_backend.is_some());
    if refused {
        let message = "is not served, because --disable-catch-all allows no default backend";
        let fault = Fault::error(reasons::INVALID_BACKEND, message, "write a rule in its place");
        problems.add(ObjectRef::new("Ingress", &key.namespace, &key.name), "spec.defaultBackend", fault);
    }
    refused
}

/// The Secrets that an Ingress names, of whichever class it is.
pub fn secrets_of(key: &ObjectKey, ingress: &Ingress, settings: &Settings) -> BTreeSet<ObjectKey> {
    let ingress = &*annotations::under_usual_prefix(ingress, settings);
    // What is wrong is told where the Ingress is read as a whole.
    let mut problems = Problems::default();
    let object = ObjectRef::new("Ingress", &key.namespace, &key.name);
    let asked = asked(&object, ingress, RouteSettings::default(), &mut problems);
    let upstream = policy::upstream_secret(&asked).map(|upstream| upstream.named.secret);
    let named = certificates::secrets(key, ingress).map(|(_, named)| named.secret);
    let users = auth::secret(&asked).map(|named| named.secret.clone());
    let clients = asked.client_tls.secret.map(|named| named.secret);
    named.chain(upstream).chain(users).chain(clients).collect()
}

/// The ConfigMaps that an Ingress names, of whichever class it is.
pub fn config_maps_of(key: &ObjectKey, ingress: &Ingress, settings: &Settings) -> BTreeSet<ObjectKey> {
    let ingress = &*annotations::under_usual_prefix(ingress, settings);
    let mut problems = Problems::default();
    let object = ObjectRef::new("Ingress", &key.namespace, &key.name);
    let asked = asked(&object, ingress, RouteSettings::default(), &mut problems);
    let named = asked.field_maps.custom.into_iter().chain(asked.auth.external.field_map);
    named.map(|named| named.key).collect()
}

/// What the annotations ask for, and of all else what holds where nothing is said.
fn asked(
    object: &ObjectRef,
    ingress: &Ingress,
    mut asked: RouteSettings,
    problems: &mut Problems,
) -> RouteSettings {
    annotations::read(object, ingress.metadata.annotations.as_ref(), &mut asked, problems);
    asked
}

/// An Ingress as far as it has been read.
struct Reading<'a> {
    object: Arc<ObjectRef>,
    namespace: Arc<str>,
    created: i64,
    profile: Profile,
    locations: Option<Locations>,
    hosts: Vec<HostMatch>,
    routes: Vec<RouteDraft>,
    problems: &'a mut Problems,
}

impl Reading<'_> {
    fn read(&mut self, ingress: &Ingress) {
        let spec = ingress.spec.as_ref();
        let rules = spec.and_then(|spec| spec.rules.as_deref()).unwrap_or_default();
        let default = spec.and_then(|spec| spec.default_backend.as_ref());
        if rules.is_empty() && default.is_none() {
            self.tell("spec", nothing_to_serve("has neither rules nor a defaultBackend"));
        }
        for (at, rule) in rules.iter().enumerate() {
            self.read_rule(rule, &format!("spec.rules[{at}]"), default.is_some());
        }
        if let Some(backend) = default {
            let field = "spec.defaultBackend";
            let serves = Serves::Rest { hosts: self.hosts.clone(), catch_all: rules.is_empty() };
            self.add(serves, Written::Rest, backend, field.into(), field.into());
        }
    }

    fn read_rule(&mut self, rule: &IngressRule, field: &str, has_default: bool) {
        let host = match rule::host(rule.host.as_deref().unwrap_or_default()) {
            Ok(host) => host,
            Err(fault) => return self.tell(format!("{field}.host"), fault),
        };
        let paths = rule.http.as_ref().map(|http| http.paths.as_slice()).unwrap_or_default();
        if paths.is_empty() && !has_default {
            self.tell(field, nothing_to_serve("has no paths, and the Ingress has no defaultBackend"));
        }
        for (at, path) in paths.iter().enumerate() {
            self.read_path(&host, path, format!("{field}.http.paths[{at}]"));
        }
        self.hosts.push(host);
    }

    fn read_path(&mut self, host: &HostMatch, path: &HTTPIngressPath, field: String) {
        let matched = match rule::path(path) {
            Ok(matched) => matched,
            Err((wrong, fault)) => return self.tell(format!("{field}.{wrong}"), fault),
        };
        let matched = match self.locations {
            Some(locations) => rule::as_feed_reads(matched, locations),
            None => matched,
        };
        if let Some(fault) = rule::refused_by_admission(&matched, self.profile) {
            self.tell(format!("{field}.path"), fault);
        }
        let backend_field = format!("{field}.backend");
        let written = Written::Path {
            host: host.clone(),
            path: path.path.clone().filter(|path| !path.is_empty()).unwrap_or_else(|| "/".into()),
            path_type: path.path_type.clone(),
        };
        self.add(Serves::Path(host.clone(), matched), written, &path.backend, field, backend_field);
    }

    fn add(
        &mut self,
        serves: Serves,
        written: Written,
        backend: &IngressBackend,
        field: String,
        backend_field: String,
    ) {
        let origin = Origin {
            created: self.created,
            object: Arc::clone(&self.object),
            tie: self.profile.tie(),
            place: u32::try_from(self.routes.len()).expect("an object has fewer than 2^32 routes"),
            field: field.into(),
        };
        let backend = Reference::read(&self.namespace, backend);
        self.routes.push(RouteDraft { serves, written, backend, backend_field, origin, redirect: None });
    }

    fn tell(&mut self, field: impl Into<String>, fault: Fault) {
        self.problems.add(ObjectRef::clone(&self.object), field, fault);
    }
}

fn nothing_to_serve(message: &str) -> Fault {
    Fault::warning(reasons::NOTHING_TO_SERVE, message, "add http.paths or a defaultBackend, or remove it")
}
