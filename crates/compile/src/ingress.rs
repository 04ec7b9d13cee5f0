//! An Ingress to routes: its rules and its default backend (Ingress v1). What is wrong with a path or a rule costs
//! that path or rule alone.

use std::net::IpAddr;
use std::sync::Arc;

use k8s_openapi::api::networking::v1::{HTTPIngressPath, Ingress, IngressBackend, IngressRule};
use model::{
    Conditions, HostMatch, ObjectRef, Origin, PathMatch, Policy, Route, RouteTableBuilder, Target, Transport,
};

use crate::annotations;
use crate::backend::{Backends, Before};
use crate::problems::{Fault, Problems};
use crate::reference::Reference;
use crate::{ObjectKey, Settings, reasons};

/// Where routes, backends and problems go.
pub(crate) struct Output<'a> {
    pub(crate) builder: RouteTableBuilder,
    pub(crate) backends: Backends<'a>,
    pub(crate) problems: Problems,
}

/// Adds the routes of an Ingress that is ours; returns whether it is served at all.
pub(crate) fn compile(key: &ObjectKey, ingress: &Ingress, settings: &Settings, out: &mut Output<'_>) -> bool {
    let author = Author::new(key, ingress, settings, &mut out.problems);
    if author.canary {
        let message = "is a canary of another Ingress, which this version does not serve";
        let remedy = "remove it, or keep both Ingresses with a controller that serves canaries";
        author.tell(out, "", Fault::error(reasons::UNSUPPORTED_ANNOTATION, message, remedy));
        return false;
    }
    let spec = ingress.spec.as_ref();
    let rules = spec.and_then(|spec| spec.rules.as_deref()).unwrap_or_default();
    let default = spec.and_then(|spec| spec.default_backend.as_ref());
    if rules.is_empty() && default.is_none() {
        author.tell(out, "spec", nothing_to_serve("has neither rules nor a defaultBackend"));
    }
    let mut hosts = Vec::new();
    for (rule, at) in rules.iter().zip(0..) {
        hosts.extend(author.add_rule(rule, at, default.is_some(), out));
    }
    if let Some(backend) = default {
        author.add_default(backend, rules.is_empty(), hosts, out);
    }
    true
}

/// What all routes of an Ingress share.
struct Author {
    object: ObjectRef,
    namespace: Arc<str>,
    name: Arc<str>,
    created: i64,
    policy: Arc<Policy>,
    transport: Arc<Transport>,
    denied: bool,
    canary: bool,
}

impl Author {
    fn new(key: &ObjectKey, ingress: &Ingress, settings: &Settings, problems: &mut Problems) -> Author {
        let object = ObjectRef::new("Ingress", &key.namespace, &key.name);
        let reading = annotations::read(&object, ingress.metadata.annotations.as_ref(), settings, problems);
        let created = ingress.metadata.creation_timestamp.as_ref();
        Author {
            object,
            namespace: key.namespace.as_str().into(),
            name: key.name.as_str().into(),
            created: created.map_or(i64::MAX, |time| time.0.as_second()),
            policy: Arc::new(reading.policy),
            transport: reading.transport,
            denied: reading.denied,
            canary: reading.canary,
        }
    }

    /// Adds the routes of a rule; returns its host, unless it is refused with all the rule has.
    fn add_rule(
        &self,
        rule: &IngressRule,
        at: u32,
        has_default: bool,
        out: &mut Output<'_>,
    ) -> Option<HostMatch> {
        let host = match parse_host(rule.host.as_deref().unwrap_or_default()) {
            Ok(host) => host,
            Err(fault) => {
                self.tell(out, format!("spec.rules[{at}].host"), fault);
                return None;
            }
        };
        let paths = rule.http.as_ref().map(|http| http.paths.as_slice()).unwrap_or_default();
        if paths.is_empty() && !has_default {
            let fault = nothing_to_serve("has no paths, and the Ingress has no defaultBackend");
            self.tell(out, format!("spec.rules[{at}]"), fault);
        }
        out.builder.claim(host.clone());
        for (path, path_at) in paths.iter().zip(0..) {
            self.add_path(&host, path, self.origin(Some(at), path_at), out);
        }
        Some(host)
    }

    fn add_path(&self, host: &HostMatch, path: &HTTPIngressPath, origin: Origin, out: &mut Output<'_>) {
        match parse_path(path) {
            Ok(matched) => {
                if let Some(fault) = pattern(path) {
                    self.tell(out, format!("{}.path", origin.field()), fault);
                }
                let route = self.route(host.clone(), matched, &path.backend, origin, &[], out);
                out.builder.route(route);
            }
            Err((field, fault)) => self.tell(out, format!("{}.{field}", origin.field()), fault),
        }
    }

    /// The default backend serves what no rule matches: on the hosts of the Ingress' own rules; on every host where it is
    /// `alone`, without rules.
    fn add_default(
        &self,
        backend: &IngressBackend,
        alone: bool,
        hosts: Vec<HostMatch>,
        out: &mut Output<'_>,
    ) {
        let path = PathMatch::Prefix("".into());
        let route = self.route(HostMatch::Any, path, backend, self.origin(None, 0), &hosts, out);
        for host in hosts {
            out.builder.default_for_host(Route { host, ..route.clone() });
        }
        if alone {
            out.builder.catch_all(route);
        }
    }

    /// The route to a backend; a default one is for these hosts, too.
    fn route(
        &self,
        host: HostMatch,
        path: PathMatch,
        backend: &IngressBackend,
        origin: Origin,
        default_of: &[HostMatch],
        out: &mut Output<'_>,
    ) -> Route {
        let reference = Reference::read(&self.namespace, backend).over(&self.transport);
        let reference = if self.denied { reference.denied() } else { reference };
        let led = |before: Before<'_>| match origin.rule {
            Some(_) => before.of_rule(&self.namespace, &host, &path),
            None => before.of_default(&self.namespace, default_of),
        };
        let (backend, fault) = out.backends.place(reference, led, &mut out.builder);
        if let Some(fault) = fault {
            let field = match origin.rule {
                Some(_) => format!("{}.backend", origin.field()),
                None => origin.field(),
            };
            self.tell(out, field, fault);
        }
        let (conditions, target) = (Conditions::default(), Target::Backend(backend));
        Route { host, path, conditions, target, policy: Arc::clone(&self.policy), origin }
    }

    fn origin(&self, rule: Option<u32>, path: u32) -> Origin {
        let (namespace, name) = (Arc::clone(&self.namespace), Arc::clone(&self.name));
        Origin { created: self.created, namespace, name, rule, path }
    }

    fn tell(&self, out: &mut Output<'_>, field: impl Into<String>, fault: Fault) {
        out.problems.add(self.object.clone(), field, fault);
    }
}

fn parse_host(raw: &str) -> Result<HostMatch, Fault> {
    let refuse = |why: String| {
        let remedy = "write a DNS name, *. and a DNS name, or nothing for every host";
        Fault::error(
            reasons::INVALID_HOST,
            format!("{raw:?} is no host: {why}; the rule is not served"),
            remedy,
        )
    };
    if raw.parse::<IpAddr>().is_ok() {
        return Err(refuse("a rule's host is a DNS name, not an address".into()));
    }
    HostMatch::parse(raw).map_err(|error| refuse(error.to_string()))
}

/// What the path matches, or which of its fields is wrong and how.
fn parse_path(path: &HTTPIngressPath) -> Result<PathMatch, (&'static str, Fault)> {
    let raw = path.path.as_deref().unwrap_or_default();
    let parsed = match (path.path_type.as_str(), raw) {
        ("Exact", _) => PathMatch::exact(raw),
        ("ImplementationSpecific", "") => PathMatch::prefix("/"),
        ("Prefix" | "ImplementationSpecific", _) => PathMatch::prefix(raw),
        (other, _) => return Err(("pathType", bad_path_type(other))),
    };
    parsed.map_err(|error| {
        let message = format!("{raw:?} is no path: {error}; it is not served");
        let remedy = "write the path as requests have it, beginning with /";
        ("path", Fault::error(reasons::INVALID_PATH, message, remedy))
    })
}

fn bad_path_type(written: &str) -> Fault {
    let message = match written {
        "" => "has no pathType, and there is no default; the path is not served".into(),
        other => format!("has the unknown pathType {other:?}; the path is not served"),
    };
    Fault::error(reasons::INVALID_PATH_TYPE, message, "write Exact, Prefix or ImplementationSpecific")
}

/// Other controllers read patterns into `ImplementationSpecific`; here they would match nothing, or one odd path.
fn pattern(path: &HTTPIngressPath) -> Option<Fault> {
    let raw = path.path.as_deref().unwrap_or_default();
    let is_pattern =
        path.path_type == "ImplementationSpecific" && raw.contains(['(', '[', '^', '$', '|', '*', '\\']);
    is_pattern.then(|| {
        Fault::warning(
            reasons::PATTERN_PATH,
            format!("{raw:?} looks like a pattern; it is matched literally, as a prefix"),
            "write the prefix that all wanted paths share",
        )
    })
}

fn nothing_to_serve(message: &str) -> Fault {
    Fault::warning(reasons::NOTHING_TO_SERVE, message, "add http.paths or a defaultBackend, or remove it")
}
