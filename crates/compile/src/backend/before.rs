//! What was live before a change, and goes on while what is referred to now is not there.
//!
//! Objects that belong together change one after the other: a Service's port gets another name, and the slices follow; an
//! Ingress names a port, and the Service gets it. In between a backend would have no endpoint although none has gone. So
//! a compile may be told what was live before, and then
//! - a backend without an endpoint that takes requests has those of before that are *still listed*: slices of its Service
//!   have their addresses, under whatever port, for no other pod, or the DNS name that they came from still resolves to them.
//!   Their condition is what the slices say now, so that one that goes or is not ready is out at once;
//! - a route whose backend has none even so, and is new, leads where it led before, within its namespace and under the
//!   same guards, if that takes requests and is verified by the same CA bundle, where endpoints are to be verified; its canary leads
//!   where its canary led.
//!
//! Such a backend is *pending*. For how long is up to the caller, which has a clock: of a backend whose time is over
//! nothing is taken from before, whichever route comes to it later. What is refused is never pending.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use model::{Backend, BackendKey, Endpoint, HostMatch, PathMatch, Policy, Route, Selection, Unavailable};

use crate::reference::Port;
use crate::{Compiled, ObjectKey, Objects, endpoint};

/// What was live before, and the backends of which nothing is taken from it.
#[derive(Clone, Copy)]
pub(crate) struct Before<'a> {
    compiled: &'a Compiled,
    over: &'a BTreeSet<BackendKey>,
}

/// What a route led to.
pub(crate) type Led = (BackendKey, Port);

/// Which backend of a route's target.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// The only one, or the one that the others are variants of.
    Primary,
    /// The variant.
    Canary,
}

impl<'a> Before<'a> {
    pub(crate) fn new(compiled: &'a Compiled, over: &'a BTreeSet<BackendKey>) -> Before<'a> {
        Before { compiled, over }
    }

    /// Whether nothing of before goes on for this backend.
    fn is_over(self, key: &BackendKey) -> bool {
        self.over.contains(key)
    }

    /// Whether routes may wait for this backend: nothing led to it before, or what did waits too.
    pub(super) fn may_wait_for(self, key: &BackendKey) -> bool {
        let Compiled { table, pending, .. } = self.compiled;
        !self.is_over(key) && (table.backend(key).is_none() || pending.contains(key))
    }

    /// The backend as it was.
    pub(super) fn backend(self, key: &BackendKey) -> Option<&'a Backend> {
        if self.is_over(key) { None } else { self.compiled.table.backend(key).map(|backend| &**backend) }
    }

    /// What the rule for this host and path led to, if it was of this namespace and guarded as it is now.
    pub(crate) fn of_rule(
        self,
        namespace: &str,
        policy: &Policy,
        (host, path): (&HostMatch, &PathMatch),
        part: Part,
    ) -> Option<Led> {
        self.led(namespace, policy, self.compiled.table.rule(host, path)?, part)
    }

    /// What the default backend for these hosts was, if it was of this namespace and guarded as it is now.
    pub(crate) fn of_default(
        self,
        namespace: &str,
        policy: &Policy,
        hosts: &[HostMatch],
        part: Part,
    ) -> Option<Led> {
        let defaults = hosts.iter().chain([&HostMatch::Any]);
        defaults
            .filter_map(|host| self.compiled.table.default_of(host))
            .find_map(|route| self.led(namespace, policy, route, part))
    }

    fn led(self, namespace: &str, policy: &Policy, route: &Route, part: Part) -> Option<Led> {
        // What was guarded in one way must not become reachable in another, and where none is to serve none does.
        let guarded_alike = !policy.denies() && policy.guards().eq(route.policy.guards());
        if route.origin.object.namespace != namespace || !guarded_alike {
            return None;
        }
        // Of a split without a primary backend it could not be told which one would take the place of which.
        let led = match part {
            Part::Primary => route.target.primary()?,
            Part::Canary => route.target.variants().next()?,
        };
        let key = &self.compiled.table.backend_at(led).key;
        let service = self.compiled.services.get(&ObjectKey::new(&*key.namespace, &*key.service))?;
        let (_, port) = service.ports.iter().find(|(place, _)| *place == led)?;
        Some((key.clone(), port.clone()))
    }
}

/// Whether endpoints that are to be verified now were verified before: what is meant for them should reach no others. By what
/// name may differ, since each Service has its own.
pub(super) fn is_verified_alike(before: &BackendKey, now: &BackendKey) -> bool {
    let (before, now) = (&before.transport, &now.transport);
    let is_alike =
        || before.tls.verify && before.tls.secret == now.tls.secret && before.protocol == now.protocol;
    !now.tls.verify || is_alike()
}

/// Whether the backend is named rightly, for all we know, and has no endpoint that takes requests.
pub(super) fn is_unmet(backend: &Backend) -> bool {
    matches!(backend.selection(), Selection::None(why) if why != Unavailable::Refused)
}

/// The endpoints of before that are still listed, without those that the backend has now, too; and the DNS names that
/// they come from.
pub(super) fn still_listed(
    before: &Backend,
    now: &Backend,
    objects: &Objects,
) -> (Vec<Endpoint>, Vec<String>) {
    let again: HashSet<IpAddr> = now.endpoints().iter().map(address).collect();
    let (mut listed, mut names, mut ports) = (Vec::new(), Vec::new(), HashMap::new());
    for endpoint in before.endpoints().iter().filter(|endpoint| !again.contains(&address(endpoint))) {
        // What an endpoint of an ExternalName Service is told from others by is that name.
        let name = &*endpoint.key.uid;
        if is_resolved(name, address(endpoint), objects) {
            listed.push(endpoint.clone());
            names.push(name.into());
        } else {
            ports.entry(address(endpoint)).or_insert_with(Vec::new).push(&endpoint.key);
        }
    }
    if !ports.is_empty() {
        let slices = objects.endpoint_slices.of(&now.key.namespace, &now.key.service);
        listed.extend(slices.flat_map(|slice| endpoint::at_ports(slice, &ports)));
    }
    (listed, names)
}

/// Whether any endpoint of before has another port now, and no longer the one it had.
pub(super) fn moves(before: &Backend, now: &Backend) -> bool {
    let has = |is_it: &dyn Fn(&Endpoint) -> bool| now.endpoints().iter().any(is_it);
    before.endpoints().iter().any(|old| {
        let is_same = |new: &Endpoint| new.key.address == old.key.address;
        has(&|new| address(new) == address(old)) && !has(&is_same)
    })
}

fn address(endpoint: &Endpoint) -> IpAddr {
    endpoint.key.address.ip()
}

fn is_resolved(name: &str, address: IpAddr, objects: &Objects) -> bool {
    let answer = objects.resolved.get(name).and_then(|answer| answer.as_ref().ok());
    answer.is_some_and(|addresses| addresses.iter().any(|resolved| resolved.to_canonical() == address))
}
