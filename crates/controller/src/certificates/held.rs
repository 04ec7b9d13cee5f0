//! What is known of one Secret with a certificate, or with credentials for endpoints.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use compile::{ObjectKey, Objects};
use k8s_openapi::api::core::v1::Secret;
use model::{Problem, Severity};
use tls::{Certificate, ClientCa, Credentials, Error, Part};

use super::of_secret;
use crate::reasons;

/// What can be read of a Secret.
pub(super) trait OfSecret: Sized {
    /// What it is, in problems.
    const WORD: &str;
    /// Whether what was good stays in use when the Secret, or a part of it, is removed: else that takes effect at once.
    const OUTLIVES_REMOVAL: bool = true;

    /// Reads it; `None` if the Secret lacks a part, which is told of the Ingress that names it.
    fn read(secret: &Secret) -> Option<Result<Self, Error>>;
}

/// The last good one of a Secret, and what the Secret says now.
#[derive(Debug)]
pub(super) struct Held<T> {
    /// What was read last.
    seen: Option<Arc<Secret>>,
    good: Option<Arc<T>>,
    now: Now,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Now {
    /// Nothing was heard of it yet.
    #[default]
    Unknown,
    Good,
    Bad(Error),
    Incomplete,
    Gone,
}

impl OfSecret for Certificate {
    const WORD: &str = "certificate";

    fn read(secret: &Secret) -> Option<Result<Certificate, Error>> {
        Some(Certificate::parse(entry(secret, "tls.crt")?, entry(secret, "tls.key")?))
    }
}

impl OfSecret for Credentials {
    const WORD: &str = "content";

    fn read(secret: &Secret) -> Option<Result<Credentials, Error>> {
        let authorities = entry(secret, "ca.crt");
        let own = match (entry(secret, "tls.crt"), entry(secret, "tls.key")) {
            (Some(chain), Some(key)) => Some((chain, key)),
            (None, None) if authorities.is_some() => None,
            _ => return None,
        };
        Some(Credentials::parse(authorities, own))
    }
}

impl OfSecret for ClientCa {
    const WORD: &str = "content";
    // It lets clients in. To remove it is a way to keep them out.
    const OUTLIVES_REMOVAL: bool = false;

    fn read(secret: &Secret) -> Option<Result<ClientCa, Error>> {
        // A list that is there and empty is not one that was never meant: it is told.
        let revoked = secret.data.as_ref().and_then(|data| data.get("ca.crl")).map(|list| list.0.as_slice());
        Some(ClientCa::parse(entry(secret, "ca.crt")?, revoked))
    }
}

impl<T> Default for Held<T> {
    fn default() -> Held<T> {
        Held { seen: None, good: None, now: Now::default() }
    }
}

impl<T: OfSecret> Held<T> {
    /// Reads the Secret, if it is another than before. Without one, `absent` says whether that is known.
    fn update(&mut self, secret: Option<&Arc<Secret>>, absent: bool) {
        let Some(secret) = secret else {
            if absent {
                (self.seen, self.now) = (None, Now::Gone);
            }
            return;
        };
        let before = self.seen.replace(Arc::clone(secret));
        if before.is_some_and(|before| Arc::ptr_eq(&before, secret) || before.data == secret.data) {
            return;
        }
        self.now = match T::read(secret) {
            Some(Ok(good)) => {
                self.good = Some(Arc::new(good));
                Now::Good
            }
            Some(Err(error)) => Now::Bad(error),
            None => Now::Incomplete,
        };
    }

    /// What is used: what the Secret says now, or said last that was good.
    pub(super) fn good(&self) -> Option<&Arc<T>> {
        let is_removed = matches!(self.now, Now::Gone | Now::Incomplete);
        self.good.as_ref().filter(|_| T::OUTLIVES_REMOVAL || !is_removed)
    }

    /// What is wrong with the Secret itself now, as far as is known.
    pub(super) fn problem(&self, key: &ObjectKey) -> Option<Problem> {
        let kept = self.good().map(|_| format!("; the last good {} stays in use", T::WORD));
        let kept = kept.unwrap_or_default();
        match &self.now {
            Now::Unknown | Now::Good => None,
            Now::Bad(error) => {
                let field = match error.part() {
                    Part::Chain => "data[tls.crt]",
                    Part::Key => "data[tls.key]",
                    Part::CaBundle => "data[ca.crt]",
                    Part::Revoked => "data[ca.crl]",
                };
                let problem = (Severity::Error, reasons::INVALID_CERTIFICATE, format!("{error}{kept}"));
                Some(of_secret(key, field, problem, error.remedy()))
            }
            Now::Incomplete | Now::Gone => self.good().map(|_| {
                let what = if self.now == Now::Gone { "does not exist any more" } else { "has lost a part" };
                let message = format!("{what}{kept} while an Ingress names it");
                let problem = (Severity::Warning, reasons::STALE_CERTIFICATE, message);
                of_secret(key, "", problem, "restore it, or take it out of the Ingress; a restart forgets it")
            }),
        }
    }
}

impl Held<Certificate> {
    /// What is wrong with the order of the chain.
    pub(super) fn chain_problem(&self, key: &ObjectKey) -> Option<Problem> {
        let at = self.good.as_ref()?.out_of_order()?;
        let message = format!(
            "the certificate at place {at} did not issue the one before it; some clients give up there"
        );
        let problem = (Severity::Warning, reasons::DISORDERED_CHAIN, message);
        let remedy = "put each certificate after the one that it issued, and leave out all others";
        Some(of_secret(key, "data[tls.crt]", problem, remedy))
    }
}

/// Reads what is new in the Secrets that are claimed, and forgets all others.
pub(super) fn update<T: OfSecret>(
    all: &mut BTreeMap<ObjectKey, Held<T>>,
    claimed: BTreeSet<&ObjectKey>,
    objects: &Objects,
) {
    all.retain(|key, _| claimed.contains(key));
    for key in claimed {
        let absent = objects.absent_secrets.as_ref().is_none_or(|absent| absent.contains(key));
        all.entry(key.clone()).or_default().update(objects.secrets.get(key), absent);
    }
}

/// Whether both are the same, read from the same Secrets at the same time.
pub(super) fn same<T>(one: &BTreeMap<ObjectKey, Arc<T>>, two: &BTreeMap<ObjectKey, Arc<T>>) -> bool {
    one.keys().eq(two.keys()) && one.values().zip(two.values()).all(|(one, two)| Arc::ptr_eq(one, two))
}

fn entry<'a>(secret: &'a Secret, name: &str) -> Option<&'a [u8]> {
    let bytes = &secret.data.as_ref()?.get(name)?.0;
    (!bytes.is_empty()).then_some(bytes)
}
