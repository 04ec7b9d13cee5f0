//! What a connection of HTTP/1 is in the middle of: how far its bytes were followed, what is not written yet, and whether it
//! can be let go.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::backlog::WriteBacklog;
use super::patience::Patience;
use super::state::RequestState;
use crate::config::Downstream;
use crate::error::Refusal;
use crate::guard::{Guard, Limits};

/// How far a connection has come.
pub(crate) struct Http1 {
    /// Follows the framing of what comes.
    pub(crate) guard: RefCell<Guard>,
    /// Heads that the guard let pass; more than `requests` while hyper has one in its buffer.
    pub(crate) heads_passed: Cell<u32>,
    /// Requests that hyper gave us.
    pub(crate) requests: Cell<u32>,
    /// The client has closed its side.
    pub(crate) eof: Cell<bool>,
    /// hyper has nothing left that the kernel has not taken; false from a write until the flush after it.
    pub(crate) flushed: Cell<bool>,
    /// Should the connection end now, something is cut that has begun: the client must see that.
    pub(crate) abort: Cell<bool>,
    /// Why nothing more of it is read: what the guard or a deadline has found.
    pub(crate) fault: Cell<Option<Refusal>>,
    /// How long the client may still keep us waiting for a body.
    pub(crate) patience: Patience,
    /// What is under way to the client.
    pub(crate) backlog: WriteBacklog,
    /// The request that it carries, or has carried last.
    current: RefCell<Option<Rc<RequestState>>>,
}

impl Http1 {
    pub(super) fn new(limits: &Downstream) -> Http1 {
        Http1 {
            guard: RefCell::new(Guard::new(Limits::of(limits))),
            heads_passed: Cell::default(),
            requests: Cell::default(),
            eof: Cell::default(),
            flushed: Cell::new(true),
            abort: Cell::default(),
            fault: Cell::default(),
            patience: Patience::default(),
            backlog: WriteBacklog::default(),
            current: RefCell::default(),
        }
    }

    /// hyper gives us another request. Its state lies where that of the last one did, unless something is left of that.
    pub(super) fn begin(&self) -> Rc<RequestState> {
        self.requests.set(self.requests.get() + 1);
        let mut current = self.current.borrow_mut();
        if let Some(free) = current.as_mut().and_then(Rc::get_mut) {
            *free = RequestState::default();
        } else {
            *current = None;
        }
        Rc::clone(current.get_or_insert_default())
    }

    /// What the request that it carries, or has carried last, is asked.
    fn of_current<T: Default>(&self, ask: impl FnOnce(&RequestState) -> T) -> T {
        self.current.borrow().as_deref().map(ask).unwrap_or_default()
    }

    /// A request has begun whose answer is not yet handed over whole.
    pub(crate) fn is_serving(&self) -> bool {
        self.of_current(|request| request.is_open.get())
    }

    /// The rest of a request's body stands before any next request.
    pub(crate) fn body_is_unread(&self) -> bool {
        self.of_current(|request| request.body_unread.get())
    }

    /// Why nothing more is read of the request that it carries, as far as that was found in its body.
    pub(super) fn fault_of_current(&self) -> Option<Refusal> {
        self.of_current(|request| request.fault.get())
    }

    /// The request that it carries has no answer yet.
    pub(super) fn awaits_head_of_answer(&self) -> bool {
        self.of_current(|request| !request.is_answered.get())
    }

    /// All that was written is with the kernel.
    pub(crate) fn all_flushed(&self) {
        self.flushed.set(true);
        self.backlog.flushed();
    }

    /// Every request that hyper was given is answered, and every answer is with the kernel.
    pub(crate) fn is_at_rest(&self) -> bool {
        !self.is_serving() && self.flushed.get() && !self.has_more()
    }

    /// hyper has a head that it has made no request of.
    pub(super) fn has_more(&self) -> bool {
        self.heads_passed.get() != self.requests.get()
    }

    /// At rest, and no byte of a next request has come.
    pub(crate) fn is_idle(&self) -> bool {
        self.is_at_rest() && self.reads_on() && !self.eof.get() && self.guard.borrow().at_boundary()
    }

    /// At rest, and the client has said that it sends nothing more.
    pub(crate) fn is_left(&self) -> bool {
        self.is_at_rest() && self.reads_on() && !self.body_is_unread() && self.guard.borrow().is_over()
    }

    /// Whether what was said behind the request that is being served is kept, until it is decided which protocol it is of,
    /// and it is no later request that asks for another one.
    pub(super) fn holds_early(&self) -> bool {
        !self.has_more() && self.guard.borrow().holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_knows_nothing_of_the_last_one_though_something_may_be_left_of_that() {
        let http1 = Http1::new(&Downstream::default());
        assert!(!http1.is_serving() && !http1.awaits_head_of_answer());
        let first = http1.begin();
        first.is_open.set(true);
        first.body_unread.set(true);
        assert!(http1.is_serving() && http1.body_is_unread() && http1.awaits_head_of_answer());
        drop(first);
        let second = http1.begin();
        assert!(!http1.is_serving() && !http1.body_is_unread(), "it lies where the first one did");
        let _third = http1.begin();
        second.fault.set(Some(Refusal::BodyTooLarge));
        assert!(http1.reads_on(), "what an endpoint still finds in the second is not the third's");
    }
}
