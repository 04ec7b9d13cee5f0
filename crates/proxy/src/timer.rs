//! Coarse deadlines: one clock and one sweep for each worker, instead of one timer for each wait.
//!
//! A runtime timer for each request costs several per cent of a request; a deadline here costs a store. The price is
//! precision: a deadline is noticed up to [`TICK`] late, and never early unless the whole worker was held up.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use slab::Slab;

/// How often deadlines are looked at.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// Whole ticks in this time.
pub(crate) fn ticks(time: Duration) -> u32 {
    u32::try_from(time.as_millis() / TICK.as_millis()).unwrap_or(u32::MAX)
}

/// What a task may wait for, one deadline each.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    /// The client's next bytes: a new request, the rest of a head, more of a body.
    Client = 0,
    /// The client taking what was written to it.
    Write = 1,
    /// The upstream: a connection, a response head, more of a body.
    Upstream = 2,
    /// The response head, over all attempts.
    Request = 3,
    /// A moment of silence, after which an idle connection is parked.
    Park = 4,
    /// The client's end of a connection that we have closed, in all.
    Linger = 5,
    /// A whole call of gRPC, if its client says how long it may take.
    Call = 6,
    /// The moment at which more of an answer may be sent that is held back.
    Throttle = 7,
}

const WAITS: usize = 8;
/// No deadline.
const NEVER: u32 = u32::MAX;

/// All deadlines of one worker.
pub(crate) struct Timers {
    started: Instant,
    now: Cell<u32>,
    slots: RefCell<Slab<Rc<Slot>>>,
}

struct Slot {
    at: [Cell<u32>; WAITS],
    waker: RefCell<Option<Waker>>,
}

impl Timers {
    pub(crate) fn new() -> Rc<Timers> {
        Rc::new(Timers { started: Instant::now(), now: Cell::new(0), slots: RefCell::default() })
    }

    /// Ticks since the worker started.
    pub(crate) fn now(&self) -> u32 {
        self.now.get()
    }

    /// The first tick that is surely not before `wait` has passed.
    pub(crate) fn after(&self, wait: Duration) -> u32 {
        let ticks = wait.as_millis().div_ceil(TICK.as_millis()).saturating_add(1);
        self.now.get().saturating_add(u32::try_from(ticks).unwrap_or(NEVER)).min(NEVER - 1)
    }

    /// Moves the clock and wakes every task that has a deadline behind it.
    pub(crate) fn tick(&self) {
        let ticks = self.started.elapsed().as_millis() / TICK.as_millis();
        self.now.set(u32::try_from(ticks).unwrap_or(NEVER - 1));
        for (_, slot) in self.slots.borrow().iter() {
            if slot.at.iter().any(|at| at.get() <= self.now.get())
                && let Some(waker) = &*slot.waker.borrow()
            {
                waker.wake_by_ref();
            }
        }
    }

    /// Lets time pass.
    #[cfg(test)]
    pub(crate) fn pass(&self, time: Duration) {
        self.now.set(self.now.get() + ticks(time));
    }

    /// A set of deadlines for one task, all off.
    pub(crate) fn register(self: &Rc<Timers>) -> Timer {
        let slot = Rc::new(Slot { at: std::array::from_fn(|_| Cell::new(NEVER)), waker: RefCell::default() });
        let place = self.slots.borrow_mut().insert(Rc::clone(&slot));
        Timer { timers: Rc::clone(self), slot, place }
    }
}

/// The deadlines of one task.
pub(crate) struct Timer {
    timers: Rc<Timers>,
    slot: Rc<Slot>,
    place: usize,
}

impl Timer {
    /// The task of `cx` is woken when a deadline has passed, until that deadline is cleared.
    pub(crate) fn attach(&self, cx: &Context<'_>) {
        let mut waker = self.slot.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
    }

    /// Wakes the task, not for a deadline.
    pub(crate) fn wake(&self) {
        if let Some(waker) = &*self.slot.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Sets the deadline of `wait`, from now.
    pub(crate) fn set(&self, wait: Wait, after: Duration) {
        self.slot.at[wait as usize].set(self.timers.after(after));
    }

    /// Sets the deadline of `wait` unless it is already set.
    pub(crate) fn start(&self, wait: Wait, after: Duration) {
        if self.slot.at[wait as usize].get() == NEVER {
            self.set(wait, after);
        }
    }

    /// The tick of the deadline of `wait`.
    pub(crate) fn deadline(&self, wait: Wait) -> u32 {
        self.slot.at[wait as usize].get()
    }

    /// Puts the deadline of `wait` behind us.
    pub(crate) fn expire(&self, wait: Wait) {
        self.slot.at[wait as usize].set(self.timers.now());
    }

    /// Takes the deadline of `wait` away.
    pub(crate) fn clear(&self, wait: Wait) {
        self.slot.at[wait as usize].set(NEVER);
    }

    /// Whether there is a deadline of `wait`.
    pub(crate) fn is_set(&self, wait: Wait) -> bool {
        self.slot.at[wait as usize].get() != NEVER
    }

    /// Whether the deadline of `wait` is set and behind us.
    pub(crate) fn expired(&self, wait: Wait) -> bool {
        self.slot.at[wait as usize].get() <= self.timers.now.get()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.timers.slots.borrow_mut().remove(self.place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_early_and_stays_until_it_is_cleared() {
        let timers = Timers::new();
        let timer = timers.register();
        timer.set(Wait::Client, TICK);
        timers.now.set(timers.now() + 1);
        assert!(!timer.expired(Wait::Client), "a tick may have begun just before the deadline was set");
        timers.now.set(timers.now() + 1);
        assert!(timer.expired(Wait::Client) && !timer.expired(Wait::Write));
        timer.clear(Wait::Client);
        assert!(!timer.expired(Wait::Client));
    }

    #[test]
    fn starting_a_running_deadline_does_not_move_it() {
        let timers = Timers::new();
        let timer = timers.register();
        timer.start(Wait::Write, TICK);
        timers.now.set(timers.now() + 2);
        timer.start(Wait::Write, TICK * 100);
        assert!(timer.expired(Wait::Write));
    }
}
