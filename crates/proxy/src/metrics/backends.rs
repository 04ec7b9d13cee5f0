//! What is counted for each backend, in series that are bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::BackendKey;

use super::durations::{Durations, Sum};
use super::{CLASSES, Cell, Cells, class};

/// Backends that have series of their own: with 24 series each they are what a Prometheus server takes from one target
/// without complaint. Those above are counted together, as [`OTHER`]. Who was named first keeps its series as long as it is
/// in the table: a counter that changed its meaning would be read as a restart.
const NAMED_MAX: usize = 500;
/// What stands for all that have no series of their own: no name of Kubernetes has a bracket.
const OTHER: &str = "(other)";

/// What one worker counts for one backend.
#[derive(Debug)]
pub(crate) struct BackendCells {
    pub(crate) key: BackendKey,
    pub(crate) in_flight: Cell,
    responses: [Cell; CLASSES.len()],
    durations: Durations,
}

impl BackendCells {
    pub(super) fn new(key: &BackendKey) -> BackendCells {
        BackendCells {
            key: key.clone(),
            in_flight: Cell::default(),
            responses: Default::default(),
            durations: Durations::default(),
        }
    }

    pub(crate) fn record(&self, status: u16, took: Duration) {
        self.responses[class(status)].add(1);
        self.durations.add(took);
    }
}

/// One port of one Service, however it is spoken to.
type Name = (String, String, String);

/// Which backends have series of their own.
#[derive(Debug, Default)]
pub(super) struct Named(Mutex<BTreeSet<Name>>);

#[derive(Debug, Default)]
struct Totals {
    in_flight: u64,
    responses: [u64; CLASSES.len()],
    durations: Sum,
}

impl Totals {
    fn add(&mut self, one: &BackendCells) {
        self.in_flight = self.in_flight.wrapping_add(one.in_flight.get());
        self.responses.iter_mut().zip(&one.responses).for_each(|(sum, cell)| *sum += cell.get());
        self.durations.add(&one.durations);
    }
}

impl Named {
    /// Writes all, in Prometheus' text format.
    pub(super) fn write(&self, workers: &[Arc<Cells>], out: &mut String) {
        let totals = self.totals(workers);
        let labels: Vec<(String, Totals)> =
            totals.into_iter().map(|(name, totals)| (labels(&name), totals)).collect();
        let _ = writeln!(out, "# TYPE sluicegate_backend_requests_in_flight gauge");
        for (labels, totals) in &labels {
            let _ = writeln!(out, "sluicegate_backend_requests_in_flight{{{labels}}} {}", totals.in_flight);
        }
        let _ = writeln!(out, "# TYPE sluicegate_backend_responses_total counter");
        for (labels, totals) in &labels {
            for (class, value) in CLASSES.iter().zip(totals.responses).filter(|(_, value)| *value > 0) {
                let _ =
                    writeln!(out, "sluicegate_backend_responses_total{{{labels},class=\"{class}\"}} {value}");
            }
        }
        let _ = writeln!(out, "# TYPE sluicegate_backend_request_duration_seconds histogram");
        for (labels, totals) in &labels {
            totals.durations.write(out, "sluicegate_backend_request_duration_seconds", labels);
        }
    }

    fn totals(&self, workers: &[Arc<Cells>]) -> BTreeMap<Name, Totals> {
        let backends: Vec<Arc<BackendCells>> = workers.iter().flat_map(|cells| cells.backends()).collect();
        let mut named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let present: BTreeSet<Name> = backends.iter().map(|backend| name(&backend.key)).collect();
        named.retain(|name| present.contains(name));
        for name in present {
            if named.len() < NAMED_MAX {
                named.insert(name);
            }
        }
        let mut totals = BTreeMap::<Name, Totals>::new();
        for backend in backends {
            let name = Some(name(&backend.key)).filter(|name| named.contains(name));
            totals.entry(name.unwrap_or_else(other)).or_default().add(&backend);
        }
        totals
    }
}

fn name(key: &BackendKey) -> Name {
    (key.namespace.to_string(), key.service.to_string(), key.port.to_string())
}

fn other() -> Name {
    (OTHER.to_owned(), OTHER.to_owned(), OTHER.to_owned())
}

fn labels((namespace, service, port): &Name) -> String {
    let [namespace, service, port] = [namespace, service, port].map(|value| escape(value));
    format!("namespace=\"{namespace}\",service=\"{service}\",port=\"{port}\"")
}

/// A label value in Prometheus' text format. Names come from manifests, which are not validated.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(service: &str) -> BackendKey {
        BackendKey {
            namespace: "shop".into(),
            service: service.into(),
            port: "80".into(),
            transport: Arc::default(),
        }
    }

    fn text(named: &Named, cells: &Arc<Cells>) -> String {
        let mut text = String::new();
        named.write(&[Arc::clone(cells)], &mut text);
        text
    }

    #[test]
    fn a_backend_that_is_gone_leaves_the_scrape() {
        let (cells, named) = (Arc::new(Cells::default()), Named::default());
        let backend = cells.backend(&key("we\"b"));
        backend.record(200, Duration::from_millis(3));
        let whole = text(&named, &cells);
        assert!(whole.contains("service=\"we\\\"b\",port=\"80\",class=\"2xx\"} 1"), "{whole}");
        assert!(
            whole.contains("port=\"80\",le=\"0.0025\"} 0\n") && whole.contains("le=\"0.005\"} 1\n"),
            "{whole}"
        );
        cells.forget(&backend);
        assert!(!text(&named, &cells).contains("namespace="));
    }

    #[test]
    fn backends_above_the_limit_are_counted_together_and_those_that_were_first_keep_their_series() {
        let (cells, named) = (Arc::new(Cells::default()), Named::default());
        let all: Vec<_> =
            (0..NAMED_MAX + 2).map(|number| cells.backend(&key(&format!("web-{number:04}")))).collect();
        all.iter().for_each(|backend| backend.record(200, Duration::ZERO));
        let whole = text(&named, &cells);
        assert!(whole.contains("service=\"(other)\",port=\"(other)\",class=\"2xx\"} 2\n"), "{whole}");
        // One whose name comes before all others has come last.
        let late = cells.backend(&key("a"));
        late.record(200, Duration::ZERO);
        let whole = text(&named, &cells);
        assert!(whole.contains("class=\"2xx\"} 3\n") && whole.contains("service=\"web-0000\""), "{whole}");
        assert!(!whole.contains("service=\"a\""), "{whole}");
    }
}
