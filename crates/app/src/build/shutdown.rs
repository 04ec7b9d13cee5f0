//! Who asks the process to leave, or for something less.

use std::io;

use admin::{Command, CommandRequest, CommandSender, command_channel};
use lifecycle::{Signalled, Signals};
use tokio::sync::mpsc;

/// Asks a process to leave: the first time to drain, the second time to stop at once.
#[derive(Clone, Debug)]
pub struct ShutdownHandle {
    leave: mpsc::Sender<&'static str>,
    commands: CommandSender,
}

impl ShutdownHandle {
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
                        let commands = self.commands.clone();
                        tokio::spawn(async move { commands.send(Command::Upgrade).await });
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
    commands: CommandSender,
    asked: mpsc::Receiver<CommandRequest>,
}

impl Shutdown {
    /// Nobody has asked yet.
    pub fn new() -> (ShutdownHandle, Shutdown) {
        let (sender, leave) = mpsc::channel(2);
        let (commands, asked) = command_channel();
        (ShutdownHandle { leave: sender, commands: commands.clone() }, Shutdown { leave, commands, asked })
    }

    /// Where operators ask.
    pub(super) fn commands(&self) -> CommandSender {
        self.commands.clone()
    }

    /// What operators ask for, for whoever does it; once.
    pub(super) fn take_commands(&mut self) -> mpsc::Receiver<CommandRequest> {
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
