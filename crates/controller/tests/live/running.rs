//! A controller that runs on a folder of its own, and what it has published.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use compile::Settings;
use controller::{ControllerConfig, Live, Source, run};
use lifecycle::drain::drain;
use model::{Get, Problem, RequestHost, RequestPath, RouteTable};
use tempfile::TempDir;
use test_support::wait::until;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) struct Running {
    /// Holds the folder of manifests, `manifests`.
    pub(crate) dir: TempDir,
    pub(crate) live: Live,
    controller: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.controller.abort();
    }
}

/// What is live at one moment.
pub(crate) struct Now {
    pub(crate) table: Arc<RouteTable>,
    pub(crate) problems: Arc<Vec<Problem>>,
}

/// Runs on a folder with these files, and waits until it is read.
pub(crate) async fn start(files: &[(&str, &str)]) -> Running {
    let dir = tempfile::tempdir().expect("a folder");
    let manifests = dir.path().join("manifests");
    fs::create_dir(&manifests).expect("the folder of manifests");
    for (path, text) in files {
        write(&manifests, path, text);
    }
    start_with(dir, ControllerConfig::new(Source::Folder(manifests), Settings::default())).await
}

pub(crate) async fn start_with(dir: TempDir, config: ControllerConfig) -> Running {
    let (live, (synced, read)) = (Live::default(), oneshot::channel());
    let publish = live.clone();
    let controller = tokio::spawn(async move {
        let (_serving, watch) = drain();
        let ended = run(config, publish, watch, || synced.send(()).expect("the test waits")).await;
        panic!("the controller ended: {ended:?}");
    });
    read.await.expect("the folder is read");
    Running { dir, live, controller }
}

impl Running {
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join("manifests").join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        write(&self.dir.path().join("manifests"), path, text);
    }

    pub(crate) fn now(&self) -> Now {
        Now { table: self.live.routes.load(), problems: self.live.problems.load() }
    }

    /// Waits until `condition` holds for what is live.
    pub(crate) async fn until(&self, mut condition: impl FnMut(&Now) -> bool) {
        let holds = until(|| condition(&self.now())).await;
        holds.unwrap_or_else(|late| panic!("{late}; problems: {:#?}", self.now().told()));
    }
}

impl Now {
    pub(crate) fn serves(&self, host: &str) -> bool {
        let (host, path) =
            (RequestHost::parse(host).expect("a host"), RequestPath::parse("/").expect("a path"));
        self.table.find(&Get { host: Some(&host), path: &path }).is_some()
    }

    pub(crate) fn has_problem(&self, reason: &str) -> bool {
        self.problems.iter().any(|problem| problem.reason == reason)
    }

    pub(crate) fn told(&self) -> Vec<String> {
        self.problems.iter().map(ToString::to_string).collect()
    }
}

fn write(manifests: &Path, path: &str, text: &str) {
    let path = manifests.join(path);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a sub-folder");
    fs::write(path, text).expect("a file");
}

pub(crate) fn ingress(name: &str, host: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}, namespace: shop}}
spec:
  ingressClassName: sluicegate
  rules:
  - host: {host}
    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}]}}
"
    )
}
