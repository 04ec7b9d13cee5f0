//! What the gates' own access logs say of requests that were not answered well.
//!
//! Owns: following the containers' logs on the nodes while they are there (kubelet removes a pod's with the pod), and
//! finding in them the line of a lost request. Requests are told apart by their targets, of which no two are alike.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nodes::Node;

/// Where kubelet has a folder for each pod, named after its namespace, its name and its uid.
const PODS: &str = "var/log/pods";

/// The folders that are ours begin with the namespace.
const OURS: &str = "sluicegate_";

/// A container that was killed has its log for as long as its pod is there, which is longer than this.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// More than any run with a verdict has: where thousands are refused, the first tell why.
const LINES_MAX: usize = 10_000;

/// What the line of a request has that was not answered by an endpoint as it should be.
const REFUSED: &str = "\"error\":";

/// The logs of all gates on the nodes that it was told of.
pub(crate) struct Logs {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// Each node's name, and its files.
    nodes: Mutex<Vec<(String, PathBuf)>>,
    refused: Mutex<VecDeque<String>>,
    is_over: AtomicBool,
}

/// A log that is followed.
struct Followed {
    node: String,
    file: File,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
}

impl Logs {
    pub(crate) fn start() -> Self {
        let shared = Arc::<Shared>::default();
        let followed = shared.clone();
        let thread = Some(thread::spawn(move || followed.follow_until_over()));
        Self { shared, thread }
    }

    /// Follows the gates' logs on this node, too.
    pub(crate) fn follow(&self, node: &Node) {
        lock(&self.shared.nodes).push((node.name().to_owned(), node.files()));
    }

    /// What the gates have written of a request that they refused or that broke off.
    pub(crate) fn refused(&self, target: &str) -> Vec<String> {
        let target = format!("\"target\":\"{target}\"");
        lock(&self.shared.refused).iter().filter(|line| line.contains(&target)).cloned().collect()
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn follow_until_over(&self) {
        let mut all = BTreeMap::new();
        while !self.is_over.load(Ordering::Relaxed) {
            for (node, files) in lock(&self.nodes).clone() {
                for path in logs_in(&files) {
                    let opened = || Some(Followed::new(&node, File::open(&path).ok()?));
                    if !all.contains_key(&path)
                        && let Some(followed) = opened()
                    {
                        all.insert(path, followed);
                    }
                }
            }
            // One that has no name any more may still have something to say.
            all.values_mut().for_each(|followed: &mut Followed| followed.read(|line| self.note(line)));
            all.retain(|path, _| path.exists());
            thread::sleep(LOOK_INTERVAL);
        }
    }

    fn note(&self, line: String) {
        let mut refused = lock(&self.refused);
        if refused.len() < LINES_MAX {
            refused.push_back(line);
        }
    }
}

impl Followed {
    fn new(node: &str, file: File) -> Self {
        Self { node: node.to_owned(), file, rest: Vec::new() }
    }

    /// Notes the lines about refusals that were written since.
    fn read(&mut self, mut note: impl FnMut(String)) {
        // What cannot be read now is read the next time, or is gone with its node.
        let _ = self.file.read_to_end(&mut self.rest);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return };
        let lines: Vec<u8> = self.rest.drain(..=end).collect();
        for line in String::from_utf8_lossy(&lines).lines().filter(|line| line.contains(REFUSED)) {
            // Before the object stand the runtime's own time, the name of the stream and a tag.
            let object = line.find('{').map_or(line, |start| &line[start..]);
            note(format!("{}: {object}", self.node));
        }
    }
}

/// The logs of all containers of our pods that are there now.
fn logs_in(files: &Path) -> Vec<PathBuf> {
    let pods = entries(&files.join(PODS))
        .into_iter()
        .filter(|pod| pod.file_name().is_some_and(|name| name.to_string_lossy().starts_with(OURS)));
    pods.flat_map(|pod| entries(&pod)).flat_map(|container| entries(&container)).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here panics half-way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn lines_of_refusals_are_found_when_they_are_whole() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut followed = Followed::new("node-1", file.reopen().unwrap());
        let mut lines = Vec::new();
        file.write_all(b"2026-11-28T09:00:00Z stdout F {\"target\":\"/a\",\"status\":200}\n2026 stdout F {\"target\":\"/b\",")
            .unwrap();
        followed.read(|line| lines.push(line));
        assert!(lines.is_empty(), "{lines:?}");
        file.write_all(b"\"error\":\"connect\"}\n").unwrap();
        followed.read(|line| lines.push(line));
        assert_eq!(lines, ["node-1: {\"target\":\"/b\",\"error\":\"connect\"}"]);
    }
}
