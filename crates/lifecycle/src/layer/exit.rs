//! The end that the program waits for: what asks it to leave, and when it may.

use std::future::pending;
use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::ExitConfig;
use super::in_flight::InFlight;
use crate::{Phase, Signals, Trigger, Watch};

/// How the exit went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the caller must learn whether something was cut"]
pub enum Outcome {
    /// Nothing is in flight.
    Finished,
    /// The time was over, or it was asked again: what is still in flight, or not yet with its client, will be
    /// cut.
    Cut {
        /// How many requests and other [held](super::ExitLayer::hold) things.
        in_flight: usize,
    },
}

/// The program's end of a graceful exit. Keep it until the end: a service whose `Exit` is gone tells its clients to
/// leave.
///
/// Each future here may be dropped and asked for again, as in a `select!` inside a loop; no time starts anew.
#[derive(Debug)]
pub struct Exit {
    config: ExitConfig,
    trigger: Trigger,
    in_flight: InFlight,
    signals: Option<Signals>,
    /// Since when the process leaves.
    since: Option<Instant>,
    asked_again: bool,
}

impl Exit {
    pub(super) fn new(config: ExitConfig, trigger: Trigger, in_flight: InFlight) -> Exit {
        Exit { config, trigger, in_flight, signals: None, since: None, asked_again: false }
    }

    /// Lets SIGTERM and SIGINT ask to leave, from here on: the first one for all that is in flight to finish, the
    /// second one to end at once. The program must wait for [`finished`](Exit::finished), or none of them does
    /// anything. SIGUSR2 does not end the process any more either.
    ///
    /// # Errors
    /// If the runtime cannot install a handler.
    pub fn on_signals(&mut self) -> io::Result<()> {
        self.signals = Some(Signals::install()?);
        Ok(())
    }

    /// Begins to leave, as a signal does; nothing if it has begun.
    pub fn leave(&mut self) {
        self.begin("asked");
    }

    /// Sees [`Phase::LameDuck`] from the first signal on, for what the layer cannot do: to fail the health check of a
    /// load balancer, or to send GOAWAY.
    pub fn watch(&self) -> Watch {
        self.in_flight.drain().clone()
    }

    /// How many requests, and other [held](super::ExitLayer::hold) things, are in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.count()
    }

    /// Waits until the process is asked to leave, the delay is over and nothing is in flight; or until the
    /// [hard stop](Exit::hard_stop). Then the server may stop accepting.
    pub async fn finished(&mut self) -> Outcome {
        let since = self.asked().await;
        let (in_flight, delay) = (self.in_flight.clone(), left_of(self.config.delay, since));
        let none_left = async move {
            sleep(delay).await;
            in_flight.none_left().await;
        };
        tokio::select! {
            biased;
            () = none_left => {
                self.trigger.advance(Phase::Draining);
                Outcome::Finished
            }
            () = self.hard_stop() => {
                let in_flight = self.in_flight();
                tracing::warn!(in_flight, "the exit has taken its full time, or was asked for again: cutting");
                Outcome::Cut { in_flight }
            }
        }
    }

    /// Waits until the process is asked to leave and `delay` and `longest` are over, or it is asked by a signal again.
    pub async fn hard_stop(&mut self) {
        let since = self.asked().await;
        if !self.asked_again {
            let time = left_of(self.config.delay.saturating_add(self.config.longest), since);
            tokio::select! {
                () = sleep(time) => {}
                _ = signalled(&mut self.signals) => self.asked_again = true,
            }
        }
        self.trigger.advance(Phase::Stopping);
    }

    /// Waits until the process is asked to leave, and returns since when it does.
    async fn asked(&mut self) -> Instant {
        match self.since {
            Some(since) => since,
            None => {
                let signal = signalled(&mut self.signals).await;
                self.begin(signal)
            }
        }
    }

    fn begin(&mut self, cause: &'static str) -> Instant {
        *self.since.get_or_insert_with(|| {
            self.trigger.advance(Phase::LameDuck);
            let ExitConfig { delay, longest } = self.config;
            tracing::info!(
                "{cause}: accepting for another {delay:?}, each answer telling its client to leave; then what is in \
                 flight may take {longest:?}"
            );
            Instant::now()
        })
    }
}

async fn signalled(signals: &mut Option<Signals>) -> &'static str {
    match signals {
        Some(signals) => signals.leave().await,
        None => pending().await,
    }
}

fn left_of(time: Duration, since: Instant) -> Duration {
    time.saturating_sub(since.elapsed())
}
