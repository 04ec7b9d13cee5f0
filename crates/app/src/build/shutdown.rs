//! Who asks the process to leave.

use std::io;

use lifecycle::Signals;
use tokio::sync::mpsc;

/// Asks a process to leave: the first time to drain, the second time to stop at once.
#[derive(Clone, Debug)]
pub struct Ask(mpsc::Sender<&'static str>);

impl Ask {
    /// Asks, in the name of `who`. More than two questions are one.
    pub fn leave(&self, who: &'static str) {
        let _ = self.0.try_send(who);
    }

    /// Asks at each SIGTERM and SIGINT from here on.
    ///
    /// # Errors
    /// If the runtime cannot install a handler.
    pub fn on_signals(self) -> io::Result<()> {
        let mut signals = Signals::install()?;
        tokio::spawn(async move {
            loop {
                self.leave(signals.next().await);
            }
        });
        Ok(())
    }
}

/// The end that is asked.
#[derive(Debug)]
pub struct Shutdown(mpsc::Receiver<&'static str>);

impl Shutdown {
    /// Nobody has asked yet.
    pub fn new() -> (Ask, Shutdown) {
        let (sender, receiver) = mpsc::channel(2);
        (Ask(sender), Shutdown(receiver))
    }

    /// Who asks next; waits for ever when nobody can any more.
    pub(super) async fn asked(&mut self) -> &'static str {
        match self.0.recv().await {
            Some(who) => who,
            None => std::future::pending().await,
        }
    }
}
