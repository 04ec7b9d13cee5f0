//! `/metrics`: what the workers count, and what is live. What each name means is said in [`families`].

#[cfg(feature = "aws")]
mod dns;
mod families;
#[cfg(feature = "aws")]
mod frontend;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use controller::{Live, Node};
use lifecycle::Watch;
use metrics_exporter_prometheus::PrometheusBuilder;
use model::{Problem, Published, RouteTable};

/// What a scrape reads.
#[derive(Clone)]
pub(crate) struct Metrics {
    live: Live,
    ports: Published<Vec<Problem>>,
    drain: Watch,
    proxy: Arc<OnceLock<proxy::Metrics>>,
    #[cfg(feature = "aws")]
    dns: Option<Published<aws::dns::keeper::State>>,
    #[cfg(feature = "aws")]
    frontend: Option<Published<aws::frontend::State>>,
}

impl Metrics {
    pub(crate) fn new(
        live: Live,
        ports: Published<Vec<Problem>>,
        drain: Watch,
        proxy: Arc<OnceLock<proxy::Metrics>>,
    ) -> Metrics {
        Metrics {
            live,
            ports,
            drain,
            proxy,
            #[cfg(feature = "aws")]
            dns: None,
            #[cfg(feature = "aws")]
            frontend: None,
        }
    }

    /// With the load balancers in front of this node.
    #[cfg(feature = "aws")]
    pub(crate) fn with_frontend(self, frontend: Option<Published<aws::frontend::State>>) -> Metrics {
        Metrics { frontend, ..self }
    }

    /// With the DNS records of what is served.
    #[cfg(feature = "aws")]
    pub(crate) fn with_dns(self, dns: Option<Published<aws::dns::keeper::State>>) -> Metrics {
        Metrics { dns, ..self }
    }

    /// Everything in Prometheus' text format. Each scrape has a recorder of its own: what is gone from the table is
    /// then gone from the scrape, and no label outlives what it names.
    pub(crate) fn render(&self) -> String {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            metrics::gauge!("sluicegate_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
            metrics::gauge!("sluicegate_phase", "phase" => self.drain.phase().as_str()).set(1.0);
            export_table(&self.live.routes.load());
            export_problems(self.live.problems.load().iter().chain(&*self.ports.load()));
            export_node(self.live.node.load().as_ref().as_ref());
            self.live.stats.export();
            #[cfg(feature = "aws")]
            if let Some(live) = &self.dns {
                dns::export(&live.load());
            }
            #[cfg(feature = "aws")]
            if let Some(live) = &self.frontend {
                frontend::export(&live.load());
            }
            if let Some(proxy) = self.proxy.get() {
                proxy.export();
            }
        });
        let mut text = handle.render();
        text.push_str(&self.live.stats.text());
        text.push_str(&self.proxy.get().map(proxy::Metrics::text).unwrap_or_default());
        families::with_help(&text)
    }
}

fn export_table(table: &RouteTable) {
    metrics::gauge!("sluicegate_generation").set(number(table.generation));
    metrics::gauge!("sluicegate_routes").set(count(table.routes().len()));
    metrics::gauge!("sluicegate_route_conflicts").set(count(table.conflicts().len()));
    metrics::gauge!("sluicegate_tcp_services").set(count(table.tcp_services().len()));
    metrics::gauge!("sluicegate_backends").set(count(table.backends().len()));
    let usable = table.backends().iter().map(|backend| backend.usable().len()).sum();
    let all: usize = table.backends().iter().map(|backend| backend.endpoints().len()).sum();
    metrics::gauge!("sluicegate_endpoints", "usable" => "true").set(count(usable));
    metrics::gauge!("sluicegate_endpoints", "usable" => "false").set(count(all - usable));
}

/// Reasons are a closed set, so the labels are bounded.
fn export_problems<'a>(problems: impl Iterator<Item = &'a Problem>) {
    let mut sums = BTreeMap::new();
    for problem in problems {
        *sums.entry((problem.severity.as_str(), problem.reason)).or_insert(0_usize) += 1;
    }
    for ((severity, reason), sum) in sums {
        metrics::gauge!("sluicegate_problems", "severity" => severity, "reason" => reason).set(count(sum));
    }
}

/// Whether the cluster is about to take this node away. A node has few taints, and each is its operator's word.
fn export_node(node: Option<&Node>) {
    let Some(node) = node else { return };
    metrics::gauge!("sluicegate_node_unschedulable").set(f64::from(u8::from(node.unschedulable)));
    for taint in &node.taints {
        metrics::gauge!("sluicegate_node_taint", "taint" => taint.clone()).set(1.0);
    }
}

fn count(things: usize) -> f64 {
    number(things as u64)
}

#[expect(clippy::cast_precision_loss, reason = "what is counted here stays far below 2^52")]
fn number(value: u64) -> f64 {
    value as f64
}
