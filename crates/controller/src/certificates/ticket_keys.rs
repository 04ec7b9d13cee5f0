//! The keys of session tickets, from the entries of a Secret.

use std::sync::Arc;

use compile::ObjectKey;
use k8s_openapi::api::core::v1::Secret;
use model::{Problem, Severity};
use tls::{KEYS_MAX, TicketKey, Tickets};

use super::of_secret;
use crate::reasons;

/// What was read last, and what was wrong with it.
#[derive(Debug, Default)]
pub(super) struct TicketKeys {
    seen: Option<Arc<Secret>>,
    problems: Vec<Problem>,
}

impl TicketKeys {
    /// Each entry is a key of 32 to 80 random bytes. The last by name seals, all open: a rotation adds an entry with
    /// a later name, as a date, and removes the first one once its tickets have had their time. An entry that is no key
    /// is told and left out; where none is left, the keys from before stay.
    pub(super) fn update(&mut self, key: &ObjectKey, secret: &Arc<Secret>, tickets: &Tickets) {
        let before = self.seen.replace(Arc::clone(secret));
        if before.is_some_and(|before| Arc::ptr_eq(&before, secret) || before.data == secret.data) {
            return;
        }
        let (mut keys, mut problems) = (Vec::new(), Vec::new());
        for (name, bytes) in secret.data.iter().flatten().rev() {
            match TicketKey::new(&bytes.0) {
                Ok(key) => keys.push(key),
                Err(error) => problems.push(wrong(key, &format!("data[{name}]"), error.to_string())),
            }
        }
        if keys.len() > KEYS_MAX {
            let message = format!("has {} keys, of which the last {KEYS_MAX} by name count", keys.len());
            problems.push(wrong(key, "data", message));
        }
        if keys.is_empty() {
            problems.push(wrong(key, "data", "has no key that can be used; those from before stay".into()));
        }
        tracing::info!(secret = %key, keys = keys.len(), "keys of session tickets read");
        tickets.share(keys);
        self.problems = problems;
    }

    pub(super) fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter()
    }
}

fn wrong(key: &ObjectKey, field: &str, message: String) -> Problem {
    let problem = (Severity::Warning, reasons::INVALID_TICKET_KEY, message);
    of_secret(key, field, problem, "let each entry be 32 to 80 random bytes, as openssl rand 48 gives them")
}
