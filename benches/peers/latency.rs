//! How long answers take while requests come at their own times.

use std::fmt;
use std::time::Duration;

use anyhow::Result;

use crate::client::{Clients, Load};
use crate::load::{Run, Used, run};
use crate::proxy::Running;

/// How often, and how long, one looks how many requests nginx can serve.
const LOOKS: u32 = 3;
const LOOK: Duration = Duration::from_secs(1);

/// What one run came to.
#[derive(Clone, Copy)]
pub(crate) struct Latency {
    /// Shares of all answers that took no longer, in milliseconds: half, 99 of 100, 999 of 1000.
    pub(crate) median: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) slowest: f64,
    /// How much of its core the proxy used, 0 to 1.
    pub(crate) busy: f64,
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Latency { median, p99, p999, slowest, busy } = self;
        write!(f, "p50 {median:.2} ms, p99 {p99:.2}, p99.9 {p999:.2}, slowest {slowest:.2}")?;
        write!(f, ", core {:.0} % busy", busy * 100.0)
    }
}

/// How many requests a second this proxy answers: the median of some closed loops.
pub(crate) fn capacity(proxy: &Running, load: Load<'_>) -> Result<f64> {
    let runs: Vec<Run> = (0..LOOKS).map(|_| run(proxy, load, LOOK)).collect::<Result<_>>()?;
    Ok(crate::statistics::median(&runs, |run| run.rate))
}

/// Asks one proxy so often in a second.
pub(crate) fn measure(proxy: &Running, load: Load<'_>, rate: f64, time: Duration) -> Result<Latency> {
    let mut clients = Clients::open(load)?;
    clients.open_loop(rate, time / 4)?;
    let mut used = Used::begin(proxy)?;
    let times = clients.open_loop(rate, time)?;
    used.end()?;
    proxy.empty_log()?;
    let share = |of_1000: usize| millis(times[(times.len() * of_1000 / 1000).min(times.len() - 1)]);
    Ok(Latency {
        median: share(500),
        p99: share(990),
        p999: share(999),
        slowest: share(1000),
        busy: used.proxy.total.as_secs_f64() / time.as_secs_f64(),
    })
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
