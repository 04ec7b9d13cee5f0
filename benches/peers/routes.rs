//! The many routes: hosts and paths that all lead to the same endpoint, so that only what it takes to find one differs.

use std::fmt::Write;

use crate::client::get;

const HOSTS: usize = 10_000;
const PATHS: [&str; 5] = ["/", "/api", "/api/v1/orders", "/static", "/admin"];

fn host(at: usize) -> String {
    format!("shop-{at}.example.com")
}

/// Manifests of them: an Ingress for each host, and all to the Service that is called `upstream`.
pub(crate) fn manifests() -> String {
    let backend = "{ service: { name: upstream, port: { number: 80 } } }";
    let path = |path| format!("          - {{ path: {path}, pathType: Prefix, backend: {backend} }}\n");
    let paths: String = PATHS.into_iter().map(path).collect();
    let mut all = String::new();
    for at in 0..HOSTS {
        let host = host(at);
        let _ = write!(
            all,
            "---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{ name: shop-{at}, namespace: shop }}
spec:
  ingressClassName: sluicegate
  rules:
    - host: {host}
      http:
        paths:
{paths}"
        );
    }
    all
}

/// A request for each.
pub(crate) fn requests() -> Vec<&'static [u8]> {
    let target = |path: &str| format!("{}/item/7", path.trim_end_matches('/'));
    (0..HOSTS * PATHS.len())
        .map(|at| get(&host(at / PATHS.len()), &target(PATHS[at % PATHS.len()]), ""))
        .collect()
}
