//! Kubernetes objects in, a route table, claims to certificates and problems out.
//!
//! Owns: what an Ingress, an IngressClass, a Service and an EndpointSlice mean (Ingress v1, EndpointSlice v1,
//! KEP-1672), and the words for what is wrong with one.
//! Never: IO, clocks, tokio, or what is inside a certificate. It cannot fail: what is wrong with an object becomes a
//! [`Problem`](model::Problem) and costs that object alone, or only the named part of it; everything else is served. The same
//! objects give the same table on every replica, but for what of before goes on for a while (`backend::before`).
//! Start at [`compile`]; [`Compiled::compile_again`] is the same after a change, and [`Compiled::update_backends`] its
//! shorter way where only endpoints have changed.
//!
//! The way of an object: `class` says whether it is ours, `profile` by whose rules it is read, `defaults` what holds where it says
//! nothing; `source` turns it into a draft, for which `annotations` fill settings; `canary` keeps those that are variants of
//! others, `hosts` reads of all others what those of one host decide together, and `policy` builds filters of settings and that;
//! `routes` looks for the backends of the draft's routes and adds them to the table, `tls` adds its claims to certificates;
//! `conflict` tells of the routes that lost.
//!
//! What HTTPRoute (Gateway API) will add, and where:
//! - `source/http_route.rs`, which yields the same drafts. An origin is the HTTPRoute and `spec.rules[0].matches[1]`; hosts are
//!   those that it shares with the listeners of the Gateways it belongs to; `filters` fill the same settings as annotations do,
//!   for one rule instead of a whole object.
//! - `class.rs`: GatewayClasses by `spec.controllerName` as IngressClasses by `spec.controller`, and from there to Gateways.
//! - `reference.rs`: a reference may name another namespace, if a ReferenceGrant there allows it.
//! - [`Objects`]: HTTPRoutes, Gateways, GatewayClasses and ReferenceGrants; [`compile`]: a second loop.
//! - `tls`: nothing but a second source of claims, the `certificateRefs` of listeners.
//! - `source`'s drafts, and `routes`: conditions, and several backends by weight; `backend::before` has to decide what goes on
//!   of a split that has no primary backend.
//!
//! `backend`, `endpoint`, `policy` and `conflict` stay as they are.

mod compiled;
mod objects;

mod annotations;
mod auth;
mod canary;
mod class;
mod defaults;
mod field_maps;
mod host_snippets;
mod hosts;
mod policy;
mod profile;
mod reference;
mod routes;
mod source;

mod address;
mod backend;
mod endpoint;
mod external_name;

mod conflict;
mod no_routes;
mod problems;
pub mod reasons;
mod served_hosts;
mod tcp_services;
mod tls;

use std::time::Duration;

use k8s_openapi::api::networking::v1::Ingress;
use model::{Balance, ObjectRef, RouteTableBuilder};

pub use annotations::{Effect, effect_of};
pub use auth::{USERS_MAX, users_of};
pub use compiled::Compiled;
pub use external_name::external_name_of;
pub use no_routes::{NoRoutes, NoRoutesReason};
pub use objects::{EndpointSlices, ObjectKey, Objects, SERVICE_NAME_LABEL, service_of};
pub use profile::Profile;
pub use served_hosts::{HostScheme, ServedHost};
pub use source::ingress::{config_maps_of, default_backend_of, secrets_of};
pub use tls::{Basis, CertificateClaims, Claim, NamedSecret};

use auth::Passwords;
use backend::{Backends, Before, Collected};
use canary::Canaries;
use class::Classes;
use defaults::Defaults;
use field_maps::FieldMaps;
use hosts::Hosts;
use problems::Problems;
use routes::Output;
use served_hosts::Schemes;
use source::Draft;
use tls::Tls;

/// A controller that follows a Service writes its slices within seconds, and an author of two edits has the second one ready;
/// what is wrong should not hide for longer.
const REFERENCE_TIMEOUT: Duration = Duration::from_secs(10);

/// Each port takes a listening socket, which a successor has to take over: enough for any list that is written by hand.
pub const TCP_SERVICES_MAX: usize = 1000;

/// What of the operator's configuration bears on the table.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `spec.controller` of the IngressClasses that are ours.
    pub controller_name: String,
    /// The class name that is ours even where no IngressClass object says so.
    pub class: String,
    /// Whether the operator has named that class: then it is ours even where an IngressClass object says otherwise.
    pub class_is_given: bool,
    /// The only namespaces that are read; empty for all. Those of others are not among the objects: this is for what
    /// is told.
    pub only_namespaces: Vec<String>,
    /// Whether an EndpointSlice may name loopback addresses: true for a folder of manifests, which only the operator
    /// writes; never for a cluster, where a tenant could reach what listens on the node.
    pub allow_loopback: bool,
    /// By whose rules all Ingresses are read; if nothing is said, those of the controller that each was written for.
    pub profile: Option<Profile>,
    /// Whether Ingresses may have TLS passed through to their endpoints.
    pub ssl_passthrough: bool,
    /// Whether Ingresses that name no class are ours, even where no class is the default.
    pub without_class: bool,
    /// What the annotations of ingress-nginx begin with, up to the slash, if not with its own prefix.
    pub annotations_prefix: Option<String>,
    /// Whether no Ingress with a default backend is served.
    pub no_catch_all: bool,
    /// Whether no Service may stand for a DNS name (ExternalName).
    pub no_external_names: bool,
    /// The ConfigMap which says what holds for the Ingresses of ingress-nginx' profile.
    pub config_map: Option<ObjectKey>,
    /// The ConfigMap whose keys are ports of ours, each passed on as TCP to the Service that its value names.
    pub tcp_services: Option<ObjectKey>,
    /// Most ports that are served of it.
    pub tcp_services_max: usize,
    /// Ports that are needed for something else, and the flag that says so.
    pub reserved_ports: Vec<(u16, &'static str)>,
    /// How endpoints share requests where the Ingress does not say; if nothing is said, as those who wrote it are used to.
    pub balance: Option<Balance>,
    /// How long the caller lets endpoints of before go on for a backend that is [pending](Compiled::pending). With none at
    /// all nothing of before goes on.
    pub reference_timeout: Duration,
    /// The Service whose first port serves pages for errors, and what nothing else does.
    pub default_backend: Option<ObjectKey>,
    /// The Secret whose certificate is for all names that no other is for.
    pub default_certificate: Option<ObjectKey>,
    /// The Secret whose entries are the keys of session tickets.
    pub ticket_keys: Option<ObjectKey>,
}

impl Settings {
    /// The ConfigMaps that the operator names: without those nothing is known of what is to be served.
    pub fn config_maps(&self) -> impl Iterator<Item = &ObjectKey> {
        self.config_map.iter().chain(&self.tcp_services)
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            controller_name: "sluicegate.io/ingress-controller".into(),
            class: "sluicegate".into(),
            class_is_given: false,
            only_namespaces: Vec::new(),
            allow_loopback: false,
            profile: None,
            ssl_passthrough: false,
            without_class: false,
            annotations_prefix: None,
            no_catch_all: false,
            no_external_names: false,
            config_map: None,
            tcp_services: None,
            tcp_services_max: TCP_SERVICES_MAX,
            reserved_ports: Vec::new(),
            balance: None,
            reference_timeout: REFERENCE_TIMEOUT,
            default_backend: None,
            default_certificate: None,
            ticket_keys: None,
        }
    }
}

/// Compiles the table of this generation, and what is claimed of certificates.
pub fn compile(objects: &Objects, settings: &Settings, generation: u64) -> Compiled {
    compile_after(None, objects, settings, generation)
}

fn compile_after(
    before: Option<Before<'_>>,
    objects: &Objects,
    settings: &Settings,
    generation: u64,
) -> Compiled {
    let classes = Classes::new(&objects.ingress_classes, settings);
    let mut out = Output {
        builder: RouteTableBuilder::default(),
        backends: Backends::new(before, objects, settings),
        canaries: Canaries::default(),
        problems: Problems::default(),
        objects,
    };
    let mut field_maps = FieldMaps::new(objects);
    let defaults = Defaults::read(objects, settings, &mut field_maps, &mut out.problems);
    let (ours, mut drafts) = read_ours(&classes, objects, settings, &defaults, &mut out.problems);
    drafts.iter_mut().for_each(|draft| field_maps.complete(draft, &mut out.problems));
    let (canaries, drafts): (Vec<_>, Vec<Draft>) =
        drafts.into_iter().partition(|draft| draft.asked.canary.is_on);
    out.canaries = Canaries::new(canaries, &mut out.problems);
    let drafts = host_snippets::apply(drafts, &mut out.problems);
    let (hosts, mut tls, mut passwords) =
        (Hosts::read(&drafts, &mut out.problems), Tls::new(objects), Passwords::new(objects));
    let mut schemes = Schemes::default();
    let pages = out.default_backend(settings, drafts.iter().any(Draft::is_catch_all));
    for mut draft in drafts {
        hosts.complete(&mut draft);
        passwords.resolve(&draft.object, &mut draft.asked, &mut out.problems);
        schemes.add(&draft.object, draft.asked.scheme);
        tls.add(&draft, &hosts, &mut out.problems);
        out.add(draft, &hosts, pages.as_ref());
    }
    out.add_hosts(&hosts);
    out.add_tcp_services(settings, defaults.of_tcp_services());
    out.canaries.tell_unused(&mut out.problems);
    let table = out.builder.build(generation);
    conflict::tell(&table, &mut out.problems);
    let served_hosts = schemes.hosts(&table, &mut out.problems);
    let is_foreign = classes.tell_foreign(&mut out.problems);
    let no_routes = table.routes().is_empty().then(|| no_routes::why(objects, settings, ours.len()));
    if ours.is_empty() && !is_foreign {
        no_routes::tell(objects, settings, &mut out.problems);
    }
    let Collected { services, external_names, pending, secrets } = out.backends.finish();
    tls.keep(secrets);
    let (certificates, secrets) = tls.finish(settings, &mut out.problems);
    let problems = compiled::join(out.problems.finish(), &services);
    let config_maps = field_maps.finish();
    Compiled {
        table,
        problems,
        no_routes,
        certificates,
        external_names,
        pending,
        ours,
        hosts: served_hosts,
        secrets,
        config_maps,
        services,
    }
}

/// The Ingress objects that are ours, and what those of them that are served ask for.
fn read_ours(
    classes: &Classes<'_>,
    objects: &Objects,
    settings: &Settings,
    defaults: &Defaults,
    problems: &mut Problems,
) -> (Vec<ObjectKey>, Vec<Draft>) {
    let (mut ours, mut drafts) = (Vec::new(), Vec::<Draft>::new());
    for (key, ingress) in &objects.ingresses {
        let ingress = &*annotations::under_usual_prefix(ingress, settings);
        if counts(key, objects) && classes.owns(key, ingress, problems) {
            let profile = Profile::of(ingress, &objects.ingress_classes, settings);
            if let Some(fault) = profile.doubt(ingress, settings) {
                problems.add(ObjectRef::new("Ingress", &key.namespace, &key.name), "spec.tls", fault);
            }
            ours.push(key.clone());
            if settings.no_catch_all && source::ingress::refuse_catch_all(key, ingress, problems) {
                continue;
            }
            drafts.extend(source::ingress::read(key, ingress, profile, defaults.of(profile), problems));
        }
    }
    (ours, drafts)
}

/// Whether an Ingress would be ours, beside these other objects.
pub fn is_ours(key: &ObjectKey, ingress: &Ingress, objects: &Objects, settings: &Settings) -> bool {
    let classes = Classes::new(&objects.ingress_classes, settings);
    counts(key, objects) && classes.owns(key, ingress, &mut Problems::default())
}

/// Whether the Ingresses of its namespace count.
fn counts(key: &ObjectKey, objects: &Objects) -> bool {
    objects.namespaces.as_ref().is_none_or(|counting| counting.contains(&key.namespace))
}
