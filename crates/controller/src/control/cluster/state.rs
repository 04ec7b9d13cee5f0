//! All that the loop of a cluster works on: what is known, and what of it is live and told.

mod config_maps;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use compile::ObjectKey;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::networking::v1::IngressLoadBalancerIngress;
use model::Problem;
use tokio::sync::watch;

use crate::cluster::{Answer, Change, Cluster, NamedSecrets, Namespaces, Part, Watches};
use crate::dependency_gate::DependencyGate;
use crate::fault::Faults;
use crate::index::Index;
use crate::kinds::{Id, Kind};
use crate::node::Node;
use crate::publish::{Live, Publisher};
use crate::report::Told;

/// Changes that are applied before the loop looks up: enough for a burst, too few to delay a publication.
const CHANGES_AT_ONCE: usize = 256;

/// All that the loop works on.
pub(super) struct State {
    pub(super) index: Index,
    pub(super) gate: DependencyGate,
    faults: Faults,
    pub(super) publisher: Publisher,
    live: Live,
    /// What has not been told once. While there is any, nothing is published.
    pub(super) unsynced: BTreeSet<Part>,
    /// The Service that status is to show, once it is known.
    publish_service: Option<Arc<Vec<IngressLoadBalancerIngress>>>,
    ours: Arc<Vec<ObjectKey>>,
    /// The problems that were told last.
    told_problems: Arc<BTreeSet<Problem>>,
    /// Whether another table than the last was made, and may need other names.
    pub(super) has_new_table: bool,
    /// The Secrets that are asked for.
    followed: BTreeSet<ObjectKey>,
    /// The ConfigMaps that are asked for, and those about which anything was answered.
    config_maps: BTreeSet<ObjectKey>,
    heard_of_config_maps: BTreeSet<ObjectKey>,
}

impl State {
    pub(super) fn new(publisher: Publisher, live: Live, cluster: &Cluster, watches: &Watches) -> State {
        let mut index = Index::default();
        index.ask_for_secrets();
        if let Namespaces::Labelled(_) = cluster.namespaces {
            index.select_namespaces();
        }
        let config_maps = publisher.settings().config_maps().map(Part::of_config_map);
        let unsynced = watches.parts().iter().cloned().chain(config_maps).collect();
        State {
            index,
            gate: DependencyGate::new(publisher.settings().clone()),
            faults: Faults::default(),
            publisher,
            live,
            unsynced,
            publish_service: None,
            ours: Arc::default(),
            told_problems: Arc::default(),
            has_new_table: false,
            followed: BTreeSet::new(),
            config_maps: BTreeSet::new(),
            heard_of_config_maps: BTreeSet::new(),
        }
    }

    /// Applies a change and those that are already there behind it.
    pub(super) fn take_all(&mut self, change: Change, watches: &mut Watches) {
        self.take_in_order(change);
        for _ in 1..CHANGES_AT_ONCE {
            let Some(change) = watches.try_changed() else { break };
            self.take_in_order(change);
        }
    }

    /// Applies a change to routes that are live.
    fn take_in_order(&mut self, change: Change) {
        match change {
            Change::Apply(object) => {
                self.faults.readable(&object.id());
                self.gate.apply(object, &mut self.index, Instant::now());
            }
            Change::Delete(id) => {
                self.faults.readable(&id);
                self.gate.delete(id, &mut self.index, Instant::now());
            }
            other => self.take(other),
        }
    }

    /// Applies a change as it is.
    pub(super) fn take(&mut self, change: Change) {
        match change {
            Change::Apply(object) => {
                self.faults.readable(&object.id());
                self.index.apply(object, None);
            }
            Change::Delete(id) => {
                self.faults.readable(&id);
                self.index.delete(&id);
            }
            Change::Unreadable(id, why) => {
                self.faults.unreadable(id, &why, "write the object as its kind defines it");
            }
            Change::Namespace(name, selected) => self.index.apply_namespace(name, selected),
            Change::ConfigMap(key, answer) => self.take_config_map(key, answer),
            Change::Secret(key, answer) => self.take_secret(key, answer),
            Change::PublishService(part, addresses) => {
                self.faults.working(&part);
                self.publish_service = Some(Arc::new(addresses));
            }
            Change::Node(part, node) => {
                self.faults.working(&part);
                self.take_node(Node::from(&*node));
            }
            Change::Synced(part) => {
                self.unsynced.remove(&part);
            }
            Change::Failing(part, why, remedy) => self.faults.failing(part, &why, remedy),
            Change::Working(part) => self.faults.working(&part),
        }
    }

    fn take_secret(&mut self, key: ObjectKey, answer: Answer<Secret>) {
        if !self.followed.contains(&key) {
            // It was still on its way when the last Ingress that named it went.
            return;
        }
        let id = Id::new(Kind::Secret, key.clone());
        self.index.heard_of_secret(key.clone());
        match answer {
            Answer::Found(secret) => self.index.apply_found_secret(&key, secret),
            Answer::Absent => self.index.apply_absent_secret(key),
            Answer::Unknown(why, remedy) => return self.faults.unreadable(id, &why, remedy),
        }
        self.faults.readable(&id);
    }

    /// What has not been listed, and why as far as that is known.
    pub(super) fn why_unsynced(&self) -> String {
        let faults: Vec<String> = self.faults.problems().map(|problem| problem.message.clone()).collect();
        let parts: Vec<String> = self.unsynced.iter().map(Part::to_string).collect();
        match &*faults {
            [] => format!("no list of {} came in time", parts.join(", ")),
            faults => faults.join("; "),
        }
    }

    /// The objects, and what is wrong with the cluster as a source.
    pub(super) fn into_known(self) -> (Index, Vec<Problem>) {
        let problems = self.faults.problems().cloned().collect();
        (self.index, problems)
    }

    fn take_node(&self, node: Node) {
        if self.live.node.load().as_ref().as_ref() != Some(&node) {
            tracing::info!(?node, "this node has changed");
            self.live.node.publish(Some(node));
        }
    }

    /// The DNS names that are needed now, or by an Ingress that waits.
    pub(super) fn external_names(&self) -> BTreeSet<String> {
        let compiled = self.publisher.compiled().map(|compiled| &compiled.external_names);
        compiled.into_iter().flatten().cloned().chain(self.gate.external_names(&self.index)).collect()
    }

    /// The Secrets that are needed now, or by an Ingress that waits.
    fn secrets(&self) -> BTreeSet<ObjectKey> {
        let compiled = self.publisher.compiled().map(|compiled| &compiled.secrets);
        compiled.into_iter().flatten().cloned().chain(self.gate.secrets(&self.index)).collect()
    }

    /// Asks for exactly the Secrets that are needed.
    pub(super) fn follow_secrets(&mut self, secrets: &mut NamedSecrets) {
        self.followed = self.secrets();
        secrets.want(&self.followed);
    }

    /// Asks for those too that an Ingress which waits will need.
    pub(super) fn follow_secrets_also(&mut self, secrets: &mut NamedSecrets) {
        let more = self.gate.secrets(&self.index);
        secrets.want_also(&more);
        self.followed.extend(more);
    }

    /// Whether a Secret, a ConfigMap or a DNS name that the table needs is still being asked for.
    pub(super) fn is_unanswered(&self) -> bool {
        let Some(compiled) = self.publisher.compiled() else { return false };
        compiled.external_names.iter().any(|name| !self.index.objects().resolved.contains_key(name))
            || !self.config_maps.is_subset(&self.heard_of_config_maps)
            || compiled.secrets.iter().any(|secret| !self.index.has_heard_of_secret(secret))
    }

    /// Makes known what is wrong on this day: certificates end without anything being changed.
    pub(super) fn tell_dates(&mut self) {
        self.publisher.tell(self.faults.problems(), &self.index);
    }

    /// Makes known what is wrong with the cluster as a source, while there is no table.
    pub(super) fn tell_faults(&mut self) {
        if self.faults.take_changed() {
            self.publisher.tell(self.faults.problems(), &self.index);
        }
    }

    /// Whether there is anything to publish.
    pub(super) fn is_dirty(&self) -> bool {
        !self.index.dirty().is_clean() || self.faults.has_changed()
    }

    /// Compiles for the first time, to learn what else has to be asked for.
    pub(super) fn compiled(mut self) -> State {
        self.publisher.compile(&mut self.index);
        self.recompiled();
        self
    }

    /// Publishes what has changed.
    pub(super) fn published(mut self) -> State {
        let faults_changed = self.faults.take_changed();
        if self.publisher.publish(&mut self.index, self.faults.problems(), faults_changed) {
            self.recompiled();
            self.tell_faults();
        }
        self
    }

    /// There is another table: what it has no use for is forgotten, and what it needs is to be asked for.
    fn recompiled(&mut self) {
        self.has_new_table = true;
        self.keep_used();
    }

    /// Forgets what the table has no use for any more.
    fn keep_used(&mut self) {
        let Some(compiled) = self.publisher.compiled() else { return };
        self.ours = Arc::new(compiled.ours.clone());
        self.index.retain_resolved(&self.external_names());
        let secrets = self.secrets();
        self.index.retain_secrets(&secrets);
        self.faults.retain_secrets(&secrets);
    }

    /// Tells the reporter, which writes into the cluster, what is new.
    pub(super) fn tell(&mut self, tell: &watch::Sender<Told>) {
        let problems = self.publisher.problems();
        tell.send_if_modified(|told| {
            let mut changed =
                set(&mut told.ours, &self.ours) | set(&mut told.statuses, self.index.statuses());
            if let Some(addresses) = &self.publish_service {
                changed |= set(told.service.get_or_insert_default(), addresses);
            }
            if !Arc::ptr_eq(&self.told_problems, problems) {
                let uid = |problem: &Problem| self.index.uid_of(&problem.object).cloned();
                told.problems =
                    Arc::new(problems.iter().map(|problem| (problem.clone(), uid(problem))).collect());
                changed = true;
            }
            changed
        });
        self.told_problems = Arc::clone(problems);
    }
}

/// Puts `new` in its place and says whether it is another.
fn set<T: ?Sized>(place: &mut Arc<T>, new: &Arc<T>) -> bool {
    let changed = !Arc::ptr_eq(place, new);
    if changed {
        *place = Arc::clone(new);
    }
    changed
}
