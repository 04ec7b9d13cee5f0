//! The manifests that a gate serves.

use std::net::SocketAddr;

use crate::process::HOST;

/// The class that all Ingresses here have.
pub(crate) const CLASS: &str = "apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: sluicegate }
spec: { controller: sluicegate.io/ingress-controller }
";

/// An Ingress that leads a host to one endpoint, with all that lies between. With TLS it names the Secret `bench`.
pub(crate) fn backend(name: &str, host: &str, upstream: SocketAddr, with_tls: bool) -> String {
    let (ip, port) = (upstream.ip(), upstream.port());
    let tls = if with_tls { format!("[{{ hosts: [{HOST}], secretName: bench }}]") } else { "[]".to_owned() };
    format!(
        "---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{ name: {name}, namespace: default }}
spec:
  ingressClassName: sluicegate
  tls: {tls}
  rules:
    - host: {host}
      http:
        paths:
          - {{ path: /, pathType: Prefix, backend: {{ service: {{ name: {name}, port: {{ number: 80 }} }} }} }}
---
apiVersion: v1
kind: Service
metadata: {{ name: {name}, namespace: default }}
spec:
  ports: [{{ name: http, port: 80, targetPort: {port} }}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: {name}-1
  namespace: default
  labels: {{ kubernetes.io/service-name: {name} }}
addressType: IPv4
ports: [{{ name: http, port: {port} }}]
endpoints: [{{ addresses: [{ip}], conditions: {{ ready: true }} }}]
"
    )
}
