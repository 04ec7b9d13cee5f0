//! Why a client is served no further: its deadlines, its departure, and which of its requests that concerns.

use super::Client;
use crate::error::Refusal;
use crate::timer::Wait;

impl Client {
    /// Only the answer to a request that is whole is missing.
    pub(in crate::connection) fn awaits_answer(&self) -> bool {
        let is_last = self.heads_passed.get() == self.requests.get();
        let guard = self.guard.borrow();
        self.in_flight.get() && is_last && (guard.at_boundary() || guard.holds())
    }

    /// Begins the time in which something must be said to a client that has closed its side: nobody can tell one that only
    /// waits from one that has left, until it is sent something.
    pub(in crate::connection) fn await_departure(&self) {
        self.timer.set(Wait::Client, self.worker.config.downstream.half_close_time);
    }

    /// Notes a deadline of the client's that has passed.
    pub(in crate::connection) fn check_deadline(&self) {
        if self.fault.get().is_none() && self.timer.expired(Wait::Client) {
            self.timer.clear(Wait::Client);
            let in_body = self.guard.borrow().in_body();
            self.fault.set(Some(match in_body {
                _ if self.eof.get() => Refusal::ClientGone,
                true => Refusal::BodyTimeout,
                false => Refusal::HeadTimeout,
            }));
        }
    }

    /// Whether an answer would come too late.
    pub(crate) fn is_too_late(&self) -> Option<Refusal> {
        if self.timer.expired(Wait::Call) {
            return Some(Refusal::CallTimeout);
        }
        let late = self.timer.expired(Wait::Upstream) || self.timer.expired(Wait::Request);
        late.then_some(Refusal::ResponseTimeout)
    }

    /// The client's fault, if it lies in the request that is being served. One in what stands behind that request
    /// must not be held against it.
    pub(crate) fn fault_of_request(&self) -> Option<Refusal> {
        self.fault.get().filter(|why| {
            let ours = matches!(
                why,
                Refusal::BodyTimeout | Refusal::BodyTooLarge | Refusal::ClientGone | Refusal::ClientStalled
            );
            ours || self.guard.borrow().refused_in_body()
        })
    }

    /// The client's fault, if it lies in a next head and its turn to be answered has come.
    pub(in crate::connection) fn refused_head(&self) -> Option<Refusal> {
        let why = self.fault.get().filter(|_| self.is_at_rest())?;
        self.fault_of_request().is_none().then_some(why)
    }

    /// The client's fault, if it lies in the body of a request that will get no response of its own any more.
    pub(in crate::connection) fn unanswered_fault(&self) -> Option<Refusal> {
        self.fault_of_request().filter(|_| self.responses.get() < self.requests.get())
    }
}
