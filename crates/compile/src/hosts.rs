//! What the objects that name one host decide together, and no object by itself: nginx has one server for a host, and what one
//! Ingress asks for its server holds for the routes of all.
//!
//! Read from all drafts before any of them becomes routes.

mod client_tls;
mod www;

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{ClientTls, HostMatch};

use crate::problems::Problems;
use crate::source::Draft;

use client_tls::Demands;
use www::OtherNames;

/// What is known of all hosts.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    /// Those that have a certificate, if only the default one.
    tls: BTreeSet<HostMatch>,
    other_names: OtherNames,
    demands: Demands,
}

/// What is known of one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostFacts<'h> {
    /// Whether its clients can be sent to https.
    pub(crate) has_tls: bool,
    /// What is demanded of its clients' certificates.
    pub(crate) client_tls: Option<&'h Arc<ClientTls>>,
}

impl Hosts {
    /// Reads all drafts.
    pub(crate) fn read<'d>(drafts: impl IntoIterator<Item = &'d Draft>) -> Hosts {
        let (mut hosts, mut named) = (Hosts::default(), BTreeSet::new());
        for draft in drafts {
            if draft.certificates.is_asked {
                hosts.tls.extend(draft.hosts.iter().cloned());
            }
            hosts.other_names.read(draft);
            hosts.demands.read(draft);
            named.extend(&draft.hosts);
        }
        hosts.other_names.leave_out(&named);
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
}
