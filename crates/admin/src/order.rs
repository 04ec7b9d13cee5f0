//! What operators may ask of the process, and how that gets to whoever does it.

use tokio::sync::{mpsc, oneshot};

/// Orders that wait for an answer; more are refused, since one operator asks for one thing at a time.
const ORDERS_MAX: usize = 8;

/// Something to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Be a lame duck until further notice.
    Drain,
    /// Be no lame duck on account of an earlier order.
    Undrain,
    /// Start a successor from the same file.
    Upgrade,
}

/// An order, and where its answer goes: what was done, or why it cannot be.
#[derive(Debug)]
pub struct Asked {
    /// What is to be done.
    pub order: Order,
    /// What came of it.
    pub answer: oneshot::Sender<Result<String, String>>,
}

/// Passes orders on.
#[derive(Clone, Debug)]
pub struct Orders(mpsc::Sender<Asked>);

/// Both ends: for [`Pages::Control`](crate::Pages::Control), and for whoever does what is asked.
pub fn orders() -> (Orders, mpsc::Receiver<Asked>) {
    let (sender, receiver) = mpsc::channel(ORDERS_MAX);
    (Orders(sender), receiver)
}

impl Orders {
    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// Why it cannot be done.
    pub async fn ask(&self, order: Order) -> Result<String, String> {
        let (answer, answered) = oneshot::channel();
        self.0
            .try_send(Asked { order, answer })
            .map_err(|_| "too many commands at once, or the process is ending")?;
        answered.await.unwrap_or_else(|_| Err("the process is ending".into()))
    }
}
