//! Requests at their own times, however slow the answers are. A request that has to wait for a free connection waits on its
//! own account: its time runs from when it was to be sent, or a proxy that stops for a second would look fast (coordinated
//! omission).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use super::{Clients, PATIENCE};

/// The token of the timer: no connection has it.
const TIMER: u64 = u64::MAX;
/// The same times for every proxy.
const SEED: u64 = 20_260_101;

impl Clients<'_> {
    /// Asks so often in a second, at random times that do not depend on each other (a Poisson process), and returns how
    /// long each answer took, in the order of their length.
    ///
    /// # Errors
    /// If an answer is wrong or does not come.
    pub(crate) fn open_loop(&mut self, rate: f64, time: Duration) -> Result<Vec<Duration>> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)?;
        epoll::add(&self.epoll, &timer, EventData::new_u64(TIMER), EventFlags::IN | EventFlags::ET)?;
        let mut times = Vec::with_capacity((rate * time.as_secs_f64() * 1.1) as usize + 1000);
        let mut random = fastrand::Rng::with_seed(SEED);
        let mut gap = || Duration::from_secs_f64(-(1.0 - random.f64()).ln() / rate);
        let mut idle: VecDeque<usize> = (0..self.connections.len()).collect();
        let mut asked = vec![Instant::now(); self.connections.len()];
        let end = Instant::now() + time;
        let mut due = Instant::now() + gap();
        while due < end || idle.len() < asked.len() {
            let now = Instant::now();
            ensure!(
                now < end + PATIENCE,
                "{} answers are missing after {PATIENCE:?}",
                asked.len() - idle.len()
            );
            while due <= now.min(end) {
                let Some(place) = idle.pop_front() else { break };
                asked[place] = due;
                self.ask(place)?;
                due += gap();
            }
            if !idle.is_empty() && due < end {
                // One that is over already has to go off, and not to be switched off.
                let wait = due.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
                let value = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
                let interval = Timespec { tv_sec: 0, tv_nsec: 0 };
                let wanted = Itimerspec { it_interval: interval, it_value: value };
                timerfd_settime(&timer, TimerfdTimerFlags::empty(), &wanted)?;
            }
            self.look()?;
            let now = Instant::now();
            for (place, _) in &self.answered {
                times.push(now - asked[*place]);
                idle.push_back(*place);
            }
        }
        times.sort_unstable();
        Ok(times)
    }
}
