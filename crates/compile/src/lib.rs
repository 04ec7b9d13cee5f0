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
//! nothing; `source` turns it into a draft, for
//! which `annotations` fill settings; `hosts` reads of all drafts what those of one host decide together, and `policy` builds filters
//! of settings and that; `routes` looks for the backends of the draft's routes and adds them to the table, `tls` adds its claims to
//! certificates; `conflict` tells of the routes that lost.
//!
//! What HTTPRoute (Gateway API) will add, and where:
//! - `source/http_route.rs`, which yields the same drafts. An origin is the HTTPRoute and `spec.rules[0].matches[1]`; hosts are
//!   those that it shares with the listeners of the Gateways it belongs to; `filters` fill the same settings as annotations do,
//!   for one rule instead of a whole object.
//! - `class.rs`: GatewayClasses by `spec.controllerName` as IngressClasses by `spec.controller`, and from there to Gateways.
//! - `reference.rs`: a reference may name another namespace, if a ReferenceGrant there allows it.
//! - [`Objects`]: HTTPRoutes, Gateways, GatewayClasses and ReferenceGrants; [`compile`]: a second loop.
//! - `tls`: nothing but a second source of claims, the `certificateRefs` of listeners.
//!
//! - `source`'s drafts, and `routes`: conditions, and several backends by weight; `backend::before` has to decide what goes on
//!   of a split.
//!
//! `backend`, `endpoint`, `policy` and `conflict` stay as they are.

mod compiled;
mod objects;

mod annotations;
mod class;
mod defaults;
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
mod tls;

use std::time::Duration;

use k8s_openapi::api::networking::v1::Ingress;
use model::{Balance, ObjectRef, RouteTableBuilder};

pub use compiled::Compiled;
pub use external_name::external_name_of;
pub use no_routes::{NoRoutes, NoRoutesReason};
pub use objects::{EndpointSlices, ObjectKey, Objects, SERVICE_NAME_LABEL, service_of};
pub use profile::Profile;
pub use source::ingress::secrets_of;
pub use tls::{Basis, CertificateClaims, Claim, NamedSecret};

use backend::{Backends, Before, Collected};
use class::Classes;
use defaults::Defaults;
use hosts::Hosts;
use problems::Problems;
use routes::Output;
use tls::Tls;

/// A controller that follows a Service writes its slices within seconds, and an author of two edits has the second one ready;
/// what is wrong should not hide for longer.
const REFERENCE_TIMEOUT: Duration = Duration::from_secs(10);

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
    /// The ConfigMap which says what holds for the Ingresses of ingress-nginx' profile.
    pub config_map: Option<ObjectKey>,
    /// How endpoints share requests where the Ingress does not say.
    pub balance: Balance,
    /// How long the caller lets endpoints of before go on for a backend that is [pending](Compiled::pending). With none at
    /// all nothing of before goes on.
    pub reference_timeout: Duration,
    /// The Secret whose certificate is for all names that no other is for.
    pub default_certificate: Option<ObjectKey>,
    /// The Secret whose entries are the keys of session tickets.
    pub ticket_keys: Option<ObjectKey>,
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
            config_map: None,
            balance: Balance::default(),
            reference_timeout: REFERENCE_TIMEOUT,
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
        problems: Problems::default(),
    };
    let defaults = Defaults::read(objects, settings, &mut out.problems);
    let (mut ours, mut drafts) = (Vec::new(), Vec::new());
    for (key, ingress) in &objects.ingresses {
        if counts(key, objects) && classes.owns(key, ingress, &mut out.problems) {
            let profile = Profile::of(ingress, &objects.ingress_classes, settings);
            if let Some(fault) = profile.doubt(ingress, settings) {
                out.problems.add(ObjectRef::new("Ingress", &key.namespace, &key.name), "spec.tls", fault);
            }
            let asked = defaults.of(profile);
            drafts.extend(source::ingress::read(key, ingress, asked, &mut out.problems));
            ours.push(key.clone());
        }
    }
    let (hosts, mut tls) = (Hosts::read(&drafts), Tls::new(objects));
    for draft in drafts {
        tls.add(&draft, &mut out.problems);
        out.add(draft, &hosts);
    }
    let table = out.builder.build(generation);
    conflict::tell(&table, &mut out.problems);
    let is_foreign = classes.tell_foreign(&mut out.problems);
    let no_routes = table.routes().is_empty().then(|| no_routes::why(objects, settings, ours.len()));
    if ours.is_empty() && !is_foreign {
        no_routes::tell(objects, settings, &mut out.problems);
    }
    let Collected { services, external_names, pending, secrets } = out.backends.finish();
    tls.keep(secrets);
    let (certificates, secrets) = tls.finish(settings, &mut out.problems);
    let problems = compiled::join(out.problems.finish(), &services);
    Compiled { table, problems, no_routes, certificates, external_names, pending, ours, secrets, services }
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
