//! The process group of all servers, and the watchdog that ends it when its holder is gone.
//!
//! A test's control plane often lives in a static, which is never dropped, and tests are killed at time limits. So it
//! is not for us to clean up: a shell waits for the end of a pipe that only this process holds, and does it then. A drop
//! closes the same pipe, so that there is one way to end and each test takes it.
//!
//! PR_SET_PDEATHSIG would be simpler, but it fires when the *thread* that started the child ends, and a test harness has
//! a thread for each test.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Error;

/// Waits for the end of its input, then ends group `$1`, runs `$3` and removes folder `$2`. The removal is repeated,
/// because the processes that were killed may still have been writing, but not for ever.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
read -r _
kill -s KILL -- "-$1"
eval "$3"
tries=200
until rm -rf -- "$2" || [ "$tries" -eq 0 ]; do tries=$((tries - 1)); sleep 0.05; done
"#;

/// A folder and a process group that end with the value or with this process, whichever ends first.
pub struct Family {
    folder: PathBuf,
    leader: Child,
    watchdog: Child,
}

impl Family {
    pub(crate) fn start() -> Result<Self, Error> {
        Self::start_with("")
    }

    /// Starts one that leaves more behind than processes and files; `cleanup` is what a shell runs after they were
    /// killed.
    ///
    /// # Errors
    /// If there is no room for a folder, or no shell.
    pub fn start_with(cleanup: &str) -> Result<Self, Error> {
        // Short: the path of a unix socket in it may have 107 bytes.
        let folder = tempfile::Builder::new().prefix("sluicegate-").tempdir();
        let folder = folder.map_err(Error::io("create a temporary folder"))?;
        let leader = leader().map_err(Error::io("start `cat`"))?;
        let watchdog = watchdog(&leader, folder.path(), cleanup).map_err(Error::io("start `sh`"))?;
        Ok(Self { folder: folder.keep(), leader, watchdog })
    }

    /// Everything that the servers write goes here.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// For [`CommandExt::process_group`].
    pub fn group(&self) -> i32 {
        group(&self.leader)
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        // Nothing that could be done about an error would be better than going on.
        let _ = self.watchdog.wait();
        let _ = self.leader.wait();
    }
}

/// Keeps the group's number taken while servers come and go. It ends with its input, that is with this process.
fn leader() -> io::Result<Child> {
    in_silence(&mut Command::new("cat")).process_group(0).spawn()
}

/// In a group of its own: neither Ctrl-C at a terminal nor its own kill may reach it.
fn watchdog(leader: &Child, folder: &Path, cleanup: &str) -> io::Result<Child> {
    let mut watchdog = Command::new("sh");
    watchdog.args(["-c", WATCHDOG, "sh", &group(leader).to_string()]).arg(folder).arg(cleanup);
    in_silence(&mut watchdog).process_group(0).spawn()
}

/// Without our output: a program that reads it waits until the last holder has closed it.
fn in_silence(command: &mut Command) -> &mut Command {
    command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null())
}

fn group(leader: &Child) -> i32 {
    i32::try_from(leader.id()).expect("Linux has no process ids above 2^22")
}
