//! What the objects that name one host decide together, and no object by itself: nginx has one server for a host, and what one
//! Ingress asks for its server holds for the routes of all.
//!
//! Read from all drafts before any of them becomes routes.

use std::collections::BTreeSet;

use model::HostMatch;

use crate::source::Draft;

/// What is known of all hosts.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    /// Those that have a certificate, if only the default one.
    tls: BTreeSet<HostMatch>,
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
        let mut hosts = Hosts::default();
        for draft in drafts {
            if draft.certificates.is_asked {
                hosts.tls.extend(draft.hosts.iter().cloned());
            }
        }
        hosts
    }

    /// What is known of this one. One that has no certificate by itself uses that of the wildcard above it.
    pub(crate) fn of(&self, host: &HostMatch) -> HostFacts {
        let wildcard = || match host {
            HostMatch::Exact(name) => name.parent().map(HostMatch::Wildcard),
            HostMatch::Wildcard(_) | HostMatch::Any => None,
        };
        HostFacts {
            has_tls: self.tls.contains(host) || wildcard().is_some_and(|above| self.tls.contains(&above)),
        }
    }
}
