//! What comes first goes first: a change is held back for a moment where it would be live too early.
//!
//! Each kind of object is watched on a connection of its own, so their changes arrive in no order. An author who creates
//! a Service and then points an Ingress at it, or points the Ingress elsewhere and then deletes the Service, has done
//! nothing wrong; but for some milliseconds the index may know only the second half. So an object waits until what it
//! [names](crate::kinds::Indexed::references) has been seen, and a Service, its slices and a class outlive their deletion a
//! little. A Secret that was never named before is asked for while its Ingress waits, so that the certificate is there when
//! the route is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use compile::{ObjectKey, Settings};

use crate::index::Index;
use crate::kinds::{Id, Indexed as _, Kind, Object, of_object};

/// An object waits no longer for what it names. A Service's first slice is made by a controller that needs a moment.
const WAIT_MAX: Duration = Duration::from_millis(500);

/// How much longer a Service, its slices or a class live. Watches of one API server are a few milliseconds apart; endpoints
/// that go while their Service stays are told by a changed slice, and that waits for nothing.
const OUTLIVES: Duration = Duration::from_millis(100);

/// What is held back.
#[derive(Debug, Default)]
pub(crate) struct DependencyGate {
    settings: Settings,
    waiting: BTreeMap<Id, HeldBack>,
    deletions: BTreeMap<Id, Instant>,
}

/// An object that is not live yet.
#[derive(Debug)]
struct HeldBack {
    object: Object,
    references: BTreeSet<Id>,
    until: Instant,
}

impl DependencyGate {
    /// Holds nothing back yet.
    pub(crate) fn new(settings: Settings) -> DependencyGate {
        DependencyGate { settings, ..DependencyGate::default() }
    }

    /// Applies the object, unless it has to wait.
    pub(crate) fn apply(&mut self, object: Object, index: &mut Index, now: Instant) {
        let id = object.id();
        self.deletions.remove(&id);
        let references = of_object!(&object, it => it.references(&id.key(), &self.settings));
        if self.are_known(&object, &references, index) {
            self.waiting.remove(&id);
            index.apply(object, None);
        } else {
            // One that changes while it waits has waited from the first.
            let until = self.waiting.get(&id).map_or(now + WAIT_MAX, |waiting| waiting.until);
            self.waiting.insert(id, HeldBack { object, references, until });
        }
    }

    /// Deletes the object, at once or a little later.
    pub(crate) fn delete(&mut self, id: Id, index: &mut Index, now: Instant) {
        self.waiting.remove(&id);
        if id.kind.outlives_deletion() {
            self.deletions.insert(id, now + OUTLIVES);
        } else if !self.waiting.is_empty() {
            // What replaces it may be among those that wait.
            self.deletions.insert(id, now);
        } else {
            index.delete(&id);
        }
    }

    /// Does what has waited long enough, or need not wait any more; returns whether there was anything.
    pub(crate) fn settle(&mut self, index: &mut Index, now: Instant) -> bool {
        let mut waiting = std::mem::take(&mut self.waiting);
        let is_settled = |_: &Id, HeldBack { object, references, until }: &mut HeldBack| {
            *until <= now || self.are_known(object, references, index)
        };
        let settled: Vec<_> = waiting.extract_if(.., is_settled).collect();
        self.waiting = waiting;
        let mut any = !settled.is_empty();
        for (_, HeldBack { object, .. }) in settled {
            index.apply(object, None);
        }
        let longer = self.longer();
        for (id, _) in self.deletions.extract_if(.., |_, until| *until + longer <= now) {
            index.delete(&id);
            any = true;
        }
        any
    }

    /// While an object waits, what it was before is live, and needs what is about to go.
    fn longer(&self) -> Duration {
        if self.waiting.is_empty() { Duration::ZERO } else { WAIT_MAX }
    }

    /// When something will have waited long enough.
    pub(crate) fn due(&self) -> Option<Instant> {
        let longer = self.longer();
        let deletions = self.deletions.values().map(|until| *until + longer);
        self.waiting.values().map(|waiting| waiting.until).chain(deletions).min()
    }

    /// Whether any object waits.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The DNS names that the objects which wait will need.
    pub(crate) fn external_names(&self, index: &Index) -> BTreeSet<String> {
        let references = self.waiting.values().flat_map(|waiting| &waiting.references);
        let services = references.filter(|id| id.kind == Kind::Service);
        let services = services.filter_map(|id| index.objects().services.get(&id.key()));
        services.filter_map(|service| compile::external_name_of(service)).collect()
    }

    /// The Secrets that the objects which wait will need.
    pub(crate) fn secrets(&self, index: &Index) -> BTreeSet<ObjectKey> {
        let waiting = self.waiting.values();
        waiting.flat_map(|waiting| self.secrets_of(&waiting.object, &waiting.references, index)).collect()
    }

    /// The ConfigMaps that the objects which wait will need, if they are ours.
    pub(crate) fn config_maps(&self, index: &Index) -> BTreeSet<ObjectKey> {
        let ours = self.waiting.values().filter(|HeldBack { object, .. }| {
            of_object!(object, it => it.is_ours(&object.id().key(), index.objects(), &self.settings))
        });
        let references = ours.flat_map(|waiting| &waiting.references);
        references.filter(|id| id.kind == Kind::ConfigMap).map(Id::key).collect()
    }

    /// The Secrets among the references, if the object is ours: those of others are none of our business.
    fn secrets_of(&self, object: &Object, references: &BTreeSet<Id>, index: &Index) -> Vec<ObjectKey> {
        let secrets = references.iter().filter(|id| id.kind == Kind::Secret);
        let secrets: Vec<ObjectKey> = secrets.map(Id::key).collect();
        let (key, objects) = (object.id().key(), index.objects());
        let is_ours =
            !secrets.is_empty() && of_object!(object, it => it.is_ours(&key, objects, &self.settings));
        if is_ours { secrets } else { Vec::new() }
    }

    /// Whether all that the object names has been seen.
    fn are_known(&self, object: &Object, references: &BTreeSet<Id>, index: &Index) -> bool {
        let mut others = references.iter().filter(|id| id.kind != Kind::Secret);
        others.all(|id| id.kind.is_known(&id.key(), index.objects()))
            && self.secrets_of(object, references, index).iter().all(|key| index.has_heard_of_secret(key))
    }
}

#[cfg(test)]
mod tests;
