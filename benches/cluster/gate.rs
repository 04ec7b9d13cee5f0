//! The program itself, built for release.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use test_support::Process;

/// Clock ticks of `/proc/PID/stat` a second (`getconf CLK_TCK`): 100 on every Linux there is.
const TICKS: u32 = 100;

/// How long it may take until it serves: the largest cluster here has ten thousand Ingresses.
const PATIENCE: Duration = Duration::from_secs(600);

/// A running program; killed when this value is dropped.
pub(crate) struct Gate {
    process: Process,
    pub(crate) http: SocketAddr,
    /// From its start until it was serving.
    pub(crate) serving_after: Duration,
}

/// What a process has used.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    pub(crate) resident_kib: u64,
    pub(crate) peak_kib: u64,
}

impl Gate {
    /// Starts it and waits until it serves.
    pub(crate) fn start(kubeconfig: &Path) -> Result<Gate> {
        let program = std::env::current_exe()?.with_file_name("sluicegate");
        ensure!(
            program.is_file(),
            "{} is not built; start me with `cargo xtask bench cluster`",
            program.display()
        );
        let started = Instant::now();
        let mut command = Command::new(program);
        command.args(["run", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        command.args(["--access-log", "off", "--workers", "1"]);
        command.arg("--kubeconfig").arg(kubeconfig).stdin(Stdio::null());
        let mut process = Process::start(&mut command)?.patient_for(PATIENCE);
        process.wait_for("serving", |said| said.contains("serving routes=").then_some(()))?;
        let serving_after = started.elapsed();
        let http = process.listening("http=")?;
        Ok(Gate { process, http, serving_after })
    }

    pub(crate) fn usage(&self) -> Result<Usage> {
        let process = format!("/proc/{}", self.process.id());
        let stat = fs::read_to_string(format!("{process}/stat"))?;
        let fields: Vec<&str> = stat.rsplit_once(')').context("stat")?.1.split_whitespace().collect();
        let ticks: u32 = fields[11].parse::<u32>()? + fields[12].parse::<u32>()?;
        let status = fs::read_to_string(format!("{process}/status"))?;
        let kib = |name: &str| -> Result<u64> {
            let line = status.lines().find(|line| line.starts_with(name)).with_context(|| name.to_owned())?;
            Ok(line.split_whitespace().nth(1).context("a number")?.parse()?)
        };
        let cpu = Duration::from_secs(1) * ticks / TICKS;
        Ok(Usage { cpu, resident_kib: kib("VmRSS")?, peak_kib: kib("VmHWM")? })
    }
}
