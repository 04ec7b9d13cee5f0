//! What the objects that name one host decide together, and no object by itself: nginx has one server for a host, and what one
//! Ingress asks for its server holds for the routes of all.
//!
//! Read from all drafts before any of them becomes routes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{HostMatch, HostName, ObjectRef};

use crate::policy;
use crate::source::{Draft, RouteDraft, Serves};
use crate::tls::Basis;

/// What the other name of a host begins with.
const WWW: &str = "www.";

/// What is known of all hosts.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    /// Those that have a certificate, if only the default one.
    tls: BTreeSet<HostMatch>,
    /// Those that lead to their other name, with or without `www.`, which no object asks for by itself.
    www: BTreeMap<HostName, Www>,
}

/// Where a host leads, and the object that says so.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Www {
    created: i64,
    object: Arc<ObjectRef>,
    to: HostName,
}

/// What is known of one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostFacts {
    /// Whether its clients can be sent to https.
    pub(crate) has_tls: bool,
}

impl Hosts {
    /// Reads all drafts.
    pub(crate) fn read<'d>(drafts: impl IntoIterator<Item = &'d Draft>) -> Hosts {
        let (mut hosts, mut named) = (Hosts::default(), BTreeSet::new());
        for draft in drafts {
            if draft.certificates.is_asked {
                hosts.tls.extend(draft.hosts.iter().cloned());
            }
            if draft.asked.redirect.leads_www() {
                hosts.read_www(draft);
            }
            named.extend(&draft.hosts);
        }
        hosts.www.retain(|from, _| !named.contains(&HostMatch::Exact(from.clone())));
        hosts
    }

    /// The oldest object decides.
    fn read_www(&mut self, draft: &Draft) {
        for to in draft.routes.iter().filter_map(|route| served_name(&route.serves)) {
            let other = match to.as_str().strip_prefix(WWW) {
                Some(bare) => HostName::parse(bare),
                None => HostName::parse(&format!("{WWW}{to}")),
            };
            let Ok(from) = other else { continue };
            let www = Www { created: draft.created, object: Arc::clone(&draft.object), to: to.clone() };
            match self.www.get(&from) {
                Some(before) if *before <= www => {}
                _ => drop(self.www.insert(from, www)),
            }
        }
    }

    /// What is known of this one. One that has no certificate by itself uses that of the wildcard above it. Of names that no
    /// object names none has one.
    pub(crate) fn of(&self, host: &HostMatch) -> HostFacts {
        let has = |host: &HostMatch| self.tls.contains(host);
        let has_tls = match host {
            HostMatch::Exact(name) => {
                has(host) || name.parent().map(HostMatch::Wildcard).as_ref().is_some_and(has)
            }
            HostMatch::Wildcard(_) => has(host),
            HostMatch::Any => false,
        };
        HostFacts { has_tls }
    }

    /// Adds to an object the routes that lead from its hosts' other names to them, and has its certificates for these names as
    /// well, as far as they are for them.
    pub(crate) fn complete(&self, draft: &mut Draft) {
        for (from, Www { object, to, .. }) in &self.www {
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
