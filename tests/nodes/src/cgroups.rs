//! Room for a node's containers in the machine's cgroups: a folder in every hierarchy.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::Error;

/// A new cpuset has no CPUs and no memory until it is given some, and no process can enter it.
const CPUSET: [&str; 2] = ["cpuset.cpus", "cpuset.mems"];

/// How often a folder is tried: what ran in it was killed, and is gone in milliseconds.
const REMOVALS: u32 = 100;

/// The mount points of all hierarchies of version 1.
///
/// # Errors
/// If there are none.
pub(crate) fn hierarchies() -> Result<Vec<PathBuf>, Error> {
    let found = mounted(&["cgroup"])?;
    if found.is_empty() { Err(Error::NoCgroups) } else { Ok(found) }
}

/// runc also makes folders in a hierarchy of version 2 that is mounted beside them and has no controllers.
fn with_unified() -> Result<Vec<PathBuf>, Error> {
    mounted(&["cgroup", "cgroup2"])
}

fn mounted(kinds: &[&str]) -> Result<Vec<PathBuf>, Error> {
    let mounts = fs::read_to_string("/proc/self/mounts").map_err(Error::io("read /proc/self/mounts"))?;
    let of_kind = |line: &str| {
        let mut fields = line.split(' ');
        let place = fields.nth(1)?;
        kinds.contains(&fields.next()?).then(|| PathBuf::from(place))
    };
    Ok(mounts.lines().filter_map(of_kind).collect())
}

/// Makes a folder, and those above it, in every hierarchy.
pub(crate) fn create(path: &Path) -> Result<(), Error> {
    for hierarchy in hierarchies()? {
        let mut folder = hierarchy;
        for part in path {
            let above = folder.clone();
            folder.push(part);
            make(&above, &folder).map_err(Error::io(format!("make cgroup {}", folder.display())))?;
        }
    }
    Ok(())
}

fn make(above: &Path, folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    for file in CPUSET.into_iter().filter(|file| folder.join(file).exists()) {
        fs::write(folder.join(file), fs::read(above.join(file))?)?;
    }
    Ok(())
}

/// Removes a folder and what is in it, in every hierarchy. What cannot be removed is left to the end of the cluster.
pub(crate) fn remove(path: &Path) {
    for folder in with_unified().unwrap_or_default().iter().map(|hierarchy| hierarchy.join(path)) {
        for _ in 0..REMOVALS {
            if !folder.exists() || remove_tree(&folder).is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The files in it are not ours to remove; they go with their folder.
fn remove_tree(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(folder)
}

/// A shell command that does the same for a whole cluster, for the watchdog.
pub(crate) fn removal(name: &str) -> Result<String, Error> {
    let folders: Vec<String> =
        with_unified()?.iter().map(|hierarchy| hierarchy.join(name).display().to_string()).collect();
    Ok(format!(
        "tries=200\n\
         until ! ls -d {0} >/dev/null 2>&1 || [ \"$tries\" -eq 0 ]; do\n\
         find {0} -depth -type d -exec rmdir {{}} ';' 2>/dev/null; tries=$((tries - 1)); sleep 0.05; done\n",
        folders.join(" ")
    ))
}
