//! What `/metrics` has: one row for each name, with its kind and what it means. The help texts of a scrape and the page
//! `deploy/metrics.md` are made of it.

/// All series of one name.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    /// Its labels.
    #[cfg_attr(not(test), expect(dead_code, reason = "the page says it, which a test writes"))]
    pub(crate) labels: &'static str,
    pub(crate) help: &'static str,
}

const fn family(name: &'static str, kind: &'static str, labels: &'static str, help: &'static str) -> Family {
    Family { name, kind, labels, help }
}

/// Of a backend: at most 500 of them, the others together as `(other)`.
const BACKEND: &str = "namespace, service, port";

/// In the order of the alphabet.
#[rustfmt::skip]
pub(crate) const FAMILIES: &[Family] = &[
    family("sluicegate_access_log_lines_dropped_total", "counter", "",
        "Lines of the access log that were dropped because what takes them was too slow."),
    family("sluicegate_backend_request_duration_seconds", "histogram", BACKEND,
        "Time from the head of a request to the last byte of its answer, by backend."),
    family("sluicegate_backend_requests_in_flight", "gauge", BACKEND,
        "Requests that a backend has not answered to the end yet, tunnels among them."),
    family("sluicegate_backend_responses_total", "counter", "namespace, service, port, class",
        "Answers to clients, by backend and class of status."),
    family("sluicegate_backends", "gauge", "",
        "Backends of the route table."),
    family("sluicegate_build_info", "gauge", "version",
        "1, with the version of the program."),
    family("sluicegate_certificate_expiry_timestamp_seconds", "gauge", "namespace, name",
        "When the certificate of a Secret ends, in seconds since 1970."),
    family("sluicegate_cluster_writes_total", "counter", "what, outcome",
        "Statuses and Events that were written into the cluster, or could not be."),
    family("sluicegate_compile_duration_seconds", "summary", "of",
        "Time that compiling took: of all, or of the backends whose endpoints had changed."),
    family("sluicegate_connections_accepted_total", "counter", "",
        "Connections of clients that were accepted."),
    family("sluicegate_connections_open", "gauge", "",
        "Connections of clients that are open."),
    family("sluicegate_connections_parked", "gauge", "",
        "Those of them that are idle and keep no buffers."),
    family("sluicegate_connections_passed_total", "counter", "",
        "Connections that were passed on as they are, of TCP services or in TLS of the client's, and have ended."),
    family("sluicegate_dns_changes_total", "counter", "outcome",
        "Changes of DNS records that this process made, or that Route 53 refused."),
    family("sluicegate_dns_cycles_failed_total", "counter", "",
        "Times that not all DNS records could be looked at or written."),
    family("sluicegate_dns_last_look_timestamp_seconds", "gauge", "",
        "When all DNS records were last looked at, in seconds since 1970."),
    family("sluicegate_dns_names", "gauge", "state",
        "Names with DNS records: ours, in place (as they should be), or held back (a change that is not made)."),
    family("sluicegate_dns_problems", "gauge", "reason",
        "What is wrong with DNS records, by reason."),
    family("sluicegate_endpoints", "gauge", "usable",
        "Endpoints of the route table, by whether they may get requests."),
    family("sluicegate_generation", "gauge", "",
        "Number of the route table that is live; it rises with each publication."),
    family("sluicegate_late_request_bytes_total", "counter", "",
        "Bytes of requests that came after their connection was to be closed, and were not answered."),
    family("sluicegate_leader", "gauge", "",
        "1 if this process holds the Lease, and writes into the cluster."),
    family("sluicegate_load_balancer_deregistrations_total", "counter", "",
        "Registrations of this node at load balancers of AWS that this process took back."),
    family("sluicegate_load_balancer_failures_total", "counter", "reason",
        "Calls of AWS for load balancers that failed."),
    family("sluicegate_load_balancer_registrations_total", "counter", "",
        "Registrations of this node at load balancers of AWS that this process made."),
    family("sluicegate_load_balancer_state", "gauge", "kind, name, scheme, state",
        "1 for what AWS says of this node at each load balancer: in service, registering, unhealthy, deregistering, not registered or unknown."),
    family("sluicegate_load_balancers_reachable", "gauge", "",
        "1 if AWS answered all that it was asked of load balancers the last time."),
    family("sluicegate_node_taint", "gauge", "taint",
        "1 for each taint of this node."),
    family("sluicegate_node_unschedulable", "gauge", "",
        "1 if this node is cordoned."),
    family("sluicegate_phase", "gauge", "phase",
        "1 for the phase that the process is in: serving, lame duck, draining, handed over or stopping."),
    family("sluicegate_problems", "gauge", "severity, reason",
        "Problems of the objects that were read; /problems has them."),
    family("sluicegate_received_bytes_total", "counter", "",
        "Bytes that came from clients, TLS among them."),
    family("sluicegate_refusals_total", "counter", "reason",
        "Requests that were answered by the proxy itself, or broke off, and why."),
    family("sluicegate_request_duration_seconds", "histogram", "",
        "Time from the head of a request to the last byte of its answer."),
    family("sluicegate_requests_in_flight", "gauge", "",
        "Requests that are not answered to the end yet, tunnels among them."),
    family("sluicegate_responses_total", "counter", "class",
        "Answers to clients, by class of status."),
    family("sluicegate_retries_total", "counter", "",
        "Attempts at endpoints beyond the first one of a request."),
    family("sluicegate_route_conflicts", "gauge", "",
        "Rules that another one of the same host and path has won over."),
    family("sluicegate_routes", "gauge", "",
        "Routes of the route table."),
    family("sluicegate_secret_reads_total", "counter", "result",
        "Reads of Secrets by their names."),
    family("sluicegate_secrets", "gauge", "followed_by",
        "Secrets that Ingresses name, by how they are followed."),
    family("sluicegate_sent_bytes_total", "counter", "",
        "Bytes that went to clients, TLS among them."),
    family("sluicegate_tcp_services", "gauge", "",
        "Ports of the route table that are passed on."),
    family("sluicegate_tls_handshakes_failed_total", "counter", "",
        "TLS handshakes of clients that came to nothing."),
    family("sluicegate_tls_handshakes_total", "counter", "",
        "TLS handshakes of clients that were completed."),
    family("sluicegate_upstream_connect_failures_total", "counter", "",
        "Connections to endpoints that could not be opened."),
    family("sluicegate_upstream_connects_total", "counter", "",
        "Connections to endpoints that were opened."),
    family("sluicegate_upstream_reuses_total", "counter", "",
        "Requests that were sent on a connection that had carried another one."),
    family("sluicegate_watch_errors_total", "counter", "kind",
        "Watches of the cluster that failed and were begun again."),
];

/// Says of each name what it means.
pub(super) fn with_help(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + FAMILIES.len() * 128);
    for line in text.lines().filter(|line| !line.is_empty()) {
        let named = line.strip_prefix("# TYPE ").and_then(|rest| rest.split(' ').next());
        if let Some(family) = named.and_then(|name| FAMILIES.iter().find(|family| family.name == name)) {
            out.extend(["# HELP ", family.name, " ", family.help, "\n"]);
            out.extend(["# TYPE ", family.name, " ", family.kind, "\n"]);
        } else {
            out.extend([line, "\n"]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_help_of_a_name_stands_before_its_type() {
        let text =
            with_help("# TYPE sluicegate_routes gauge\nsluicegate_routes 3\n\n# TYPE new gauge\nnew 1\n");
        let help = "# HELP sluicegate_routes Routes of the route table.\n";
        assert_eq!(
            text,
            format!("{help}# TYPE sluicegate_routes gauge\nsluicegate_routes 3\n# TYPE new gauge\nnew 1\n")
        );
    }

    /// `UPDATE_GOLDEN=1 cargo test --workspace --lib families` writes it anew.
    #[test]
    fn the_page_for_operators_has_every_family() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/metrics.md");
        let mut page = String::from(
            "# Metrics\n\n`/metrics` of `--admin`, in Prometheus' text format. Made of `crates/app/src/metrics/families.rs`; a test compares the two.\n\n\
             | name | kind | labels | what |\n|---|---|---|---|\n",
        );
        for Family { name, kind, labels, help } in FAMILIES {
            page.push_str(&format!("| `{name}` | {kind} | {labels} | {help} |\n"));
        }
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &page).expect("the page can be written");
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == page, "deploy/metrics.md is old; write it anew with UPDATE_GOLDEN=1");
        assert!(FAMILIES.is_sorted_by_key(|family| family.name));
    }
}
