//! Why a connection of HTTP/1 is served no further: its deadlines, its departure, and which of its requests that concerns.

use super::Client;
use super::http1::Http1;
use crate::error::Refusal;
use crate::timer::Wait;

impl Http1 {
    /// Whether there is nothing against reading more.
    pub(crate) fn reads_on(&self) -> bool {
        self.fault.get().is_none() && self.fault_of_current().is_none()
    }

    /// Only the answer to a request that is whole is missing.
    pub(crate) fn awaits_answer(&self) -> bool {
        let guard = self.guard.borrow();
        self.is_serving() && !self.has_more() && (guard.at_boundary() || guard.holds())
    }

    /// The fault, if it lies in the request that is being served. One in what stands behind that request must not be held
    /// against it.
    pub(crate) fn fault_of_request(&self) -> Option<Refusal> {
        self.fault_of_current().or_else(|| self.fault_in_body())
    }

    /// The same, as far as the connection has found it.
    pub(super) fn fault_in_body(&self) -> Option<Refusal> {
        self.fault.get().filter(|why| {
            matches!(why, Refusal::BodyTimeout | Refusal::ClientGone | Refusal::ClientStalled)
                || self.guard.borrow().refused_in_body()
        })
    }

    /// The fault, if it lies in a next head and its turn to be answered has come.
    pub(crate) fn refused_head(&self) -> Option<Refusal> {
        let why = self.fault.get().filter(|_| self.is_at_rest())?;
        self.fault_of_request().is_none().then_some(why)
    }

    /// The fault, if it lies in the body of a request that will get no response of its own any more.
    pub(crate) fn unanswered_fault(&self) -> Option<Refusal> {
        self.fault_of_request().filter(|_| self.awaits_head_of_answer())
    }
}

impl Client {
    /// Begins the time in which something must be said to a client that has closed its side: one that only waits cannot be
    /// told from one that has left, until it is sent something.
    pub(crate) fn await_departure(&self) {
        self.timer.set(Wait::Client, self.limits().half_close_time);
    }

    /// Notes a deadline of the client's that has passed.
    pub(crate) fn check_deadline(&self) {
        let http1 = &self.http1;
        if http1.reads_on() && self.timer.expired(Wait::Client) {
            self.timer.clear(Wait::Client);
            let in_body = http1.guard.borrow().in_body();
            http1.fault.set(Some(match in_body {
                _ if http1.eof.get() => Refusal::ClientGone,
                true => Refusal::BodyTimeout,
                false => Refusal::HeadTimeout,
            }));
        }
    }
}
