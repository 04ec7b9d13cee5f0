//! What is said of manifests.

use controller::Once;

use super::*;

fn ingress(name: &str, class: &str, annotations: &[(&str, &str)]) -> String {
    let annotation =
        |(name, value): &(&str, &str)| format!("    nginx.ingress.kubernetes.io/{name}: '{value}'\n");
    let annotations: String = annotations.iter().map(annotation).collect();
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {name}\n  namespace: shop\n  annotations:\n\
         {annotations}    example.org/other: x\nspec:\n  ingressClassName: {class}\n  rules:\n  - host: {name}.example\n    \
         http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}]}}\n"
    )
}

fn report(manifests: &[String]) -> Report {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("all.yaml");
    std::fs::write(&file, manifests.join("---\n")).expect("a file");
    let objects = Once::of_manifests(&file).expect("the file can be read");
    let (settings, _) = with_config_map(of_ingress_nginx(Settings::default()), objects.objects());
    Report::of(objects.objects(), &objects.compile(&settings), &settings)
}

/// Each annotation or field with what becomes of it.
fn outcomes(verdict: &Verdict) -> Vec<(String, &'static str)> {
    let short = |field: &str| field.trim_start_matches("nginx.ingress.kubernetes.io/").to_owned();
    verdict.findings.iter().map(|finding| (short(&finding.field), finding.outcome.as_str())).collect()
}

#[test]
fn each_annotation_is_the_same_differs_or_is_refused_and_the_worst_is_the_verdict() {
    let annotations = [
        ("denylist-source-range", "192.0.2.1"),
        ("proxy-buffers-number", "8"),
        ("rewrite-targt", "/"),
        ("opentelemetry-operation-name", "x"),
    ];
    let mut report = report(&[ingress("web", "nginx", &annotations)]);
    let verdict = &report.ingresses[0];
    let expected = [
        ("denylist-source-range", "same"),
        ("opentelemetry-operation-name", "differs"),
        ("proxy-buffers-number", "same"),
        ("rewrite-targt", "same"),
    ];
    assert_eq!(outcomes(verdict), expected.map(|(field, outcome)| (field.to_owned(), outcome)));
    assert_eq!((verdict.outcome(), report.worst()), (Outcome::Differs, Outcome::Differs));
    let refused = [("enable-modsecurity", "true"), ("proxy-read-timeout", "soon")];
    report = self::report(&[ingress("web", "nginx", &refused)]);
    assert_eq!(report.ingresses[0].outcome(), Outcome::Refused);
    assert_eq!(outcomes(&report.ingresses[0])[1].1, "differs", "a value that cannot be read costs itself");
}

#[test]
fn an_ingress_of_another_class_is_counted_and_not_judged() {
    let report =
        report(&[ingress("web", "nginx", &[]), ingress("other", "traefik", &[("auth-snippet", "x")])]);
    assert_eq!((report.ingresses.len(), report.foreign, report.worst()), (1, 1, Outcome::Same));
}

#[test]
fn where_there_are_no_services_none_is_missing_and_that_is_told() {
    let alone = report(&[ingress("web", "nginx", &[])]);
    assert_eq!((alone.worst(), alone.notes.len()), (Outcome::Same, 1), "{alone:?}");
    let other = "apiVersion: v1\nkind: Service\nmetadata: {name: other, namespace: shop}\n".to_owned();
    let beside = report(&[ingress("web", "nginx", &[]), other]);
    assert_eq!(beside.worst(), Outcome::Refused, "{beside:?}");
}

#[test]
fn the_config_map_is_judged_key_by_key_and_decides_on_snippets() {
    let snippet = ingress("web", "nginx", &[("configuration-snippet", "more_set_headers \"X-A: b\";")]);
    let config_map = |more: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: ingress-nginx-controller, namespace: x}}\n\
             data: {{no-such-key: '1', proxy-connect-timeout: '7'{more}}}\n"
        )
    };
    assert_eq!(report(std::slice::from_ref(&snippet)).worst(), Outcome::Same);
    let report = report(&[snippet, config_map("")]);
    assert_eq!(
        report.ingresses[0].outcome(),
        Outcome::Refused,
        "as with ingress-nginx, which does not allow it"
    );
    let keys = outcomes(report.config_map.as_ref().expect("a ConfigMap"));
    assert!(keys.contains(&("proxy-connect-timeout".into(), "same")), "{keys:?}");
    assert!(keys.contains(&("no-such-key".into(), "differs")), "{keys:?}");
    let allowed = config_map(", allow-snippet-annotations: 'true', annotations-risk-level: Critical");
    let snippet = ingress("web", "nginx", &[("configuration-snippet", "more_set_headers \"X-A: b\";")]);
    assert_eq!(self::report(&[snippet, allowed]).ingresses[0].outcome(), Outcome::Same);
}
