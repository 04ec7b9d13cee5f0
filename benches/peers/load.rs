//! One run of load, and what the proxy spent on it.

use std::fmt;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::client::{Clients, Load, Until};
use crate::measure::{Cpu, cpu_time};
use crate::proxy::Running;

/// Fills pools, caches and buffers; not counted.
const WARM_UP: Duration = Duration::from_millis(200);

/// What one run came to.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    /// Requests answered in a second.
    pub(crate) rate: f64,
    /// CPU time of the proxy for each, in µs.
    pub(crate) cpu_us: f64,
    /// How much of that was spent in user space, 0 to 1.
    pub(crate) user: f64,
    /// How much of its core the proxy used, 0 to 1.
    pub(crate) busy: f64,
    /// The same of the clients and the upstream. Where this is 1 they were what limited the rate.
    pub(crate) rest_busy: f64,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7.0} requests/s {:>7.1} CPU µs/request", self.rate, self.cpu_us)?;
        write!(f, ", core {:.0} % busy, that of the load {:.0} %", self.busy * 100.0, self.rest_busy * 100.0)
    }
}

/// Loads one proxy and measures it.
///
/// # Errors
/// If any answer was wrong or a connection broke.
pub(crate) fn run(proxy: &Running, load: Load<'_>, time: Duration) -> Result<Run> {
    let mut clients = Clients::open(load)?;
    clients.closed_loop(Until::Time(WARM_UP))?;
    let mut used = Used::begin(proxy)?;
    let done = clients.closed_loop(Until::Time(time))?;
    used.end()?;
    proxy.empty_log()?;
    ensure!(done.answers > 0, "no answer");
    let (answers, wall) = (done.answers as f64, done.wall.as_secs_f64());
    Ok(Run {
        rate: answers / wall,
        cpu_us: used.proxy.total.as_secs_f64() * 1e6 / answers,
        user: share(used.proxy.user, used.proxy.system),
        busy: used.proxy.total.as_secs_f64() / wall,
        rest_busy: used.rest.total.as_secs_f64() / wall,
    })
}

fn share(part: Duration, rest: Duration) -> f64 {
    let all = (part + rest).as_secs_f64();
    if all > 0.0 { part.as_secs_f64() / all } else { 0.0 }
}

/// CPU time of a while.
pub(crate) struct Used {
    id: u32,
    pub(crate) proxy: Cpu,
    pub(crate) rest: Cpu,
}

impl Used {
    pub(crate) fn begin(proxy: &Running) -> Result<Used> {
        let id = proxy.id();
        let (proxy, rest) = Used::now(id)?;
        Ok(Used { id, proxy, rest })
    }

    /// The rest is this process and all that it has started, of which only the upstream has something to do.
    fn now(id: u32) -> Result<(Cpu, Cpu)> {
        let (proxy, all) = (cpu_time(id)?, cpu_time(std::process::id())?);
        Ok((proxy, all.since(proxy)))
    }

    /// From then to now.
    pub(crate) fn end(&mut self) -> Result<()> {
        let (proxy, rest) = Used::now(self.id)?;
        (self.proxy, self.rest) = (proxy.since(self.proxy), rest.since(self.rest));
        Ok(())
    }
}
