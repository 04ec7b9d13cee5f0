//! What is known of this node's registrations, for people.

use std::time::SystemTime;

use aws_sdk_elasticloadbalancing::primitives::{DateTime, DateTimeFormat};

use super::{Health, Place};

/// What is known now. Counters go on from the start of the process.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Each place, by name.
    pub places: Vec<PlaceState>,
    /// What keeps load balancers from being discovered or asked, in words.
    pub fault: Option<String>,
    /// What is not as it should be with those that were found.
    pub notes: Vec<String>,
    /// Registrations that were made.
    pub registered: u64,
    /// Registrations that were taken back.
    pub deregistered: u64,
    /// Calls that failed, by their kind.
    pub failures: Vec<(&'static str, u64)>,
}

/// One place.
#[derive(Clone, Debug)]
pub struct PlaceState {
    /// Which.
    pub place: Place,
    /// What AWS says.
    pub health: Health,
    /// Since when.
    pub since: SystemTime,
    /// Why AWS could not be asked the last time, in words.
    pub fault: Option<String>,
}

impl State {
    /// Whether this node is in service wherever it should be, and that is somewhere.
    pub fn is_in_service(&self) -> bool {
        !self.places.is_empty() && self.places.iter().all(|one| one.health == Health::InService)
    }

    pub(super) fn count_failure(&mut self, kind: &'static str) {
        match self.failures.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => self.failures.push((kind, 1)),
        }
    }
}

impl PlaceState {
    pub(super) fn new(place: Place) -> PlaceState {
        let health = Health::Unknown("not asked yet".into());
        PlaceState { place, health, since: SystemTime::now(), fault: None }
    }

    /// Since when, as programs write it.
    pub fn since_rfc3339(&self) -> String {
        let seconds = self.since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let whole = DateTime::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        whole.fmt(DateTimeFormat::DateTime).unwrap_or_default()
    }

    /// Takes what AWS says now, and returns what it said before if that was something else.
    pub(super) fn set(&mut self, health: Health) -> Option<Health> {
        if self.health == health {
            return None;
        }
        if self.health.as_str() != health.as_str() {
            self.since = SystemTime::now();
        }
        Some(std::mem::replace(&mut self.health, health))
    }
}
