//! What is known of one Secret with a certificate.

use std::sync::Arc;

use compile::ObjectKey;
use k8s_openapi::api::core::v1::Secret;
use model::{Problem, Severity};
use tls::{Certificate, Error, Part};

use super::of_secret;
use crate::reasons;

/// The last good certificate of a Secret, and what the Secret says now.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// What was read last.
    seen: Option<Arc<Secret>>,
    good: Option<Arc<Certificate>>,
    now: Now,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Now {
    /// Nothing was heard of it yet.
    #[default]
    Unknown,
    Good,
    Bad(Error),
    /// It has no certificate or no key; whoever names it is told.
    Incomplete,
    Gone,
}

impl Held {
    /// Reads the Secret, if it is another than before. Without one, `absent` says whether that is known.
    pub(super) fn update(&mut self, secret: Option<&Arc<Secret>>, absent: bool) {
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
        self.now = match (entry(secret, "tls.crt"), entry(secret, "tls.key")) {
            (Some(chain), Some(key)) => match Certificate::parse(chain, key) {
                Ok(certificate) => {
                    self.good = Some(Arc::new(certificate));
                    Now::Good
                }
                Err(error) => Now::Bad(error),
            },
            _ => Now::Incomplete,
        };
    }

    /// The certificate to serve: what the Secret says now, or said last that was good.
    pub(super) fn good(&self) -> Option<&Arc<Certificate>> {
        self.good.as_ref()
    }

    /// Whether the Secret itself cannot give a certificate now, as far as is known.
    pub(super) fn problem(&self, key: &ObjectKey) -> Option<Problem> {
        let kept = if self.good.is_some() { "; the last good certificate stays in use" } else { "" };
        match &self.now {
            Now::Unknown | Now::Good => None,
            Now::Bad(error) => {
                let field = match error.part() {
                    Part::Chain => "data[tls.crt]",
                    Part::Key => "data[tls.key]",
                };
                let problem = (Severity::Error, reasons::INVALID_CERTIFICATE, format!("{error}{kept}"));
                Some(of_secret(key, field, problem, error.remedy()))
            }
            Now::Incomplete | Now::Gone => self.good.as_ref().map(|_| {
                let what = if self.now == Now::Gone { "does not exist any more" } else { "has lost a part" };
                let message = format!("{what}{kept} while an Ingress names it");
                let problem = (Severity::Warning, reasons::STALE_CERTIFICATE, message);
                of_secret(key, "", problem, "restore it, or take it out of the Ingress; a restart forgets it")
            }),
        }
    }

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

fn entry<'a>(secret: &'a Secret, name: &str) -> Option<&'a [u8]> {
    let bytes = &secret.data.as_ref()?.get(name)?.0;
    (!bytes.is_empty()).then_some(bytes)
}
