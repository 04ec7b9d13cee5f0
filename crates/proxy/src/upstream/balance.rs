//! Which endpoint a request goes to.

use std::rc::Rc;

use model::Balance;

use super::pool::{BackendPool, EndpointPool};

impl BackendPool {
    /// An endpoint that was not tried yet, by the route's policy. One that has just refused a connection is taken only
    /// if there is no other.
    pub(crate) fn pick(
        &self,
        balance: Balance,
        untried: impl Fn(&Rc<EndpointPool>) -> bool,
        now: u32,
    ) -> Option<Rc<EndpointPool>> {
        let endpoints = self.endpoints.borrow();
        let endpoints: &[Rc<EndpointPool>] = &endpoints;
        let good = |e: &Rc<EndpointPool>| e.is_good(now) && untried(e);
        let (first, second) = self.two_places(balance, endpoints.len())?;
        let (first, second) = (&endpoints[first], &endpoints[second]);
        let picked = match (good(first), good(second)) {
            (true, true) if second.in_flight.get() < first.in_flight.get() => Some(second),
            (true, _) => Some(first),
            (false, true) => Some(second),
            (false, false) => None,
        };
        // Both are out: any other good one, else any that was not tried, from a different place each time.
        let (before, after) = endpoints.split_at(self.turn.get() % endpoints.len());
        let mut others = after.iter().chain(before);
        picked
            .or_else(|| others.clone().find(|e| good(e)))
            .or_else(|| others.find(|e| untried(e)))
            .map(Rc::clone)
    }

    /// The two places to choose between: two different random ones, or twice the next in turn.
    fn two_places(&self, balance: Balance, count: usize) -> Option<(usize, usize)> {
        match (count, balance) {
            (0, _) => None,
            (1, _) => Some((0, 0)),
            (_, Balance::RoundRobin) => {
                let next = self.turn.get().wrapping_add(1);
                self.turn.set(next);
                Some((next % count, next % count))
            }
            (_, Balance::LeastRequest) => {
                let first = fastrand::usize(..count);
                let second = (first + fastrand::usize(1..count)) % count;
                Some((first, second))
            }
        }
    }
}
