//! What an Ingress' annotations ask for: our own dialect, ingress-nginx', and what is told of what is not honoured.

mod nginx;
mod own;
mod wanted;

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::networking::v1::Ingress;
use model::{ObjectRef, Policy, Transport, UpstreamTls};

use crate::problems::{Fault, Problems};
use crate::{ObjectKey, Settings};

use wanted::Wanted;

/// What the annotations come to.
pub(crate) struct Reading {
    /// What applies to all routes of the Ingress.
    pub(crate) policy: Policy,
    /// How all its backends are spoken to.
    pub(crate) transport: Arc<Transport>,
    /// Whether access was to be restricted in a way that cannot be honoured, or endpoints to be verified in one: then
    /// nobody gets access.
    pub(crate) denied: bool,
    /// Whether the Ingress is a canary: a variant of another one, for a share of its requests. Served by itself it could
    /// take them all.
    pub(crate) canary: bool,
}

/// Reads all annotations of an Ingress.
pub(crate) fn read(
    ingress: &ObjectRef,
    annotations: Option<&BTreeMap<String, String>>,
    settings: &Settings,
    problems: &mut Problems,
) -> Reading {
    let mut wanted = Wanted::new(&ingress.namespace, Policy { balance: settings.balance, filters: None });
    for (name, value) in annotations.into_iter().flatten() {
        if let Err(fault) = read_one(name, value, &mut wanted) {
            problems.add(ingress.clone(), field(name), fault);
        }
    }
    if let Some((name, fault)) = wanted.settle() {
        problems.add(ingress.clone(), field(&name), fault);
    }
    let Wanted { policy, denied, canary, transport, .. } = wanted;
    Reading { policy, transport: Arc::new(transport), denied, canary }
}

/// The Secret that an Ingress' annotations name for handshakes with endpoints.
pub(crate) struct UpstreamSecret {
    pub(crate) secret: ObjectKey,
    /// The field that names it.
    pub(crate) field: String,
    /// Whether endpoints are verified by what it has.
    pub(crate) verify: bool,
}

/// Reads no more than that; what is wrong is told where all is read.
pub(crate) fn upstream_secret(key: &ObjectKey, ingress: &Ingress) -> Option<UpstreamSecret> {
    let annotations = ingress.metadata.annotations.as_ref()?;
    // Ours goes first.
    let by = [own::SECRET, nginx::SECRET].into_iter().find(|name| annotations.contains_key(*name))?;
    let mut wanted = Wanted::new(&key.namespace, Policy::default());
    for (name, value) in annotations {
        let _ = read_one(name, value, &mut wanted);
    }
    let _ = wanted.settle();
    let UpstreamTls { secret, verify, .. } = wanted.transport.tls;
    Some(UpstreamSecret { secret: ObjectKey::new(&*key.namespace, &*secret?), field: field(by), verify })
}

fn read_one(name: &str, value: &str, wanted: &mut Wanted) -> Result<(), Fault> {
    if let Some(own) = name.strip_prefix(own::PREFIX) {
        own::read(own, value, wanted)
    } else if let Some(nginx) = name.strip_prefix(nginx::PREFIX) {
        nginx::read(nginx, value, wanted)
    } else {
        Ok(())
    }
}

fn field(annotation: &str) -> String {
    format!("metadata.annotations[{annotation}]")
}
