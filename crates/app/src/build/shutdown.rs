//! How signals and operators ask the process to leave or to upgrade.

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
    /// Asks the process to leave because of `cause`. A third request means no more than the second.
    pub fn leave(&self, cause: &'static str) {
        let _ = self.leave.try_send(cause);
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
                    // The result is in the log. Not awaited: the process may not serve yet, and must hear the next signal.
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

/// The receiving end.
#[derive(Debug)]
pub struct Shutdown {
    leave: mpsc::Receiver<&'static str>,
    commands: CommandSender,
    asked: mpsc::Receiver<CommandRequest>,
}

impl Shutdown {
    /// Both ends; nothing was asked yet.
    pub fn new() -> (ShutdownHandle, Shutdown) {
        let (sender, leave) = mpsc::channel(2);
        let (commands, asked) = command_channel();
        (ShutdownHandle { leave: sender, commands: commands.clone() }, Shutdown { leave, commands, asked })
    }

    /// Where operators send commands.
    pub(super) fn commands(&self) -> CommandSender {
        self.commands.clone()
    }

    /// The commands of operators; only the first call gets them.
    pub(super) fn take_commands(&mut self) -> mpsc::Receiver<CommandRequest> {
        let (_, closed) = mpsc::channel(1);
        std::mem::replace(&mut self.asked, closed)
    }

    /// Waits for the next request to leave, for ever if none can come any more; returns its cause.
    pub(super) async fn asked_to_leave(&mut self) -> &'static str {
        match self.leave.recv().await {
            Some(cause) => cause,
            None => std::future::pending().await,
        }
    }
}
