//! What the controller counts.

mod secrets;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use compile::ObjectKey;

pub(crate) use secrets::{SecretStats, WatchedSecret};

use crate::report::ReportMetrics;

/// Counts since the start, shared by all parts of the controller and read by scrapes.
#[derive(Debug, Default)]
pub struct Stats {
    full: Compiles,
    backends: Compiles,
    watch_errors: Mutex<BTreeMap<&'static str, u64>>,
    /// When each certificate ends.
    certificates: Mutex<Vec<(ObjectKey, SystemTime)>>,
    secrets: Arc<SecretStats>,
    pub(crate) report: Arc<ReportMetrics>,
}

#[derive(Debug, Default)]
struct Compiles {
    count: AtomicU64,
    micros: AtomicU64,
}

impl Compiles {
    fn add(&self, took: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn write(&self, of: &'static str, out: &mut String) {
        const NAME: &str = "sluicegate_compile_duration_seconds";
        let seconds = Duration::from_micros(self.micros.load(Ordering::Relaxed)).as_secs_f64();
        let count = self.count.load(Ordering::Relaxed);
        let _ = writeln!(out, "{NAME}_sum{{of=\"{of}\"}} {seconds}\n{NAME}_count{{of=\"{of}\"}} {count}");
    }
}

impl Stats {
    /// All was compiled.
    pub(crate) fn compiled_all(&self, took: Duration) {
        self.full.add(took);
    }

    /// Only the backends whose endpoints had changed were.
    pub(crate) fn compiled_backends(&self, took: Duration) {
        self.backends.add(took);
    }

    /// A watch of this kind failed and will be tried again.
    pub(crate) fn watch_errors(&self, kind: &'static str) {
        let mut errors = self.watch_errors.lock().unwrap_or_else(PoisonError::into_inner);
        *errors.entry(kind).or_default() += 1;
    }

    /// These Secrets have a certificate that is in use, or could be.
    pub(crate) fn certificates(&self, ends: Vec<(ObjectKey, SystemTime)>) {
        *self.certificates.lock().unwrap_or_else(PoisonError::into_inner) = ends;
    }

    /// What is counted of Secrets that are asked for by name.
    pub(crate) fn secrets(&self) -> Arc<SecretStats> {
        Arc::clone(&self.secrets)
    }

    /// Sets the metrics of the recorder that is current. The labels are closed sets, but for the names of the Secrets
    /// that Ingresses name now.
    pub fn export(&self) {
        for (kind, errors) in self.watch_errors.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            metrics::counter!("sluicegate_watch_errors_total", "kind" => *kind).absolute(*errors);
        }
        for (secret, end) in self.certificates.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let seconds = end.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
            let (namespace, name) = (secret.namespace.clone(), secret.name.clone());
            metrics::gauge!("sluicegate_certificate_expiry_timestamp_seconds", "namespace" => namespace, "name" => name)
                .set(seconds);
        }
        self.secrets.export();
        self.report.export();
    }

    /// What the recorder has no kind for, in Prometheus' text format: counters of seconds.
    pub fn text(&self) -> String {
        let mut out = String::from("# TYPE sluicegate_compile_duration_seconds summary\n");
        self.full.write("all", &mut out);
        self.backends.write("backends", &mut out);
        out
    }
}
