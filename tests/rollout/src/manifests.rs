//! What is applied: `deploy/base` as it is, or with shorter times and nothing else changed.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::options::Options;

/// Times with which a node is gone within a minute. The latter two are no shorter than a machine may stand still that
/// has more to do than this; they cost nothing, since a drain is over when the last client has left.
const SHORT: [(&str, &str); 3] = [
    ("SLUICEGATE_LAME_DUCK_TIME", "10s"),
    ("SLUICEGATE_IDLE_TIMEOUT", "40s"),
    ("SLUICEGATE_MAX_REQUEST_TIME", "60s"),
];

/// The second of them.
const SHORT_IDLE: u64 = 40;

/// Longer than a process takes to its hard stop: 2 × 10 + 40 + 60 seconds, and 10 more.
const SHORT_GRACE: u64 = 130;

/// The idle timeout as it is shipped.
const SHIPPED_IDLE: u64 = 75;

/// The hard stop with the times as they are shipped: 2 × 30 + 75 + 300 seconds, and 10 more.
const SHIPPED_GRACE: u64 = 445;

/// A folder for `kubectl apply -k`.
pub(crate) struct Manifests {
    folder: PathBuf,
    _own: Option<TempDir>,
}

impl Manifests {
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let base = options.manifests.canonicalize();
        let base = base.with_context(|| format!("no manifests in {}", options.manifests.display()))?;
        if options.shipped_times {
            return Ok(Self { folder: base, _own: None });
        }
        let own = TempDir::new()?;
        let folder = own.path().canonicalize()?;
        fs::write(folder.join("kustomization.yaml"), with_short_times(&relative(&folder, &base)))?;
        Ok(Self { folder, _own: Some(own) })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// How long a process may take to leave at the most.
pub(crate) fn longest_leave(options: &Options) -> Duration {
    Duration::from_secs(if options.shipped_times { SHIPPED_GRACE } else { SHORT_GRACE })
}

/// How long a client may be silent at the most.
pub(crate) fn idle_timeout(options: &Options) -> Duration {
    Duration::from_secs(if options.shipped_times { SHIPPED_IDLE } else { SHORT_IDLE })
}

fn with_short_times(base: &Path) -> String {
    let variables = SHORT.map(|(name, value)| format!("{{name: {name}, value: {value}}}")).join(", ");
    format!(
        "resources: ['{}']
patches:
- patch: |
    apiVersion: apps/v1
    kind: DaemonSet
    metadata: {{name: sluicegate, namespace: sluicegate}}
    spec:
      template:
        spec:
          terminationGracePeriodSeconds: {SHORT_GRACE}
          containers:
          - name: sluicegate
            env: [{variables}]
",
        base.display()
    )
}

/// kustomize takes no absolute path.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let up = from.components().filter(|part| matches!(part, Component::Normal(_))).map(|_| "..");
    up.collect::<PathBuf>().join(to.strip_prefix("/").unwrap_or(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_named_from_the_folder_that_uses_it() {
        let path = relative(Path::new("/tmp/abc"), Path::new("/src/deploy/base"));
        assert_eq!(path, Path::new("../../src/deploy/base"));
    }
}
