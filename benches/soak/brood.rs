//! The processes of one proxy. A proxy replaces itself by processes that were not started here; this process adopts
//! them, so that it can tell which live, how each has ended, and can end all of them, by their ids.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions, WaitStatus};

/// How long a process may take to start, to answer or to end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How often one looks whether it has.
pub(crate) const LOOK: Duration = Duration::from_millis(5);

/// Set by Ctrl-C: everything that waits gives up, and the processes are ended as after any other run.
pub(crate) static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The core of the proxies, and the other one, for all the rest.
#[derive(Clone, Copy)]
pub(crate) struct Cores {
    proxy: usize,
}

impl Cores {
    /// Takes the first two cores that this process may use, and moves to the second.
    pub(crate) fn take() -> Result<Cores> {
        let allowed = rustix::thread::sched_getaffinity(None)?;
        let mut cores = (0..rustix::thread::CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let (Some(proxy), Some(rest)) = (cores.next(), cores.next()) else {
            bail!("the soak needs two cores: one for the proxy, one for the clients and the upstream");
        };
        let mut mine = rustix::thread::CpuSet::new();
        mine.set(rest);
        rustix::thread::sched_setaffinity(None, &mine)?;
        Ok(Cores { proxy })
    }
}

/// Lets this process and its children open as many files as the system allows.
pub(crate) fn raise_open_files() -> Result<()> {
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    Ok(rustix::process::setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}

/// Where a program is. Debian's folder for servers is not in every user's `PATH`; and nginx, which starts itself again,
/// must know its own place.
pub(crate) fn find(program: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.map(|folder| folder.join(program)).find(|file| file.is_file());
    found.and_then(|file| std::path::absolute(file).ok())
}

/// All processes that descend from this one.
pub(crate) struct Brood {
    cores: Cores,
    folder: PathBuf,
    /// Threads or processes that serve, in each generation of the proxy.
    pub(crate) workers: u32,
    started: usize,
    ended: HashMap<u32, WaitStatus>,
}

impl Brood {
    /// What the processes say goes into this folder.
    pub(crate) fn new(cores: Cores, folder: &Path, workers: u32) -> Result<Brood> {
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        Ok(Brood { cores, folder: folder.to_owned(), workers, started: 0, ended: HashMap::new() })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts a process on the core of the proxies.
    pub(crate) fn start(&mut self, program: &Path, args: &[&str]) -> Result<Process> {
        self.started += 1;
        let said = self.log(self.started);
        let mut command = Command::new("taskset");
        command.arg("-c").arg(self.cores.proxy.to_string()).arg(program).args(args).env("NO_COLOR", "1");
        let log = File::create(&said)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("could not start {}", program.display()))?;
        Ok(Process { id: child.id(), said })
    }

    /// What the last process that was started here, and its children, have said so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.log(self.started)).unwrap_or_default()
    }

    fn log(&self, number: usize) -> PathBuf {
        self.folder.join(format!("{number:03}.log"))
    }

    /// How this process has ended, if it has.
    pub(crate) fn ending(&mut self, id: u32) -> Option<WaitStatus> {
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            self.ended.insert(pid.as_raw_nonzero().get().cast_unsigned(), status);
        }
        self.ended.get(&id).copied()
    }

    /// Waits until `look` finds what it looks for.
    ///
    /// # Errors
    /// If it does not in time, or the process has ended; then with what that has said.
    pub(crate) fn wait_for<T>(
        &mut self,
        process: &Process,
        what: &str,
        mut look: impl FnMut(&str) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = fs::read_to_string(&process.said)?;
            if let Some(found) = look(&said) {
                return Ok(found);
            }
            let ended = self.ending(process.id);
            ensure!(ended.is_none(), "process {} ended before: {what}. It said:\n{said}", process.id);
            ensure!(Instant::now() < deadline, "process {}: not yet: {what}. It said:\n{said}", process.id);
            pause()?;
        }
    }

    /// Waits until the process has ended; whether it has.
    pub(crate) fn wait_until_ended(&mut self, id: u32, patience: Duration) -> Result<bool> {
        let deadline = Instant::now() + patience;
        while self.ending(id).is_none() {
            if Instant::now() > deadline {
                return Ok(false);
            }
            pause()?;
        }
        Ok(true)
    }

    /// The processes that live, each with its command line.
    pub(crate) fn alive(&mut self) -> Vec<(u32, String)> {
        // Those that have ended are no longer listed once one has asked how.
        self.ending(0);
        let descendants = descendants(std::process::id());
        let line = |id| fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        descendants
            .into_iter()
            .map(|id| (id, String::from_utf8_lossy(&line(id)).replace('\0', " ")))
            .collect()
    }

    /// Asks all to end, and kills those that do not.
    fn end(&mut self) {
        for signal in [Signal::TERM, Signal::KILL] {
            let deadline = Instant::now() + Duration::from_secs(2);
            let mut asked = Vec::new();
            loop {
                let alive = self.alive();
                if alive.is_empty() || Instant::now() > deadline {
                    break;
                }
                let new: Vec<_> = alive.iter().map(|(id, _)| *id).filter(|id| !asked.contains(id)).collect();
                new.iter().for_each(|id| {
                    let _ = send(*id, signal);
                });
                asked.extend(new);
                std::thread::sleep(LOOK);
            }
        }
    }
}

impl Drop for Brood {
    fn drop(&mut self) {
        self.end();
    }
}

/// A process that was started here.
pub(crate) struct Process {
    pub(crate) id: u32,
    said: PathBuf,
}

/// Sends a signal to a process.
pub(crate) fn send(id: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw).context("no such process")?;
    rustix::process::kill_process(pid, signal).with_context(|| format!("no signal for process {id}"))
}

/// Sleeps a moment.
///
/// # Errors
/// As [`go_on`].
pub(crate) fn pause() -> Result<()> {
    go_on()?;
    std::thread::sleep(LOOK);
    Ok(())
}

/// # Errors
/// If Ctrl-C was pressed.
pub(crate) fn go_on() -> Result<()> {
    ensure!(!INTERRUPTED.load(Ordering::Relaxed), "interrupted");
    Ok(())
}

/// The ids of all processes that descend from this one and have not ended.
fn descendants(root: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let mut all: Vec<(u32, u32)> = entries
        // A process may end while one looks.
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok())
        .filter_map(|line| parent(&line))
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(of) = found.get(next).copied() {
        found.extend(all.extract_if(.., |(_, parent)| *parent == of).map(|(id, _)| id));
        next += 1;
    }
    found.split_off(1)
}

/// The id and the parent in a line of `/proc/<id>/stat`, unless the process has ended. The program's name is in brackets
/// and may have any character.
fn parent(line: &str) -> Option<(u32, u32)> {
    let (id, _) = line.split_once(' ')?;
    let (_, rest) = line.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some((id.parse().ok()?, parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_brackets_and_blanks_does_not_shift_the_fields() {
        assert_eq!(parent("42 (a) b) S 7 42 42 0"), Some((42, 7)));
        assert_eq!(parent("42 (nginx) Z 7 42 42 0"), None);
    }
}
