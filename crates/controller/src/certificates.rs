//! Which certificates are live, and which credentials for endpoints: those of the Secrets that Ingresses name, and of
//! each that was spoilt or deleted since the last good one.
//!
//! Owns: what was read of each Secret, which host has what, and what is told of both. Never: what is in PEM, which is
//! [`tls`]'s; which Ingress may claim what, which is [`compile`]'s.
//! Start at [`CertificateStore::update`].

mod assign;
mod dates;
mod held;
mod mismatch;
mod ticket_keys;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use compile::{CertificateClaims, Compiled, ObjectKey, Objects, Settings};
use model::{HostMatch, ObjectRef, Problem, Severity};
use tls::{AllClientCas, AllCredentials, Certificate, Certificates, ClientCa, Credentials, Tickets};

use crate::kinds::Kind;
use assign::{AllAssigned, AllHeld};
use held::Held;
use ticket_keys::TicketKeys;

/// What is known of the Secrets that have certificates.
#[derive(Debug, Default)]
pub(crate) struct CertificateStore {
    held: AllHeld,
    /// What is shown where there is none, once that is wanted.
    stand_in: Option<Arc<Certificate>>,
    assigned: AllAssigned,
    /// What is wrong with claims, whatever the date.
    mismatches: Vec<Problem>,
    ticket_keys: TicketKeys,
    upstream: BTreeMap<ObjectKey, Held<Credentials>>,
    /// What of `upstream` is live.
    credentials: BTreeMap<ObjectKey, Arc<Credentials>>,
    clients: BTreeMap<ObjectKey, Held<ClientCa>>,
    /// What of `clients` is live.
    client_cas: BTreeMap<ObjectKey, Arc<ClientCa>>,
}

/// What is to be live from now on, where it is something else than before.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) certificates: Option<Certificates>,
    pub(crate) credentials: Option<AllCredentials>,
    pub(crate) client_cas: Option<AllClientCas>,
}

impl CertificateStore {
    /// Reads what is new in the Secrets.
    pub(crate) fn update(&mut self, compiled: &Compiled, objects: &Objects) -> Changed {
        let claims = &compiled.certificates;
        Changed {
            certificates: self.update_certificates(claims, objects),
            credentials: self.update_credentials(claims, objects),
            client_cas: self.update_client_cas(claims, objects),
        }
    }

    fn update_certificates(&mut self, claims: &CertificateClaims, objects: &Objects) -> Option<Certificates> {
        held::update(&mut self.held, claimed(claims), objects);
        let stand_in = claims.stand_in.then(|| self.stand_in()).flatten();
        let assigned = assign::assign(claims, &self.held, &self.assigned, stand_in);
        self.mismatches = mismatch::problems(claims, &self.held, &assigned);
        if assigned == self.assigned {
            return None;
        }
        self.assigned = assigned;
        Some(assign::snapshot(&self.assigned))
    }

    /// The one of our own making, for as long as this process lives.
    fn stand_in(&mut self) -> Option<Arc<Certificate>> {
        if self.stand_in.is_none() {
            match Certificate::stand_in() {
                Ok(made) => self.stand_in = Some(Arc::new(made)),
                Err(error) => tracing::error!(%error, "no certificate can be made to stand in for others"),
            }
        }
        self.stand_in.clone()
    }

    fn update_credentials(
        &mut self,
        claims: &CertificateClaims,
        objects: &Objects,
    ) -> Option<AllCredentials> {
        held::update(&mut self.upstream, claims.upstream.iter().collect(), objects);
        let good =
            |(key, held): (&ObjectKey, &Held<Credentials>)| Some((key.clone(), Arc::clone(held.good()?)));
        let credentials: BTreeMap<_, _> = self.upstream.iter().filter_map(good).collect();
        if held::same(&credentials, &self.credentials) {
            return None;
        }
        self.credentials = credentials;
        let each = |(key, credentials): (&ObjectKey, &Arc<_>)| (key.to_string(), Arc::clone(credentials));
        Some(AllCredentials::new(self.credentials.iter().map(each)))
    }

    fn update_client_cas(&mut self, claims: &CertificateClaims, objects: &Objects) -> Option<AllClientCas> {
        held::update(&mut self.clients, claims.clients.iter().collect(), objects);
        let good = |(key, held): (&ObjectKey, &Held<ClientCa>)| Some((key.clone(), Arc::clone(held.good()?)));
        let client_cas: BTreeMap<_, _> = self.clients.iter().filter_map(good).collect();
        if held::same(&client_cas, &self.client_cas) {
            return None;
        }
        self.client_cas = client_cas;
        let each = |(key, ca): (&ObjectKey, &Arc<_>)| (key.to_string(), Arc::clone(ca));
        Some(AllClientCas::new(self.client_cas.iter().map(each)))
    }

    /// Shares the keys of tickets, if the settings name a Secret and it says something new.
    pub(crate) fn share_keys(&mut self, settings: &Settings, objects: &Objects, tickets: &Tickets) {
        if let Some(key) = &settings.ticket_keys
            && let Some(secret) = objects.secrets.get(key)
        {
            self.ticket_keys.update(key, secret, tickets);
        }
    }

    /// All that is wrong with certificates on this date.
    pub(crate) fn problems(&self, now: SystemTime) -> Vec<Problem> {
        let of_held = self.held.iter().flat_map(|(key, held)| {
            let dates = held.good().and_then(|certificate| dates::problem(key, certificate, now));
            held.problem(key).into_iter().chain(held.chain_problem(key)).chain(dates)
        });
        let of_upstream = self.upstream.iter().filter_map(|(key, held)| held.problem(key));
        let of_clients = self.clients.iter().filter_map(|(key, held)| held.problem(key));
        of_held
            .chain(of_upstream)
            .chain(of_clients)
            .chain(self.mismatches.iter().cloned())
            .chain(self.ticket_keys.problems().cloned())
            .collect()
    }

    /// When each certificate that can be used ends.
    pub(crate) fn ends(&self) -> Vec<(ObjectKey, SystemTime)> {
        let end =
            |(key, held): (&ObjectKey, &Held<Certificate>)| Some((key.clone(), held.good()?.not_after()));
        self.held.iter().filter_map(end).collect()
    }

    /// How many hosts have a certificate of their own.
    pub(crate) fn hosts(&self) -> usize {
        self.assigned.keys().filter(|host| **host != HostMatch::Any).count()
    }
}

/// The Secrets that are to have a certificate.
fn claimed(claims: &CertificateClaims) -> BTreeSet<&ObjectKey> {
    let all = claims.hosts.values().flatten().chain(&claims.own_names);
    all.flat_map(|claim| &claim.secrets).map(|named| &named.secret).chain(&claims.default).collect()
}

/// A problem of a Secret: how bad, of what kind and what; and what to do.
fn of_secret(
    key: &ObjectKey,
    field: &str,
    (severity, reason, message): (Severity, &'static str, String),
    remedy: &str,
) -> Problem {
    let object = ObjectRef::new(Kind::Secret.as_str(), &key.namespace, &key.name);
    Problem { object, field: field.into(), severity, reason, message, remedy: remedy.into() }
}

#[cfg(test)]
mod tests;
