//! What the objects that name one host decide together, and no object by itself: nginx has one server for a host, and what one
//! Ingress asks for its server holds for the routes of all.
//!
//! Read from all drafts before any of them becomes routes.

mod alias;
mod client_tls;
mod path;
mod server;
mod www;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{ClientTls, HostMatch, ObjectRef};

use crate::problems::{Fault, Problems};
use crate::profile::Profile;
use crate::reasons;
use crate::source::{Draft, Serves};

pub(crate) use path::{Budget, Matched};

use client_tls::Demands;
use server::Server;
use www::OtherNames;

/// What is known of all hosts.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    /// Those that have a certificate, if only the default one.
    tls: BTreeSet<HostMatch>,
    servers: BTreeMap<HostMatch, Server>,
    /// The names that each host is served under beside its own.
    aliases: BTreeMap<HostMatch, Vec<HostMatch>>,
    other_names: OtherNames,
    demands: Demands,
}

/// What is known of one host, and of a path of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostFacts<'h> {
    /// Whether its clients can be sent to https.
    pub(crate) has_tls: bool,
    /// What is demanded of its clients' certificates.
    pub(crate) client_tls: Option<&'h Arc<ClientTls>>,
}

/// What is known of a path of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PathFacts {
    /// Clients have to write the slash that it ends with.
    pub(crate) needs_slash: bool,
    /// The target is not to be another one: it would be the same.
    pub(crate) is_kept: bool,
}

impl Hosts {
    /// Reads all drafts.
    pub(crate) fn read(drafts: &[Draft], problems: &mut Problems) -> Hosts {
        let mut hosts = Hosts::default();
        let mut drafts: Vec<_> = drafts.iter().map(|draft| (draft.origin(""), draft)).collect();
        drafts.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (place, (_, draft)) in drafts.iter().enumerate() {
            if draft.certificates.is_asked {
                hosts.tls.extend(draft.hosts.iter().cloned());
            }
            hosts.other_names.read(draft);
            hosts.demands.read(draft);
            for host in draft.hosts.iter().collect::<BTreeSet<_>>() {
                hosts.servers.entry(host.clone()).or_default().name(draft, place);
            }
            if draft.profile == Profile::IngressNginx && draft.hosts.is_empty() && draft.has_default() {
                hosts.servers.entry(HostMatch::Any).or_default().catch_all(&draft.object);
            }
            for (host, path) in draft.rules() {
                hosts.servers.entry(host.clone()).or_default().add(path, draft);
            }
        }
        for (host, server) in &mut hosts.servers {
            server.decide(host);
        }
        let named = drafts.iter().flat_map(|(_, draft)| &draft.hosts).collect();
        hosts.other_names.leave_out(&named);
        hosts.aliases = alias::settle(&hosts.servers, problems);
        hosts
    }

    /// Tells an object that others of its hosts demand something of its clients.
    pub(crate) fn tell(&self, draft: &Draft, problems: &mut Problems) {
        self.demands.tell(draft, problems);
    }

    /// What is known of this one. One that has no certificate by itself uses that of the wildcard above it. Of names that no
    /// object names none has one.
    pub(crate) fn of(&self, host: &HostMatch) -> HostFacts<'_> {
        let has = |host: &HostMatch| self.tls.contains(host);
        let has_tls = match host {
            HostMatch::Exact(name) => {
                has(host) || name.parent().map(HostMatch::Wildcard).as_ref().is_some_and(has)
            }
            HostMatch::Wildcard(_) => has(host),
            HostMatch::Any => false,
        };
        HostFacts { has_tls, client_tls: self.demands.of(host) }
    }

    /// Adds to an object the routes that lead from its hosts' other names to them, and has its certificates for these names as
    /// well, as far as they are for them.
    pub(crate) fn complete(&self, draft: &mut Draft) {
        self.other_names.complete(draft);
    }

    /// The names that a host is served under beside its own.
    pub(crate) fn aliases_of(&self, host: &HostMatch) -> &[HostMatch] {
        self.aliases.get(host).map(Vec::as_slice).unwrap_or_default()
    }

    /// The hosts that are served under other names, with these.
    pub(crate) fn aliases(&self) -> impl Iterator<Item = (&HostMatch, &HostMatch)> {
        self.aliases.iter().flat_map(|(host, names)| names.iter().map(move |name| (host, name)))
    }

    /// Hosts all of whose paths are patterns, and what asked for it.
    pub(crate) fn of_patterns(&self) -> impl Iterator<Item = (&HostMatch, &Arc<ObjectRef>)> {
        self.servers.iter().filter_map(|(host, server)| Some((host, server.patterns()?)))
    }

    /// The hosts of the draft whose root is answered by its redirect.
    pub(crate) fn roots<'d>(&'d self, draft: &'d Draft) -> impl Iterator<Item = &'d HostMatch> {
        let named: BTreeSet<&HostMatch> = draft.hosts.iter().collect();
        named
            .into_iter()
            .filter(|host| self.servers.get(host).is_some_and(|it| it.root() == Some(&draft.object)))
    }

    /// The hosts of the draft on which it decides what is done with requests that no rule is for, and that nothing serves.
    pub(crate) fn unserved<'d>(&'d self, draft: &'d Draft) -> impl Iterator<Item = &'d HostMatch> {
        let named: BTreeSet<&HostMatch> = draft.hosts.iter().filter(|_| !draft.has_default()).collect();
        named.into_iter().filter(|host| {
            let server = self.servers.get(host).filter(|_| **host != HostMatch::Any);
            server.is_some_and(|server| server.first() == Some(&draft.object) && !server.has_root())
        })
    }

    /// The hosts that the draft's default backend serves; tells which it does not. With ingress-nginx the first Ingress that
    /// names a host decides.
    pub(crate) fn rest(&self, draft: &Draft, serves: &Serves, mut tell: impl FnMut(Fault)) -> Matched {
        let Serves::Rest { hosts, catch_all } = serves else { return Matched::default() };
        if draft.profile == Profile::Own {
            return Matched { hosts: hosts.clone(), catch_all: *catch_all };
        }
        if *catch_all {
            return Matched { hosts: vec![HostMatch::Any], catch_all: false };
        }
        let hosts: BTreeSet<&HostMatch> = hosts.iter().collect();
        let (served, others): (Vec<_>, Vec<_>) = hosts.into_iter().partition(|host| {
            let first = self.servers.get(host).and_then(Server::first);
            **host != HostMatch::Any && first == Some(&draft.object)
        });
        for host in others {
            let why = match self.servers.get(host).and_then(Server::first) {
                Some(first) if *host != HostMatch::Any => format!("{first} names it and goes first"),
                _ => "that is for an Ingress without rules".into(),
            };
            let message = format!("does not serve what no rule for {host} matches: {why}");
            tell(Fault::warning(reasons::NO_EFFECT, message, "write a rule for / with this backend"));
        }
        Matched { hosts: served.into_iter().cloned().collect(), catch_all: false }
    }
}
