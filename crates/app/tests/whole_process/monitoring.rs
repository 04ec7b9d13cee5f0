//! `/metrics`, the alerts and the dashboard, as a real Prometheus reads them; and the live page, as a browser shows it.

mod page;
mod prometheus;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Client, Folder, Gate, Issued, Upstream, eventually, ingress, service, slice};

use self::prometheus::{Prometheus, program};

const HOST: &str = "web.test";

/// A gate that has had traffic of all sorts: answered, refused, over TLS, with a problem.
fn busy_gate() -> (Gate, Upstream, Folder) {
    let (upstream, host) = (Upstream::start("web"), Issued::to(HOST));
    let with_tls = ingress("web", HOST, "/", "web").replace("rules:", "tls: [{ secretName: web }]\n  rules:");
    let folder = Folder::new(&[
        ("web.yaml", [with_tls, service("web"), slice("web", upstream.address, true)].join("---\n")),
        ("secret.yaml", host.secret("web, namespace: shop")),
        ("bad.yaml", ingress("bad", "bad host", "/", "web")),
    ]);
    let gate = Gate::start(&folder, &["--https", "127.0.0.1:0"]);
    host.comes_to_be_served(gate.https());
    ask(&gate);
    (gate, upstream, folder)
}

fn ask(gate: &Gate) {
    let mut client = Client::connect(gate.http);
    for (host, status) in [(HOST, 200), (HOST, 200), ("other.test", 404)] {
        assert_eq!(client.get(host, "/").status, status);
    }
}

fn monitoring(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/monitoring").join(file)
}

#[test]
fn promtool_has_nothing_to_say_of_the_metrics_and_each_has_a_help_text() {
    let (gate, _upstream, _folder) = busy_gate();
    let (_, metrics) = gate.page("/metrics");
    let mut check = Command::new(program("promtool"));
    check.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut check = check.spawn().unwrap();
    std::io::Write::write_all(&mut check.stdin.take().unwrap(), metrics.as_bytes()).unwrap();
    let said = check.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&said.stderr).into_owned() + &String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success() && words.is_empty(), "{words}");
    for line in metrics.lines().filter(|line| line.starts_with("# TYPE ")) {
        let name = line.split(' ').nth(2).unwrap();
        assert!(metrics.contains(&format!("# HELP {name} ")), "{name} has no row in metrics/families.rs");
    }
}

#[test]
fn each_alert_fires_and_is_over_when_its_cause_is_and_its_runbook_is_there() {
    for what in [["check", "rules"], ["test", "rules"]] {
        let file = if what[0] == "check" { "rules.yaml" } else { "rules.test.yaml" };
        let mut command = Command::new(program("promtool"));
        let said = crate::support::output(command.args(what).arg(monitoring(file)));
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    }
    let rules = std::fs::read_to_string(monitoring("rules.yaml")).unwrap();
    let tests = std::fs::read_to_string(monitoring("rules.test.yaml")).unwrap();
    let runbook = std::fs::read_to_string(monitoring("../README.md")).unwrap();
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(
            runbook.contains(&format!("### {alert}\n")),
            "deploy/README.md does not say what to do on {alert}"
        );
        let tried = tests.lines().filter(|line| line.contains(&format!("alertname: {alert}"))).count();
        assert!(tried >= 3, "rules.test.yaml does not try {alert} before, while and after");
    }
}

#[test]
fn each_query_of_the_dashboard_has_an_answer() {
    let (gate, _upstream, _folder) = busy_gate();
    let prometheus = Prometheus::start(gate.admin);
    let dashboard: Value =
        serde_json::from_str(&std::fs::read_to_string(monitoring("dashboard.json")).unwrap()).unwrap();
    let targets = dashboard["panels"].as_array().unwrap().iter();
    let targets = targets.flat_map(|panel| panel["targets"].as_array().unwrap());
    let queries: Vec<&str> = targets.map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(queries.len() > 20);
    for query in queries {
        let query = query.replace("$instance", ".*").replace("$__rate_interval", "10s");
        eventually(&query, || {
            ask(&gate);
            // What only a fault has is not there without one.
            let may_be_empty = query.contains("5xx");
            let (error, answers) = prometheus.ask(&query);
            assert_eq!(error, None, "{query}");
            (answers > 0 || may_be_empty).then_some(())
        });
    }
}
