//! Hosts that lead to their other name, with or without `www.`, which no object asks for by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{HostMatch, HostName, ObjectRef};

use crate::policy;
use crate::source::{Draft, RouteDraft, Serves};
use crate::tls::Basis;

/// What the other name of a host begins with.
const WWW: &str = "www.";

/// The names that lead elsewhere, each with where to.
#[derive(Debug, Default)]
pub(super) struct OtherNames(BTreeMap<HostName, Www>);

/// Where a host leads, and the object that says so.
#[derive(Debug)]
struct Www {
    object: Arc<ObjectRef>,
    to: HostName,
}

impl OtherNames {
    /// Adds the other names of an object's hosts, if it asks for that, the first one first.
    pub(super) fn read(&mut self, draft: &Draft) {
        if !draft.asked.redirect.leads_www() {
            return;
        }
        for to in draft.routes.iter().filter_map(|route| served_name(&route.serves)) {
            let other = match to.as_str().strip_prefix(WWW) {
                Some(bare) => HostName::parse(bare),
                None => HostName::parse(&format!("{WWW}{to}")),
            };
            let Ok(from) = other else { continue };
            self.0.entry(from).or_insert_with(|| Www { object: Arc::clone(&draft.object), to: to.clone() });
        }
    }

    /// Without those that objects name themselves.
    pub(super) fn leave_out(&mut self, named: &BTreeSet<&HostMatch>) {
        self.0.retain(|from, _| !named.contains(&HostMatch::Exact(from.clone())));
    }

    /// Adds to an object the routes that lead from its hosts' other names to them, and has its certificates for these names as
    /// well, as far as they are for them.
    pub(super) fn complete(&self, draft: &mut Draft) {
        for (from, Www { object, to, .. }) in &self.0 {
            let from = HostMatch::Exact(from.clone());
            if *object == draft.object {
                let found = draft.routes.iter().find(|route| served_name(&route.serves) == Some(to));
                let Some(route) = found.cloned() else { continue };
                let serves = Serves::Rest { hosts: vec![from.clone()], catch_all: false };
                let redirect = Some(policy::to_www(&draft.asked, to));
                draft.routes.push(RouteDraft { serves, redirect, ..route });
            }
            let claims = &mut draft.certificates.claims;
            let of = |host: &HostMatch| claims.iter().find(|(claimed, ..)| claimed == host);
            let secrets = of(&HostMatch::Exact(to.clone())).map(|(.., secrets)| secrets.clone());
            if let (Some(secrets), None) = (secrets, of(&from)) {
                claims.push((from, Basis::Rule, secrets));
            }
        }
    }
}

/// The name, if the route is for a path of one.
fn served_name(serves: &Serves) -> Option<&HostName> {
    match serves {
        Serves::Path(HostMatch::Exact(name), _) => Some(name),
        _ => None,
    }
}
