//! The commands that operators send to the process, and the channel that brings them to the code that runs them.

use tokio::sync::{mpsc, oneshot};

/// Commands that wait for an answer; more are refused, since one operator sends one at a time.
const COMMANDS_MAX: usize = 8;

/// Something to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Be a lame duck until further notice.
    Drain,
    /// Take an earlier [`Drain`](Command::Drain) back.
    Undrain,
    /// Start a successor from the same file.
    Upgrade,
}

/// A command, and where its answer goes: what was done, or why it cannot be.
#[derive(Debug)]
pub struct CommandRequest {
    /// What is to be done.
    pub command: Command,
    /// What came of it.
    pub answer: oneshot::Sender<Result<String, String>>,
}

/// Sends commands.
#[derive(Clone, Debug)]
pub struct CommandSender(mpsc::Sender<CommandRequest>);

/// Both ends: the sender for [`Pages::Control`](crate::Pages::Control), the receiver for the code that runs commands.
pub fn command_channel() -> (CommandSender, mpsc::Receiver<CommandRequest>) {
    let (sender, receiver) = mpsc::channel(COMMANDS_MAX);
    (CommandSender(sender), receiver)
}

impl CommandSender {
    /// Sends a command and waits for the answer.
    ///
    /// # Errors
    /// Why it cannot be done.
    pub async fn send(&self, command: Command) -> Result<String, String> {
        let (answer, answered) = oneshot::channel();
        self.0
            .try_send(CommandRequest { command, answer })
            .map_err(|_| "too many commands at once, or the process is ending")?;
        answered.await.unwrap_or_else(|_| Err("the process is ending".into()))
    }
}
