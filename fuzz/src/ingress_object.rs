//! Whatever Ingresses say, compile makes a table of them, the same one each time, and an older Ingress of another owner keeps
//! what it has.

use std::sync::Arc;

use compile::{ObjectKey, Objects, Settings, compile};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::Ingress;
use model::{Get, RequestHost, RequestPath};

/// What the Ingresses may name, so that some of their routes lead somewhere.
const SERVICE: &str = "{ spec: { ports: [{ name: http, port: 80, targetPort: 8080 }] } }";

/// The older Ingress, and what it has: no path comes before an exact one of an exact host.
const KEPT: &str = "
metadata: { creationTimestamp: '2001-01-01T00:00:00Z' }
spec:
  ingressClassName: sluicegate
  rules:
    - host: a.example
      http: { paths: [{ path: /kept, pathType: Exact, backend: { service: { name: web, port: { number: 80 } } } }] }
";

/// Checks it. JSON is YAML too.
pub fn check(data: &[u8]) {
    let Ok(manifest) = str::from_utf8(data) else { return };
    let ingresses: Vec<Ingress> =
        manifest.split("\n---\n").take(8).filter_map(|one| serde_saphyr::from_str(one).ok()).collect();
    if ingresses.is_empty() {
        return;
    }
    let (objects, settings) = (objects(ingresses), Settings::default());
    let (first, second) = (compile(&objects, &settings, 1), compile(&objects, &settings, 1));
    assert_eq!(first.problems, second.problems);
    assert_eq!(first.table.routes(), second.table.routes());
    assert_eq!(first.table.backends(), second.table.backends());
    let (host, path) = (RequestHost::parse("a.example"), RequestPath::parse("/kept").expect("a path"));
    let found = first.table.find(&Get { host: host.as_ref().ok(), path: &path });
    assert_eq!(found.map(|route| route.origin.object.namespace.clone()), Some("kept".to_owned()));
}

fn objects(ingresses: Vec<Ingress>) -> Objects {
    let mut objects = Objects::default();
    let service: Service = serde_saphyr::from_str(SERVICE).expect("a Service");
    objects.services.insert(ObjectKey::new("default", "web"), Arc::new(service));
    let kept: Ingress = serde_saphyr::from_str(KEPT).expect("an Ingress");
    let newer = Some(serde_saphyr::from_str("2002-02-02T00:00:00Z").expect("a time"));
    objects.ingresses.insert(ObjectKey::new("kept", "kept"), Arc::new(kept));
    for (place, mut ingress) in ingresses.into_iter().enumerate() {
        ingress.metadata.creation_timestamp.clone_from(&newer);
        objects.ingresses.insert(ObjectKey::new("default", format!("fuzz-{place}")), Arc::new(ingress));
    }
    objects
}
