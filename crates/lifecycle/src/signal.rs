//! SIGTERM and SIGINT ask the process to leave, the first time for a drain, the second time for an end; SIGUSR2 asks
//! it to start its own successor.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signalled {
    /// To leave; by which signal.
    Leave(&'static str),
    /// To start a successor from the same file.
    Upgrade,
}

/// The signals that mean something to the process.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    upgrade: Signal,
}

impl Signals {
    /// Takes the signals over; from here on none of them ends the process by itself.
    ///
    /// # Errors
    /// If the runtime cannot install a handler.
    pub fn install() -> io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            upgrade: signal(SignalKind::user_defined2())?,
        })
    }

    /// Waits for the next one that asks to leave.
    pub async fn leave(&mut self) -> &'static str {
        loop {
            if let Signalled::Leave(signal) = self.next().await {
                return signal;
            }
        }
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signalled {
        tokio::select! {
            _ = self.terminate.recv() => Signalled::Leave("SIGTERM"),
            _ = self.interrupt.recv() => Signalled::Leave("SIGINT"),
            _ = self.upgrade.recv() => Signalled::Upgrade,
        }
    }
}
