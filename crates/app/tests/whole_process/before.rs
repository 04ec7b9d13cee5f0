//! `sluicegate lint` and `sluicegate diff`.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Cluster, Folder, ingress, output, program};

/// An Ingress of class nginx with an annotation of ingress-nginx'.
fn of_nginx(annotation: &str) -> String {
    ingress("web", "a.example.com", "/", "web")
        .replace("ingressClassName: sluicegate", "ingressClassName: nginx")
        .replace(
            "metadata: { ",
            &format!("metadata: {{ annotations: {{ nginx.ingress.kubernetes.io/{annotation} }}, "),
        )
}

#[test]
fn lint_reads_standard_input_and_fails_on_what_is_refused() {
    for (annotation, verdict, code) in [
        ("proxy-read-timeout: '5'", "same", 0),
        ("opentelemetry-operation-name: x", "differs", 0),
        ("modsecurity-snippet: x", "refused", 1),
    ] {
        let mut lint = program(&["lint", "-f", "-", "--format", "json"]);
        let mut child = lint
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        child.stdin.take().unwrap().write_all(of_nginx(annotation).as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let shown: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(output.status.code(), Some(code), "{shown:#}");
        assert_eq!(shown["verdict"], verdict, "{shown:#}");
        assert_eq!(shown["ingresses"][0]["verdict"], verdict, "{shown:#}");
    }
    let folder = Folder::new(&[]);
    let nothing = output(program(&["lint", "-f"]).arg(folder.beside("nothing")));
    assert_eq!(nothing.status.code(), Some(2));
}

#[test]
fn lint_and_diff_read_a_live_cluster_once() {
    let cluster = Cluster::shared("before");
    cluster.apply(&cluster.service("web", &[([10, 0, 0, 1], 80).into()]));
    cluster.apply(&cluster.ingress("web", "before.example", "web"));
    let of_cluster = |command: &[&str]| {
        let mut program = program(command);
        program.arg("--kubeconfig").arg(cluster.plane.kubeconfig());
        program.args(["--watch-namespace", "before", "--class", "before"]);
        program
    };
    let lint = output(&mut of_cluster(&["lint", "--format", "json"]));
    let shown: Value = serde_json::from_slice(&lint.stdout).expect("JSON");
    assert_eq!(shown["ingresses"][0]["name"], "web", "{shown:#}");
    let other = cluster.ingress("web", "other.example", "web");
    let folder = Folder::new(&[("new.yaml", other.replace("{name: web}", "{name: web, namespace: before}"))]);
    let diff = output(of_cluster(&["diff"]).arg("-f").arg(folder.path()));
    let text = String::from_utf8(diff.stdout).unwrap();
    assert_eq!(diff.status.code(), Some(1), "{text}{}", String::from_utf8_lossy(&diff.stderr));
    assert!(text.contains("before.example Prefix /: matches other.example Prefix / instead"), "{text}");
}
