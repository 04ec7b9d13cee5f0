//! The program itself, built for release.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// Clock ticks of `/proc/PID/stat` a second (`getconf CLK_TCK`): 100 on every Linux there is.
const TICKS: u32 = 100;

/// A running program; killed when this value is dropped.
pub(crate) struct Gate {
    child: Child,
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
        let mut child = Command::new(program)
            .args([
                "run",
                "--http",
                "127.0.0.1:0",
                "--admin",
                "127.0.0.1:0",
                "--access-log",
                "off",
                "--workers",
                "1",
            ])
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = child.stderr.take().context("standard error is piped")?;
        let mut lines = BufReader::new(stderr).lines();
        let (mut http, mut said) = (None, String::new());
        for line in lines.by_ref() {
            let line = line?;
            if let Some((_, addresses)) = line.split_once("listening http=") {
                http = addresses.split_once(' ').and_then(|(address, _)| address.parse().ok());
            }
            if line.contains("serving routes=") {
                break;
            }
            said.push_str(&line);
            said.push('\n');
        }
        let http = http.with_context(|| format!("it did not serve; it said:\n{said}"))?;
        let serving_after = started.elapsed();
        // Else it would wait when the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Gate { child, http, serving_after })
    }

    pub(crate) fn usage(&self) -> Result<Usage> {
        let process = format!("/proc/{}", self.child.id());
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

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
