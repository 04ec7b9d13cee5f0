//! What of the machine each process gets: a core, and files.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use rustix::process::{Resource, Rlimit};

/// Which core does what.
#[derive(Clone, Copy)]
pub(crate) struct Cores {
    /// The proxy's, which it does not share.
    pub(crate) proxy: usize,
    /// The load's and the upstream's.
    pub(crate) rest: usize,
}

impl Cores {
    /// The first two cores that this process may use.
    pub(crate) fn choose() -> Result<Cores> {
        match allowed()?[..] {
            [proxy, rest, ..] => Ok(Cores { proxy, rest }),
            _ => bail!("the benchmark needs two cores: one for the proxy, one for the load and the upstream"),
        }
    }
}

/// The cores that this process may use.
pub(crate) fn allowed() -> Result<Vec<usize>> {
    let allowed = rustix::thread::sched_getaffinity(None)?;
    Ok((0..rustix::thread::CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect())
}

/// Keeps this thread, and those that it starts, on one core.
pub(crate) fn stay_on(core: usize) -> Result<()> {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(core);
    Ok(rustix::thread::sched_setaffinity(None, &cores)?)
}

/// Lets this process and its children open as many files as the system allows.
pub(crate) fn raise_open_files() -> Result<()> {
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    Ok(rustix::process::setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}

/// A program that will run on one core. Debian's folder for servers is not in every `PATH`.
pub(crate) fn pinned(core: usize, program: impl AsRef<OsStr>) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("taskset");
    command
        .arg("-c")
        .arg(core.to_string())
        .arg(program)
        .env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin"));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}
