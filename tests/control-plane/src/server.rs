//! One server process: started, waited for, paused, killed and started again.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::Error;
use crate::error::Tail;

/// How long a server may take until it is ready. Alone on two cores it takes four seconds; tests are not alone.
const READY_LIMIT: Duration = Duration::from_secs(90);

/// How often a server is asked whether it is ready. Asking costs it a little, and the API server costs a kubectl.
const READY_INTERVAL: Duration = Duration::from_millis(50);

/// How a server is started, and how it is known to be ready.
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) log: PathBuf,
    pub(crate) group: i32,
    pub(crate) is_ready: Box<dyn Fn() -> bool + Send + Sync>,
}

/// One of the control plane's processes, for a test that wants it gone for a while.
pub struct Server {
    spec: Spec,
    process: Mutex<Option<Child>>,
}

impl Server {
    pub(crate) fn new(spec: Spec) -> Self {
        Self { spec, process: Mutex::new(None) }
    }

    /// Starts it with what it had before (port, certificates, data) and waits until it is ready. Does nothing to one
    /// that runs, except to wait.
    ///
    /// # Errors
    /// If it ends or is not ready in time; the error shows the end of its log.
    pub fn start(&self) -> Result<(), Error> {
        self.launch()?;
        self.wait_until_ready()
    }

    /// Stops it where it is (SIGSTOP): connections stay open and nothing is answered. Returns when it has stopped.
    ///
    /// # Errors
    /// If it does not run.
    pub fn pause(&self) -> Result<(), Error> {
        let process = self.process();
        let pid = self.signal(process.as_ref(), Signal::STOP)?;
        // Without taking its status, which belongs to the child's own wait().
        let seen = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(pid), seen);
        let status = status.map_err(|errno| Error::io(self.doing("wait for"))(errno.into()))?;
        match status {
            Some(status) if status.stopped() => Ok(()),
            _ => Err(self.not_running()),
        }
    }

    /// Lets it go on after [`pause`](Self::pause).
    ///
    /// # Errors
    /// If it does not run.
    pub fn resume(&self) -> Result<(), Error> {
        self.signal(self.process().as_ref(), Signal::CONT).map(drop)
    }

    /// Ends it without warning (SIGKILL), running or paused. Returns when it is gone.
    ///
    /// # Errors
    /// If the system refuses; never for one that is gone already.
    pub fn kill(&self) -> Result<(), Error> {
        let Some(mut child) = self.process().take() else { return Ok(()) };
        let killed = child.kill().and_then(|()| child.wait());
        killed.map(drop).map_err(Error::io(self.doing("kill")))
    }

    /// Its process, to measure it. None while it is killed.
    pub fn id(&self) -> Option<u32> {
        self.process().as_ref().map(Child::id)
    }

    /// What it has logged, all its lives together.
    pub fn log(&self) -> &Path {
        &self.spec.log
    }

    /// Starts it and does not wait.
    pub(crate) fn launch(&self) -> Result<(), Error> {
        let mut process = self.process();
        if is_running(process.as_mut()) {
            return Ok(());
        }
        let log = File::options().append(true).create(true).open(&self.spec.log);
        let log = log.map_err(Error::io(format!("open {}", self.spec.log.display())))?;
        let output = log.try_clone().map_err(Error::io(format!("share {}", self.spec.log.display())))?;
        let mut command = Command::new(&self.spec.program);
        command.args(&self.spec.args).current_dir("/").process_group(self.spec.group);
        command.stdin(Stdio::null()).stdout(output).stderr(log);
        *process = Some(command.spawn().map_err(Error::io(self.doing("start")))?);
        Ok(())
    }

    pub(crate) fn wait_until_ready(&self) -> Result<(), Error> {
        let deadline = Instant::now() + READY_LIMIT;
        while !(self.spec.is_ready)() {
            let log = || Tail::of(&self.spec.log);
            if !is_running(self.process().as_mut()) {
                return Err(Error::Ended { name: self.spec.name, log: log() });
            }
            if Instant::now() > deadline {
                return Err(Error::NotReady { name: self.spec.name, limit: READY_LIMIT, log: log() });
            }
            std::thread::sleep(READY_INTERVAL);
        }
        Ok(())
    }

    /// A child that has not been waited for keeps its id, so the signal cannot reach a stranger.
    fn signal(&self, child: Option<&Child>, signal: Signal) -> Result<Pid, Error> {
        let pid = child.map(Pid::from_child).ok_or_else(|| self.not_running())?;
        kill_process(pid, signal).map_err(|errno| Error::io(self.doing("signal"))(errno.into()))?;
        Ok(pid)
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        // A test that panicked while it held the lock has left a child or none: both are sound.
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn doing(&self, verb: &str) -> String {
        format!("{verb} {} ({})", self.spec.name, self.spec.program.display())
    }

    fn not_running(&self) -> Error {
        Error::NotRunning { name: self.spec.name }
    }
}

impl Drop for Server {
    /// The watchdog kills it too, but what is killed and not waited for stays in the table of processes.
    fn drop(&mut self) {
        // No caller can be told, and the watchdog comes after us.
        let _ = self.kill();
    }
}

/// One that has died by itself does not count.
fn is_running(child: Option<&mut Child>) -> bool {
    child.is_some_and(|child| child.try_wait().is_ok_and(|ended| ended.is_none()))
}
