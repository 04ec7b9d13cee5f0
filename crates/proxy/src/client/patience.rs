//! How long a client may keep others waiting for its body.
//!
//! An upstream is held for as long as the body comes, so not every byte may earn a whole wait: then ten of them a minute
//! would hold it for ever. A client has time to begin with, which is used up while nothing comes, and which comes back with
//! what it sends. Time in which the upstream does not read is not the client's.

use std::cell::Cell;
use std::time::Duration;

use crate::config::Downstream;
use crate::timer::{TICK, Timer, Wait};

/// What the sender of one body has left.
#[derive(Default)]
pub(crate) struct Patience {
    left: Cell<Duration>,
    /// The tick since which nothing comes.
    since: Cell<Option<u32>>,
}

impl Patience {
    /// A body may begin.
    pub(crate) fn begin(&self, limits: &Downstream) {
        self.left.set(limits.body_timeout);
        self.since.set(None);
    }

    /// Nothing comes, and it is this tick.
    pub(crate) fn wait(&self, timer: &Timer, now: u32) {
        if self.since.get().is_none() {
            self.since.set(Some(now));
            match self.left.get() {
                Duration::ZERO => timer.expire(Wait::Client),
                left => timer.set(Wait::Client, left),
            }
        }
    }

    /// So many bytes have come. Whole ticks are counted: short waits are none, or a longer one now and then.
    pub(crate) fn earn(&self, bytes: usize, timer: &Timer, now: u32, limits: &Downstream) {
        timer.clear(Wait::Client);
        let waited = self.since.take().map_or(Duration::ZERO, |since| TICK * now.saturating_sub(since));
        let most = limits.body_timeout;
        let rate = u64::from(limits.body_rate_min);
        let earned = (bytes as u64).saturating_mul(1_000_000).checked_div(rate).map(Duration::from_micros);
        self.left.set(match (self.left.get().checked_sub(waited), earned) {
            (_, None) => most,
            (Some(left), Some(earned)) => left.saturating_add(earned).min(most),
            // It came too late, though a deadline is noticed later still.
            (None, _) => Duration::ZERO,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timer::Timers;

    fn limits(body_rate_min: u32) -> Downstream {
        Downstream { body_timeout: Duration::from_secs(30), body_rate_min, ..Downstream::default() }
    }

    /// How many pieces of so many bytes come, one each so often, before there is no patience left; a thousand at most.
    fn pieces(bytes: usize, every: Duration, limits: &Downstream) -> usize {
        let (timers, patience) = (Timers::new(), Patience::default());
        let timer = timers.register();
        patience.begin(limits);
        let in_time = |_: &usize| {
            patience.wait(&timer, timers.now());
            timers.pass(every);
            let in_time = !timer.expired(Wait::Client);
            patience.earn(bytes, &timer, timers.now(), limits);
            in_time
        };
        (0..1000).take_while(in_time).count()
    }

    #[test]
    fn a_client_that_drips_has_as_long_as_one_that_sends_nothing_and_a_slow_one_has_for_ever() {
        let every = Duration::from_secs(5);
        assert_eq!(pieces(1, every, &limits(240)), 6);
        assert_eq!(pieces(5 * 240 / 2, every, &limits(240)), 11);
        assert_eq!(pieces(5 * 240, every, &limits(240)), 1000);
        assert_eq!(pieces(1, every, &limits(0)), 1000, "without a rate any piece will do");
        assert_eq!(pieces(1, TICK, &limits(240)), 655, "a drop a tick, 20 of 240 bytes a second");
    }

    #[test]
    fn no_client_saves_more_time_than_there_was_to_begin_with() {
        let (timers, patience, limits) = (Timers::new(), Patience::default(), limits(240));
        let timer = timers.register();
        patience.begin(&limits);
        patience.earn(1 << 30, &timer, timers.now(), &limits);
        patience.wait(&timer, timers.now());
        timers.pass(Duration::from_secs(31));
        assert!(timer.expired(Wait::Client));
    }
}
