//! What a plan is made of.

use super::Zone;
use crate::dns::name::Name;
use crate::dns::record::RecordSet;

/// What is done with one record set. Neither way can hit a record that is not as it was read: Route 53 refuses to create what
/// exists, and to delete what differs. That is why nothing is written over what is there (UPSERT).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// It is deleted, as it was read.
    Delete(RecordSet),
    /// It is created where there is none.
    Create(RecordSet),
}

impl Edit {
    /// The record set.
    pub fn record(&self) -> &RecordSet {
        match self {
            Edit::Delete(record) | Edit::Create(record) => record,
        }
    }
}

/// What a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// The name had no record.
    Create,
    /// Our record leads elsewhere from now on.
    Replace,
    /// A record of nobody becomes ours.
    Adopt,
    /// Our record gets a TXT record of the present format.
    Claim,
    /// Our record goes.
    Delete,
}

impl Action {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Replace => "replace",
            Action::Adopt => "adopt",
            Action::Claim => "claim",
            Action::Delete => "delete",
        }
    }
}

/// All that is changed for one name in one zone: whole, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The zone.
    pub zone: Zone,
    /// The name.
    pub name: Name,
    /// What it is.
    pub action: Action,
    /// Why, as a sentence without its full stop.
    pub reason: String,
    /// The record sets, those that go first.
    pub edits: Vec<Edit>,
}

/// A change that is not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The change.
    pub change: Change,
    /// Why not, as a sentence without its full stop.
    pub why: String,
}
