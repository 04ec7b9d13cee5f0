//! A barrier between a test and its scripted upstreams: what must not happen yet waits here.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::PATIENCE;

/// Closed at first; clones are the same gate.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// Lets everything through, now and later.
    pub fn open(&self) {
        let (open, changed) = &*self.0;
        *open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Waits until the gate is open, or until the test that should open it must have failed.
    pub fn pass(&self) {
        let (open, changed) = &*self.0;
        let closed = open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_timeout_while(closed, PATIENCE * 2, |open| !*open));
    }
}
