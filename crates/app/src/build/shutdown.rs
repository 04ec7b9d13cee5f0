//! Who asks the process to leave, or for something less.

use std::io;

use admin::{Asked, Order, Orders};
use lifecycle::{Signalled, Signals};
use tokio::sync::mpsc;

/// Asks a process to leave: the first time to drain, the second time to stop at once.
#[derive(Clone, Debug)]
pub struct Ask {
    leave: mpsc::Sender<&'static str>,
    orders: Orders,
}

impl Ask {
    /// Asks, in the name of `who`. More than two questions are one.
    pub fn leave(&self, who: &'static str) {
        let _ = self.leave.try_send(who);
    }

    /// Asks at each SIGTERM and SIGINT from here on, and for an upgrade at each SIGUSR2.
    ///
    /// # Errors
    /// If the runtime cannot install a handler.
    pub fn on_signals(self) -> io::Result<()> {
        let mut signals = Signals::install()?;
        tokio::spawn(async move {
            loop {
                match signals.next().await {
                    Signalled::Leave(signal) => self.leave(signal),
                    // What comes of it is in the log. Nobody may be there yet to do it, and the next signal has to be heard.
                    Signalled::Upgrade => {
                        let orders = self.orders.clone();
                        tokio::spawn(async move { orders.ask(Order::Upgrade).await });
                    }
                }
            }
        });
        Ok(())
    }
}

/// The end that is asked.
#[derive(Debug)]
pub struct Shutdown {
    leave: mpsc::Receiver<&'static str>,
    orders: Orders,
    asked: mpsc::Receiver<Asked>,
}

impl Shutdown {
    /// Nobody has asked yet.
    pub fn new() -> (Ask, Shutdown) {
        let (sender, leave) = mpsc::channel(2);
        let (orders, asked) = admin::orders();
        (Ask { leave: sender, orders: orders.clone() }, Shutdown { leave, orders, asked })
    }

    /// Where operators ask.
    pub(super) fn orders(&self) -> Orders {
        self.orders.clone()
    }

    /// What operators ask for, for whoever does it; once.
    pub(super) fn take_orders(&mut self) -> mpsc::Receiver<Asked> {
        let (_, nobody) = mpsc::channel(1);
        std::mem::replace(&mut self.asked, nobody)
    }

    /// Who asks next; waits for ever when nobody can any more.
    pub(super) async fn asked_to_leave(&mut self) -> &'static str {
        match self.leave.recv().await {
            Some(who) => who,
            None => std::future::pending().await,
        }
    }
}
