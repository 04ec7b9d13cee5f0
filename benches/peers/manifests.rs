//! The manifests that a gate serves.

use std::net::SocketAddr;

use test_support::manifests::{ingress, service, slice};

/// The host that all requests are for.
pub(crate) const HOST: &str = "bench.example";

/// An Ingress that leads a host to one endpoint, with all that lies between. With TLS it names the Secret `bench`.
pub(crate) fn backend(name: &str, host: &str, upstream: SocketAddr, with_tls: bool) -> String {
    let tls =
        if with_tls { format!("tls: [{{ hosts: [{HOST}], secretName: bench }}]\n  ") } else { String::new() };
    let ingress = ingress(name, host, "/", name).replace("rules:", &(tls + "rules:"));
    ["---\n", &ingress, "---\n", &service(name), "---\n", &slice(name, upstream, true)].concat()
}
