//! How much memory a process has, at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;

use crate::measure::resident_kib;

/// How often one looks.
const LOOK: Duration = Duration::from_millis(10);

/// Looks at a process until it is told to stop.
pub(crate) struct Peak {
    over: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Peak {
    pub(crate) fn watch(id: u32) -> Result<Peak> {
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let look = move || {
            let mut most = 0;
            while !told.load(Ordering::Relaxed) {
                most = most.max(resident_kib(id).unwrap_or(0));
                std::thread::sleep(LOOK);
            }
            most
        };
        let thread = std::thread::Builder::new().name("memory".into()).spawn(look)?;
        Ok(Peak { over, thread })
    }

    /// The most that was seen, in KiB.
    pub(crate) fn end(self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("looking does not panic")
    }
}
