//! What others' test suites say of us. They are built by `cargo xtask setup`.

use std::net::SocketAddr;
use std::process::Command;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use test_support::manifests::secret;

use crate::support::{Folder, Gate, Upstream, ingress, output, program, service, slice};

/// A gate that speaks HTTP/2, with TLS and without; where it does.
fn gate(folder: &Folder) -> (Gate, SocketAddr) {
    let flags = [
        "run",
        "--https",
        "127.0.0.1:0",
        "--default-certificate",
        "default/default",
        "--http2-cleartext",
        "--manifests",
    ];
    let mut command = program(&flags);
    let gate = Gate::run(command.arg(folder.path())).ready();
    let https = gate.https();
    (gate, https)
}

fn shop(upstream: &Upstream) -> Folder {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let secret = secret("name: default, namespace: default", &cert.pem(), &signing_key.serialize_pem());
    Folder::new(&[
        ("web.yaml", ingress("web", "", "/", "web")),
        ("service.yaml", service("web")),
        ("slice.yaml", slice("web", upstream.address, true)),
        ("secret.yaml", secret),
    ])
}

/// What h2spec says, and the cases that have not passed.
fn h2spec(address: SocketAddr, more: &[&str]) -> (String, Vec<String>) {
    let h2spec = conformance::h2spec().unwrap_or_else(|why| panic!("{why}"));
    let said = output(Command::new(h2spec).args(["-port", &address.port().to_string()]).args(more));
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let all = said.lines().rev().find(|line| line.contains(" tests, ")).unwrap_or("no end").to_owned();
    let (_, failed) = said.split_once("Failures:").unwrap_or_default();
    let failed = failed.lines().filter_map(|line| line.trim().strip_prefix("× ")?.split_once(": "));
    (all, failed.map(|(_, case)| case.to_owned()).collect())
}

#[test]
fn h2spec_passes_in_strict_mode_with_tls_and_without() {
    // Long enough for the cases about windows.
    let upstream = Upstream::start("an answer that does not fit into a window of one byte");
    let folder = shop(&upstream);
    let (gate, https) = gate(&folder);
    for (name, address, more) in [("TLS", https, &["-tls"][..]), ("h2c", gate.http, &[])] {
        let (all, failed) = h2spec(address, more);
        println!("h2spec --strict, {name}: {all}");
        let passed = failed.is_empty() && all.contains(" 0 skipped, 0 failed");
        assert!(passed, "{name}: {all}\n{failed:?}\n{}", gate.log());
    }
}
