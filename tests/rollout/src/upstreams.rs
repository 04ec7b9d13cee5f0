//! The Deployments behind the gate, which are rolled all the time.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use control_plane::{Binaries, ControlPlane};
use nodes::POD_IMAGE;

/// One Deployment, Service and host each.
const NAMES: [&str; 2] = ["web", "api"];

/// What clients ask for.
pub(crate) const HOSTS: [&str; 2] = ["web.rollout.test", "api.rollout.test"];

/// Between the end of one rollout of a Deployment and the beginning of the next.
const PAUSE: Duration = Duration::from_secs(5);

/// A kubectl for any thread.
#[derive(Clone)]
pub(crate) struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    pub(crate) fn new(binaries: &Binaries, plane: &ControlPlane) -> Self {
        Self { program: binaries.folder().join("kubectl"), kubeconfig: plane.kubeconfig().to_owned() }
    }

    /// Runs it to its end and returns what it has printed.
    pub(crate) fn run(&self, args: &[&str]) -> Result<String> {
        let mut kubectl = Command::new(&self.program);
        kubectl.env("KUBECONFIG", &self.kubeconfig).env("KUBERC", "off").args(args).stdin(Stdio::null());
        // Ctrl-C is for us; what was begun is ended.
        std::os::unix::process::CommandExt::process_group(&mut kubectl, 0);
        let output = kubectl.output().context("could not start kubectl")?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`kubectl {}` failed: {}", args.join(" "), stderr.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Deployments, Services and an Ingress. A pod ignores SIGTERM and serves until its grace period is over.
pub(crate) fn manifests() -> String {
    let each = NAMES.iter().zip(HOSTS).map(|(name, host)| {
        format!(
            "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: 3
  strategy: {{rollingUpdate: {{maxSurge: 1, maxUnavailable: 0}}}}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 8
      containers:
      - name: {name}
        image: {POD_IMAGE}
        imagePullPolicy: Never
        args: [serve, '8080']
        readinessProbe: {{tcpSocket: {{port: 8080}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}}}
spec:
  ingressClassName: sluicegate
  rules:
  - host: {host}
    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: {name}, port: {{number: 80}}}}}}}}]}}
"
        )
    });
    each.collect::<Vec<_>>().join("---")
}

/// Waits until all of them run.
pub(crate) fn wait(kubectl: &Kubectl) -> Result<()> {
    NAMES.iter().try_for_each(|name| wait_for(kubectl, name))
}

fn wait_for(kubectl: &Kubectl, name: &str) -> Result<()> {
    kubectl.run(&["rollout", "status", &format!("deployment/{name}"), "--timeout=180s"]).map(drop)
}

/// Rolls one Deployment after the other until it is dropped.
pub(crate) struct Churn {
    is_over: Arc<AtomicBool>,
    rolled: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Churn {
    pub(crate) fn start(kubectl: Kubectl) -> Self {
        let (is_over, rolled) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (told, counted) = (is_over.clone(), rolled.clone());
        let thread = thread::spawn(move || {
            for name in NAMES.iter().cycle().take_while(|_| !told.load(Ordering::Relaxed)) {
                let restarted = kubectl.run(&["rollout", "restart", &format!("deployment/{name}")]);
                // While a node goes away it may take longer than one waits for it.
                match restarted.and_then(|_| wait_for(&kubectl, name)) {
                    Ok(()) => drop(counted.fetch_add(1, Ordering::Relaxed)),
                    Err(why) => eprintln!("note: {why:#}"),
                }
                thread::park_timeout(PAUSE);
            }
        });
        Self { is_over, rolled, thread: Some(thread) }
    }

    /// Rollouts so far.
    pub(crate) fn rolled(&self) -> u64 {
        self.rolled.load(Ordering::Relaxed)
    }
}

impl Drop for Churn {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}
