//! What another attempt may send of the body: a client sends it once.

use std::rc::Rc;

use crate::client::Carrier;
use crate::upstream::{Replay, RequestBody};

/// The body of a request that may be sent twice.
pub(super) struct Spare {
    /// None if it has no body.
    body: Option<Rc<Replay>>,
    /// Whether it may be sent again although it may have been seen.
    repeatable: bool,
}

impl Spare {
    pub(super) fn new(body: Option<Rc<Replay>>, repeatable: bool) -> Spare {
        Spare { body, repeatable }
    }

    /// Whether it may be sent again although it may have been seen.
    pub(super) fn is_repeatable(&self) -> bool {
        self.repeatable && self.body.as_ref().is_none_or(|body| body.is_whole())
    }

    /// The body once more, unless it may have been seen and must not be sent again, or was not kept.
    pub(super) fn body(&self, carrier: &Carrier, unseen: bool) -> Option<RequestBody> {
        if !self.repeatable && !unseen {
            return None;
        }
        match &self.body {
            Some(replay) if replay.is_whole() => Some(RequestBody::replayed(replay, carrier.clone())),
            Some(_) => None,
            None => Some(RequestBody::empty(carrier.clone())),
        }
    }
}
