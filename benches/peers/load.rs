//! One run of load (wrk) and what the proxy spent on it.

use std::fmt;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::cores::{Cores, pinned};
use crate::manifests::HOST;
use crate::measure::cpu_time;
use crate::proxy::Running;
use crate::scenario::Scenario;

/// What one run came to.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    /// Requests answered in a second.
    pub(crate) rate: f64,
    /// CPU time of the proxy for each, in µs.
    pub(crate) cpu_us: f64,
    /// How much of its core the proxy used, 0 to 1. Well below 1, the other core was what limited the rate.
    pub(crate) busy: f64,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Run { rate, cpu_us, busy } = self;
        write!(f, "{rate:>7.0} requests/s {cpu_us:>7.1} CPU µs/request, core {:.0} % busy", busy * 100.0)
    }
}

/// Loads one proxy and measures it.
///
/// # Errors
/// If any response was not a success or a connection broke.
pub(crate) fn run(proxy: &Running, scenario: &Scenario, seconds: u32, cores: Cores) -> Result<Run> {
    let script = tempfile::NamedTempFile::new()?;
    fs::write(&script, script_for(scenario))?;
    let mut wrk = pinned(cores.rest, "wrk");
    wrk.args([
        "--threads=1",
        &format!("--connections={}", scenario.connections),
        &format!("--duration={seconds}s"),
    ]);
    wrk.arg(format!("--header=Host: {HOST}")).arg("--script").arg(script.path());
    wrk.arg(format!("http://{}{}", proxy.address, scenario.path));
    let (cpu_before, begin) = (cpu_time(proxy.id())?, Instant::now());
    let said = output(wrk)?;
    let (cpu, wall) = (cpu_time(proxy.id())? - cpu_before, begin.elapsed());
    proxy.empty_log()?;
    let answered =
        Answered::parse(&said).with_context(|| format!("wrk said something unexpected:\n{said}"))?;
    ensure!(answered.faults.is_empty(), "{} in {}: {}", proxy.proxy, scenario.name, answered.faults);
    ensure!(answered.requests > 0.0, "{} in {}: no response", proxy.proxy, scenario.name);
    Ok(Run {
        rate: answered.rate,
        cpu_us: micros(cpu) / answered.requests,
        busy: cpu.as_secs_f64() / wall.as_secs_f64(),
    })
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn script_for(scenario: &Scenario) -> String {
    let mut script = String::new();
    if scenario.body > 0 {
        script += &format!("wrk.method = 'POST'\nwrk.body = string.rep('x', {})\n", scenario.body);
    }
    if scenario.close {
        script += "wrk.headers['Connection'] = 'close'\n";
    }
    script
}

fn output(mut wrk: Command) -> Result<String> {
    wrk.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = wrk.output().context("could not start wrk")?;
    ensure!(output.status.success(), "wrk failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What wrk reports.
#[derive(Debug, PartialEq)]
struct Answered {
    requests: f64,
    rate: f64,
    /// The lines that tell of errors.
    faults: String,
}

impl Answered {
    fn parse(said: &str) -> Option<Answered> {
        let lines = || said.lines().map(str::trim);
        let requests = lines().find_map(|line| line.split_once(" requests in "))?.0.parse().ok()?;
        let rate = lines().find_map(|line| line.strip_prefix("Requests/sec:"))?.trim().parse().ok()?;
        let faults = lines().filter(|line| line.starts_with("Socket errors:") || line.starts_with("Non-2xx"));
        Some(Answered { requests, rate, faults: faults.collect::<Vec<_>>().join("; ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_rate_and_faults_are_read_from_the_report() {
        let said = "  1 threads and 64 connections
  12345 requests in 1.00s, 13.2MB read
  Socket errors: connect 0, read 1, write 0, timeout 0
  Non-2xx or 3xx responses: 2
Requests/sec:  12300.50
Transfer/sec:     13.2MB
";
        let faults =
            "Socket errors: connect 0, read 1, write 0, timeout 0; Non-2xx or 3xx responses: 2".into();
        assert_eq!(Answered::parse(said), Some(Answered { requests: 12345.0, rate: 12300.5, faults }));
    }
}
