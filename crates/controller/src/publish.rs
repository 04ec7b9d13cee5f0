//! When what is in the index becomes live, and how.
//!
//! Owns: the gathering of changes that come together, the generations, how long endpoints of before go on where
//! something that is named is not there yet, and the log of problems. Never: where the
//! changes come from.

mod gather;
mod pending;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use compile::{Compiled, NoRoutesReason, ServedHost, Settings};
use model::{BackendKey, Problem, Published, RouteTable};
use tls::{AllClientCas, AllCredentials, Certificates, Tickets};

use crate::certificates::CertificateStore;
use crate::index::Index;
use crate::node::Node;
use crate::stats::Stats;

pub(crate) use gather::Gather;
use pending::Pending;

/// More new problems than this in one publication are counted and not logged one by one.
const MAX_LOGGED: usize = 100;

/// Where the controller publishes.
#[derive(Clone)]
pub struct Live {
    /// The route table that requests load.
    pub routes: Published<RouteTable>,
    /// The certificates that handshakes load. A route is never live before the certificate of its host.
    pub certificates: Published<Certificates>,
    /// The keys of session tickets.
    pub tickets: Tickets,
    /// What handshakes with endpoints need of Secrets. A route is never live before that of its backend.
    pub credentials: Published<AllCredentials>,
    /// What clients' certificates are verified by. A route is never live before that which it demands.
    pub client_cas: Published<AllClientCas>,
    /// Everything that is wrong now, sorted.
    pub problems: Published<Vec<Problem>>,
    /// Why the table has no routes, in one line, if it has none.
    pub no_routes: Published<Option<Arc<str>>>,
    /// The hosts that have routes, sorted.
    pub hosts: Published<Vec<ServedHost>>,
    /// Whether this replica is the one that writes what all replicas would: the holder of the Lease or, with a folder, each.
    pub writes: Published<bool>,
    /// The node we run on, if it is known.
    pub node: Published<Option<Node>>,
    /// What was counted.
    pub stats: Arc<Stats>,
}

impl Default for Live {
    /// An empty table of generation 0, and no problems.
    fn default() -> Live {
        Live {
            routes: Published::new(RouteTable::default()),
            certificates: Published::new(Certificates::default()),
            tickets: Tickets::default(),
            credentials: Published::new(AllCredentials::default()),
            client_cas: Published::new(AllClientCas::default()),
            problems: Published::new(Vec::new()),
            no_routes: Published::new(None),
            hosts: Published::new(Vec::new()),
            writes: Published::new(false),
            node: Published::new(None),
            stats: Arc::default(),
        }
    }
}

/// Compiles the index and publishes what comes of it, if anything has changed.
pub(crate) struct Publisher {
    live: Live,
    settings: Settings,
    generation: u64,
    /// What is live.
    compiled: Option<Compiled>,
    pending: Pending,
    certificates: CertificateStore,
    /// Whether the certificates are as of an earlier compile.
    claims_changed: bool,
    /// The problems of the compile that `reported` was made of.
    merged: Arc<Vec<Problem>>,
    reported: Arc<BTreeSet<Problem>>,
    /// Why there were no routes, when that was last logged.
    logged_no_routes: Option<NoRoutesReason>,
}

impl Publisher {
    pub(crate) fn new(live: Live, settings: Settings) -> Publisher {
        Publisher {
            live,
            pending: Pending::new(settings.reference_timeout),
            settings,
            generation: 0,
            compiled: None,
            certificates: CertificateStore::default(),
            claims_changed: false,
            merged: Arc::default(),
            reported: Arc::default(),
            logged_no_routes: None,
        }
    }

    /// Makes the index live, and the problems of its compile and of its source. Returns whether all was compiled, and
    /// not only backends.
    pub(crate) fn publish<'a>(
        &mut self,
        index: &mut Index,
        source: impl Iterator<Item = &'a Problem>,
        source_changed: bool,
    ) -> bool {
        let all = self.compile(index);
        self.publish_certificates(index);
        if let Some(compiled) = &self.compiled
            && self.live.routes.load().generation != compiled.table.generation
        {
            self.live.routes.publish(compiled.table.clone());
        }
        self.tell_hosts();
        self.tell_no_routes();
        if source_changed
            || all
            || !self.compiled.as_ref().is_some_and(|c| Arc::ptr_eq(&c.problems, &self.merged))
        {
            self.tell(source, index);
        }
        all
    }

    /// Makes the certificates of the last compile live; its routes are to be next.
    fn publish_certificates(&mut self, index: &Index) {
        let Some(compiled) = self.compiled.as_ref().filter(|_| self.claims_changed) else { return };
        self.claims_changed = false;
        self.certificates.share_keys(&self.settings, index.objects(), &self.live.tickets);
        let changed = self.certificates.update(compiled, index.objects());
        if let Some(certificates) = changed.certificates {
            tracing::info!(
                hosts = self.certificates.hosts(),
                entries = certificates.entries().len(),
                "certificates changed"
            );
            self.live.certificates.publish(certificates);
        }
        if let Some(credentials) = changed.credentials {
            self.live.credentials.publish(credentials);
        }
        if let Some(client_cas) = changed.client_cas {
            self.live.client_cas.publish(client_cas);
        }
        self.live.stats.certificates(self.certificates.ends());
    }

    /// Makes known which hosts there are, once they are served.
    fn tell_hosts(&self) {
        let Some(compiled) = &self.compiled else { return };
        if *self.live.hosts.load() != *compiled.hosts {
            self.live.hosts.publish(Vec::clone(&compiled.hosts));
        }
    }

    /// Makes known why there are no routes. It is logged once for each reason: how many Ingresses there are of other
    /// classes is no news.
    fn tell_no_routes(&mut self) {
        let why = self.compiled.as_ref().and_then(|compiled| compiled.no_routes.as_ref());
        let reason = why.map(|why| why.reason);
        if self.logged_no_routes != reason {
            match why {
                Some(why) => tracing::warn!("{why}"),
                None => tracing::info!("there are routes now"),
            }
            self.logged_no_routes = reason;
        }
        let text = why.map(|why| Arc::clone(&why.text));
        if *self.live.no_routes.load() != text {
            self.live.no_routes.publish(text);
        }
    }

    /// Makes known what is wrong, without another table. What there is to say of certificates changes with time alone.
    pub(crate) fn tell<'a>(&mut self, source: impl Iterator<Item = &'a Problem>, index: &Index) {
        self.merged =
            self.compiled.as_ref().map(|compiled| Arc::clone(&compiled.problems)).unwrap_or_default();
        let of_certificates = self.certificates.problems(SystemTime::now());
        let problems = merge(source, self.merged.iter().chain(&of_certificates), index);
        if problems != *self.reported {
            log_changes(&self.reported, &problems);
            self.live.problems.publish(problems.iter().cloned().collect());
            self.reported = Arc::new(problems);
        }
    }

    /// Compiles what has changed, without making it live. Returns whether everything was compiled, and not only
    /// backends.
    pub(crate) fn compile(&mut self, index: &mut Index) -> bool {
        let (dirty, now) = (index.take_dirty(), Instant::now());
        let over = self.pending.over(now);
        let all = match &mut self.compiled {
            Some(compiled) if !dirty.all && over.is_empty() && !compiled.is_pending(&dirty.services) => {
                if !dirty.is_clean() {
                    let started = Instant::now();
                    let next = self.generation + 1;
                    if compiled.update_backends(index.objects(), &self.settings, &dirty.services, next) {
                        self.generation = next;
                    }
                    self.live.stats.compiled_backends(started.elapsed());
                }
                false
            }
            _ => {
                self.compile_all(index, &over);
                true
            }
        };
        if let Some(compiled) = &self.compiled {
            self.pending.follow(&compiled.pending, now);
        }
        all
    }

    /// When there is something to publish though nothing changes: what of before may go on no longer.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.pending.due()
    }

    /// What bears on the table.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The last compile; none before the first.
    pub(crate) fn compiled(&self) -> Option<&Compiled> {
        self.compiled.as_ref()
    }

    /// All problems that are told now. Another pointer when they have changed.
    pub(crate) fn problems(&self) -> &Arc<BTreeSet<Problem>> {
        &self.reported
    }

    fn compile_all(&mut self, index: &Index, over: &BTreeSet<BackendKey>) {
        self.generation += 1;
        let started = Instant::now();
        let (objects, settings, generation) = (index.objects(), &self.settings, self.generation);
        let compiled = match &self.compiled {
            Some(before) => before.compile_again(objects, settings, generation, over),
            None => compile::compile(objects, settings, generation),
        };
        let took = started.elapsed();
        self.live.stats.compiled_all(took);
        tracing::info!(
            generation = self.generation,
            routes = compiled.table.routes().len(),
            backends = compiled.table.backends().len(),
            problems = compiled.problems.len(),
            compiled_in = ?took,
            "routes compiled"
        );
        self.compiled = Some(compiled);
        self.claims_changed = true;
    }
}

/// The problems of a source and of the objects in it, the latter with the files of their objects.
pub(crate) fn merge<'a, 'b>(
    source: impl Iterator<Item = &'a Problem>,
    of_objects: impl Iterator<Item = &'b Problem>,
    index: &Index,
) -> BTreeSet<Problem> {
    let with_file = |problem: &Problem| {
        let mut problem = problem.clone();
        problem.object.file = index.file_of(&problem.object).map(|file| file.to_string());
        problem
    };
    source.cloned().chain(of_objects.map(with_file)).collect()
}

fn log_changes(before: &BTreeSet<Problem>, now: &BTreeSet<Problem>) {
    let new: Vec<&Problem> = now.difference(before).collect();
    for problem in new.iter().take(MAX_LOGGED) {
        tracing::warn!("{problem}");
    }
    if new.len() > MAX_LOGGED {
        tracing::warn!(more = new.len() - MAX_LOGGED, "more new problems than are logged one by one");
    }
    let resolved: Vec<&Problem> = before.difference(now).collect();
    for problem in resolved.iter().take(MAX_LOGGED) {
        tracing::info!("resolved: {problem}");
    }
    if resolved.len() > MAX_LOGGED {
        tracing::info!(
            more = resolved.len() - MAX_LOGGED,
            "more resolved problems than are logged one by one"
        );
    }
}
