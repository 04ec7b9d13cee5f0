//! What is said of two sets of manifests.

use controller::Once;

use super::*;
use crate::config;

const SERVICES: &str = "
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1]}]
ports: [{port: 80}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: api-1, namespace: shop, labels: {kubernetes.io/service-name: api}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.2]}]
ports: [{port: 80}]
";

fn ingress(name: &str, age: &str, annotations: &str, paths: &[(&str, &str)]) -> String {
    let path = |(path, service): &(&str, &str)| {
        format!(
            "      - {{path: {path}, pathType: Prefix, backend: {{service: {{name: {service}, port: {{number: 80}}}}}}}}\n"
        )
    };
    let paths: String = paths.iter().map(path).collect();
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: {name}, namespace: shop, annotations: \
         {{{annotations}}}{age}}}\nspec:\n  ingressClassName: sluicegate\n  rules:\n  - host: a.example\n    http:\n      \
         paths:\n{paths}"
    )
}

/// The changes from manifests to those with others laid over them, as they are shown.
fn changed(before: &str, applied: &str) -> Vec<String> {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| {
        let file = dir.path().join(name);
        std::fs::write(&file, text).expect("a file");
        file
    };
    let tcp_services = Some(compile::ObjectKey::new("shop", "tcp")).filter(|_| before.contains("ConfigMap"));
    let settings = compile::Settings { tcp_services, ..compile::Settings::default() };
    let settings = config::of_folder(settings);
    let before = write("before.yaml", format!("{before}{SERVICES}"));
    let mut objects = Once::of_manifests(&before).expect("the manifests can be read");
    let was = objects.compile(&settings);
    objects.apply(&write("applied.yaml", applied.to_owned())).expect("the manifests can be read");
    let changes = between(&was, &objects.compile(&settings));
    show::text(&changes).lines().map(str::to_owned).collect()
}

#[test]
fn what_is_applied_again_changes_nothing() {
    let web = ingress("web", "", "", &[("/", "web")]);
    assert_eq!(changed(&web, &web), ["changes: 0, of which warnings: 0"]);
}

#[test]
fn routes_that_go_or_lead_elsewhere_are_warned_of_before_what_is_new() {
    let before = ingress("web", "", "", &[("/", "web"), ("/old", "web")]);
    let shown = changed(&before, &ingress("web", "", "", &[("/", "api"), ("/old", "web"), ("/new", "api")]));
    assert_eq!(
        shown,
        [
            "warning: changed: a.example Prefix /: leads to shop/api:80, and no longer to shop/web:80",
            "added: a.example Prefix /new: leads to shop/api:80 with balance least-request, by shop/web \
             spec.rules[0].http.paths[2]",
            "changes: 2, of which warnings: 1",
        ]
    );
    let shown = changed(&before, &ingress("web", "", "", &[("/", "web")]));
    assert!(
        shown[0].starts_with("warning: removed: a.example Prefix /old: it led to shop/web:80"),
        "{shown:?}"
    );
    let shown = changed(&before, &ingress("web", "", "", &[("/", "web"), ("/moved", "web")]));
    assert_eq!(shown[0], "warning: changed: a.example Prefix /old: matches a.example Prefix /moved instead");
}

#[test]
fn a_guard_that_goes_is_warned_of_and_one_that_cannot_be_had_denies() {
    let guarded = ingress("web", "", "sluicegate.io/allow-addresses: 10.0.0.0/8", &[("/", "web")]);
    let shown = changed(&guarded, &ingress("web", "", "", &[("/", "web")]));
    assert!(
        shown[0].starts_with("warning: changed: a.example Prefix /: is no longer guarded by addresses"),
        "{shown:?}"
    );
    let shown = changed(&guarded, &ingress("web", "", "sluicegate.io/allow-addresses: all", &[("/", "web")]));
    assert!(shown.iter().any(|line| line.ends_with("every request is answered 503")), "{shown:?}");
    assert!(shown[0].starts_with("warning: problem: Ingress shop/web metadata.annotations"), "{shown:?}");
}

#[test]
fn an_ingress_that_is_applied_again_keeps_its_age() {
    let old = ingress("web", ", creationTimestamp: '2001-01-01T00:00:00Z'", "", &[("/", "web")]);
    let young = ingress("api", ", creationTimestamp: '2002-01-01T00:00:00Z'", "", &[("/", "api")]);
    let again = ingress("web", "", "sluicegate.io/attempts: '2'", &[("/", "web")]);
    let shown = changed(&format!("{old}---\n{young}"), &again);
    assert_eq!(shown, ["changed: a.example Prefix /: now attempts 2", "changes: 1, of which warnings: 0"]);
}

#[test]
fn ports_that_close_or_lead_elsewhere_are_warned_of() {
    let ports = |data: &str| {
        format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: tcp, namespace: shop}}, data: {{{data}}}}}"
        )
    };
    let before = ports("'25': 'shop/web:80', '26': 'shop/web:80', '27': 'shop/web:80'");
    let shown =
        changed(&before, &ports("'25': 'shop/api:80:PROXY', '27': 'shop/web:80', '28': 'shop/api:80'"));
    assert_eq!(
        shown,
        [
            "warning: removed: TCP port 26: is closed; it led to shop/web:80 (tcp), with an idle timeout of 600s",
            "warning: changed: TCP port 25: leads to shop/api:80 (tcp), after a PROXY header, with an idle timeout of \
             600s, and no longer to shop/web:80 (tcp), with an idle timeout of 600s",
            "added: TCP port 28: leads to shop/api:80 (tcp), with an idle timeout of 600s",
            "changes: 3, of which warnings: 2",
        ]
    );
}
