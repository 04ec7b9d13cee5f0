//! Of a snippet all or nothing holds: whatever stands in it, what it says of fields can be sent as it is, and no guard in it is
//! passed over.

use std::collections::BTreeMap;
use std::sync::Arc;

use compile::{Compiled, ObjectKey, Objects, Settings, compile};
use http::{HeaderName, HeaderValue};
use k8s_openapi::api::networking::v1::Ingress;
use model::{FieldText, HeaderEdit, Policy, RequestFilter, ResponseFilter};

const NAME: &str = "nginx.ingress.kubernetes.io/configuration-snippet";

const INGRESS: &str = "
metadata: {}
spec:
  ingressClassName: sluicegate
  rules:
    - host: a.example
      http: { paths: [{ path: /, pathType: Exact, backend: { service: { name: web, port: { number: 80 } } } }] }
";

/// Checks it.
pub fn check(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let alone = read(text);
    assert_eq!(alone.problems, read(text).problems);
    let policy = &alone.table.routes()[0].policy;
    edits(policy).for_each(can_be_sent);
    if is_told(&alone) {
        let is_plain = edits(policy).next().is_none() && policy.guards().next().is_none();
        assert!(is_plain || policy.denies(), "{text:?}: a part of it holds");
    } else {
        let guarded = read(&format!("{text}\nauth_basic on;"));
        assert!(guarded.table.routes()[0].policy.denies(), "{text:?}: a guard behind it is passed over");
    }
}

fn read(text: &str) -> Compiled {
    let mut ingress: Ingress = serde_saphyr::from_str(INGRESS).expect("an Ingress");
    ingress.metadata.annotations = Some(BTreeMap::from([(NAME.to_owned(), text.to_owned())]));
    let mut objects = Objects::default();
    objects.ingresses.insert(ObjectKey::new("default", "web"), Arc::new(ingress));
    compile(&objects, &Settings::default(), 1)
}

fn is_told(compiled: &Compiled) -> bool {
    compiled.problems.iter().any(|problem| problem.field.contains(NAME))
}

fn edits(policy: &Policy) -> impl Iterator<Item = &HeaderEdit> {
    let filters = policy.filters.iter();
    filters.flat_map(|filters| {
        let request = filters.request().iter().filter_map(|filter| match filter {
            RequestFilter::Headers(edits) => Some(edits),
            _ => None,
        });
        let response = filters.response().iter().filter_map(|filter| match filter {
            ResponseFilter::Headers(edits) => Some(edits),
            _ => None,
        });
        request.chain(response).flatten()
    })
}

fn can_be_sent(HeaderEdit { name, change }: &HeaderEdit) {
    assert!(HeaderName::from_bytes(name.as_bytes()).is_ok_and(|sent| sent.as_str() == &**name), "{name:?}");
    assert!(!matches!(&**name, "connection" | "content-length" | "host" | "transfer-encoding"), "{name:?}");
    match change.text() {
        Some(FieldText::Fixed(value)) => {
            assert!(HeaderValue::from_str(value).is_ok() && !value.contains('$'), "{value:?}");
        }
        // What it comes to is looked at when it is filled.
        Some(FieldText::Filled(template)) => {
            assert!(HeaderValue::from_str(&template.to_string()).is_ok(), "{template}");
        }
        None => {}
    }
}
