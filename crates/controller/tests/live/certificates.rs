//! What becomes of certificates while the folder of manifests is edited.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use compile::Settings;
use controller::{ControllerConfig, ObjectKey, Source};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tls::Certificate;

use crate::running::{Running, ingress, start, start_with};

/// A Secret with a certificate for this host.
fn secret(name: &str, host: &str) -> String {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([host.to_owned()]).expect("a certificate");
    let text = |pem: String| pem.trim_end().replace('\n', "\n    ");
    let (chain, key) = (text(cert.pem()), text(signing_key.serialize_pem()));
    format!(
        "apiVersion: v1
kind: Secret
metadata: {{name: {name}, namespace: shop}}
type: kubernetes.io/tls
stringData:
  tls.crt: |
    {chain}
  tls.key: |
    {key}
"
    )
}

/// An Ingress that lists this host beside this Secret.
fn with_tls(name: &str, host: &str, secret: &str) -> String {
    let tls = format!("  tls: [{{hosts: [{host}], secretName: {secret}}}]\n  rules:\n");
    ingress(name, host).replace("  rules:\n", &tls)
}

/// The certificate of a host.
fn shown(run: &Running, host: &str) -> Option<Arc<Certificate>> {
    let live = run.live.certificates.load();
    live.find(Some(host)).map(|entry| Arc::clone(&entry.certificates()[0]))
}

#[tokio::test]
async fn a_certificate_is_live_before_the_route_of_its_host() {
    let run = start(&[]).await;
    let (routes, certificates) = (run.live.routes.clone(), run.live.certificates.clone());
    let (early, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (too_early, counted) = (Arc::clone(&early), Arc::clone(&seen));
    run.live.routes.subscribe(move || {
        let certificates = certificates.load();
        for route in routes.load().routes() {
            counted.fetch_add(1, Ordering::Relaxed);
            if certificates.find(Some(&route.host.to_string())).is_none() {
                too_early.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    for round in 0..5 {
        let host = format!("h{round}.test");
        let text = format!(
            "{}---\n{}",
            with_tls(&format!("web-{round}"), &host, &format!("s-{round}")),
            secret(&format!("s-{round}"), &host)
        );
        run.write(&format!("{round}.yaml"), &text);
        run.until(|now| now.serves(&host)).await;
    }
    assert!(seen.load(Ordering::Relaxed) >= 5);
    assert_eq!(early.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_renewed_certificate_is_live_and_a_spoilt_one_keeps_the_last() {
    let run =
        start(&[("web.yaml", &with_tls("web", "a.test", "s")), ("s.yaml", &secret("s", "a.test"))]).await;
    let first = shown(&run, "a.test").expect("a certificate");
    let generation = run.live.routes.load().generation;
    run.write("s.yaml", &secret("s", "a.test"));
    run.until(|_| shown(&run, "a.test").is_some_and(|now| now.chain() != first.chain())).await;
    let second = shown(&run, "a.test").expect("a certificate");
    assert!(run.live.routes.load().generation >= generation);
    run.write("s.yaml", &secret("s", "a.test").replace("BEGIN CERTIFICATE", "BEGIN NONSENSE"));
    run.until(|now| now.has_problem("invalid-certificate")).await;
    assert!(Arc::ptr_eq(&shown(&run, "a.test").expect("the last one"), &second));
    let told = run.now().told();
    assert!(told.iter().any(|told| told.contains("s.yaml: Secret shop/s: data[tls.crt]: ")), "{told:?}");
    std::fs::remove_file(run.path("s.yaml")).expect("removed");
    run.until(|now| now.has_problem("stale-certificate") && now.has_problem("dangling-reference")).await;
    assert!(Arc::ptr_eq(&shown(&run, "a.test").expect("the last one"), &second));
    run.write("s.yaml", &secret("s", "a.test"));
    run.until(|now| now.told().iter().all(|told| !told.contains("certificate"))).await;
    assert!(!Arc::ptr_eq(&shown(&run, "a.test").expect("a new one"), &second));
}

#[tokio::test]
async fn the_operators_certificate_and_ticket_keys_come_from_secrets_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let manifests = dir.path().join("manifests");
    std::fs::create_dir(&manifests).expect("the folder of manifests");
    let named = |name: &str| Some(ObjectKey::new("shop", name));
    let settings = Settings {
        default_certificate: named("default"),
        ticket_keys: named("tickets"),
        ..Settings::default()
    };
    let run = start_with(dir, ControllerConfig::new(Source::Folder(manifests), settings)).await;
    assert!(run.live.certificates.load().find(None).is_none() && !run.live.tickets.are_shared());
    assert_eq!(run.now().told().iter().filter(|told| told.contains("named by a flag")).count(), 2);
    run.write("default.yaml", &secret("default", "any.test"));
    let keys = "apiVersion: v1\nkind: Secret\nmetadata: {name: tickets, namespace: shop}\n\
                stringData: {'2026-11-23': 0123456789abcdef0123456789abcdef}\n";
    run.write("tickets.yaml", keys);
    run.until(|now| run.live.tickets.are_shared() && now.told().is_empty()).await;
    let live = run.live.certificates.load();
    assert_eq!(live.find(None).map(|entry| entry.name()), Some("shop/default"));
}
