//! What a status writer is: for one kind, which statuses are not as they should be.

use std::sync::Arc;

use serde_json::Value;

use crate::kinds::Id;
use crate::report::Told;

/// A status to be written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Write {
    pub(super) id: Id,
    /// What it is to be. `None` takes away what we wrote: the object is not ours any more.
    pub(super) status: Option<Arc<Value>>,
}

/// Says what the status of a kind should be. When it is written, and how often, is the same for all kinds.
pub(super) trait Writer: Send + Sync {
    /// The statuses that must be written.
    fn wrong(&self, told: &Told) -> Vec<Write>;
}
