//! Which host an endpoint is asked for: through us with `upstream-vhost`, and through nginx with what ingress-nginx writes of it.

use std::io::Write;

use system_tests::Upstream;
use system_tests::message::Reader;

use crate::answers::table;
use crate::gates::{Folder, Gate, Nginx, Ours};

/// The annotation, and what stands behind `proxy_set_header Host`.
const HOSTS: &[&str] = &[
    "api.internal",
    "api.internal:8080",
    "$service_name.$namespace.svc.cluster.local",
    "${service_name}-$service_port.$ingress_name",
    "$host",
    "$http_host",
];

const REQUESTS: &[&str] = &[
    "GET /a HTTP/1.1\r\nHost: shop.example\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: Shop.Example:8080\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-Host: evil.example\r\nContent-Length: 0\r\n\r\n",
];

/// An upstream that answers with the host that it is asked for.
fn upstream() -> Upstream {
    Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            if peer.respond(&request.field("host").unwrap_or_default()).is_err() {
                return;
            }
        }
    })
}

fn ask(gate: &dyn Gate, request: &str) -> String {
    let mut stream = gate.connect();
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = Reader::default();
    let mut answer = reader.head(&mut stream).unwrap();
    reader.body(&mut stream, &mut answer, true).unwrap();
    format!("{} {}", answer.status(), answer.text())
}

#[test]
fn an_endpoint_is_asked_for_the_host_that_nginx_would_ask_for() {
    let (ours, theirs) = (upstream(), upstream());
    for (place, host) in HOSTS.iter().enumerate() {
        let folder = Folder::new(&format!("upstream-host-{place}"));
        let servers = format!(
            "server {{
                listen unix:nginx.sock;
                location / {{
                    set $namespace shop; set $ingress_name web; set $service_name web; set $service_port 80;
                    proxy_pass http://{}; proxy_http_version 1.1; proxy_set_header Connection '';
                    proxy_set_header Host \"{host}\";
                }}
            }}",
            theirs.address
        );
        let nginx = Nginx::serving(&folder, &servers);
        let gate = Ours::routing(table(&[("ssl-redirect", "false"), ("upstream-vhost", host)], ours.address));
        for request in REQUESTS {
            assert_eq!(ask(&gate, request), ask(&nginx, request), "{host}: {request}");
        }
    }
}
