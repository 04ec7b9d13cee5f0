//! Waits for what must happen, with a limit on each.

use std::fmt;
use std::time::{Duration, Instant};

/// How long anything may take that must happen. Generous: it is only waited for when a test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Between two looks.
pub(crate) const LOOK: Duration = Duration::from_millis(2);

/// What is looked for again and again: that something is so, or that something is there.
pub trait Condition {
    /// What there is when it holds.
    type Found;

    /// That, if it holds now.
    fn found(self) -> Option<Self::Found>;
}

impl Condition for bool {
    type Found = ();

    fn found(self) -> Option<()> {
        self.then_some(())
    }
}

impl<T> Condition for Option<T> {
    type Found = T;

    fn found(self) -> Option<T> {
        self
    }
}

/// It did not happen within [`PATIENCE`].
#[derive(Debug)]
pub struct Late;

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not within {PATIENCE:?}")
    }
}

impl std::error::Error for Late {}

/// Looks until the condition holds, and returns what it has found.
///
/// # Panics
/// If it does not within [`PATIENCE`].
pub fn eventually<C: Condition>(what: &str, mut look: impl FnMut() -> C) -> C::Found {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().found() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: {Late}");
        std::thread::sleep(LOOK);
    }
}

/// The same, while the other tasks of this thread go on.
///
/// # Errors
/// If it does not hold within [`PATIENCE`].
pub async fn until<C: Condition>(mut look: impl FnMut() -> C) -> Result<C::Found, Late> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().found() {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            return Err(Late);
        }
        tokio::time::sleep(LOOK).await;
    }
}
