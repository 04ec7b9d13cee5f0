//! Many connections that have each done one request and then keep silent: what does each cost in memory?

use std::fmt;
use std::time::Duration;

use anyhow::Result;

use crate::client::{Clients, Load};
use crate::measure::resident_kib;
use crate::proxy::Running;

/// How long the connections are silent before one looks: time to give memory back.
const QUIET: Duration = Duration::from_secs(3);

/// A proxy's resident memory with no connection and with many.
#[derive(Clone, Copy)]
pub(crate) struct Growth {
    pub(crate) before_kib: u64,
    pub(crate) after_kib: u64,
    pub(crate) connections: usize,
}

impl Growth {
    /// KiB for each connection.
    pub(crate) fn per_connection(&self) -> f64 {
        self.after_kib.saturating_sub(self.before_kib) as f64 / self.connections as f64
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.per_connection();
        write!(f, "{each:.2} KiB/connection ({} KiB before, {} KiB after)", self.before_kib, self.after_kib)
    }
}

/// Measures a proxy that has just been started. Each connection has had its answer before the next one is opened.
pub(crate) fn measure(proxy: &Running, load: Load<'_>) -> Result<Growth> {
    let before_kib = resident_kib(proxy.id())?;
    let clients = Clients::open(load)?;
    std::thread::sleep(QUIET);
    let after_kib = resident_kib(proxy.id())?;
    drop(clients);
    Ok(Growth { before_kib, after_kib, connections: load.connections })
}
