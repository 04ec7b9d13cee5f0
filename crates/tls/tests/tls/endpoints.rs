//! Handshakes with endpoints.

use std::sync::Arc;

use model::UpstreamTls;
use rustls::version::{TLS12, TLS13};
use tls::{Credentials, Error, HTTP_1_1, Kind, Part, Tickets, client_config, server_config};

use crate::authority::Authority;
use crate::peers::{meet, published};

fn verified() -> UpstreamTls {
    UpstreamTls { verify: true, ..UpstreamTls::default() }
}

fn believing(authority: &Authority) -> Credentials {
    Credentials::parse(Some(authority.pem().as_bytes()), None).expect("an authority")
}

#[test]
fn an_endpoint_is_believed_by_its_authority_its_name_and_its_dates() {
    let (authority, other) = (Authority::new("one"), Authority::new("two"));
    let config = client_config(&[HTTP_1_1], &verified(), Some(&believing(&authority))).expect("it has roots");
    let shown =
        |certificate| server_config(&published(vec![("", vec![certificate])]), &Tickets::default(), &[]);
    for kind in [Kind::Ecdsa, Kind::Rsa, Kind::Ed25519] {
        let good = shown(authority.certificate(kind, &["web.test"]));
        assert!(meet(&config, &good, "web.test").is_ok(), "{kind:?}");
        assert!(meet(&config, &good, "else.test").is_err(), "{kind:?}");
    }
    assert!(meet(&config, &shown(other.certificate(Kind::Ecdsa, &["web.test"])), "web.test").is_err());
    assert!(meet(&config, &shown(authority.issue_expired(&["web.test"]).read()), "web.test").is_err());
    let unverified = client_config(&[HTTP_1_1], &UpstreamTls::default(), None).expect("nothing is asked for");
    assert!(meet(&unverified, &shown(other.issue_expired(&["web.test"]).read()), "else.test").is_ok());
}

#[test]
fn endpoints_to_verify_without_a_ca_bundle_get_no_handshake() {
    assert!(client_config(&[HTTP_1_1], &verified(), None).is_none());
    let ours = Authority::new("one").issue(Kind::Ecdsa, &["edge.test"]);
    let shown = Credentials::parse(None, Some((ours.chain.as_bytes(), ours.key.as_bytes()))).expect("a pair");
    assert!(client_config(&[HTTP_1_1], &verified(), Some(&shown)).is_none());
}

#[test]
fn both_versions_of_tls_are_spoken() {
    let authority = Authority::new("one");
    let config = client_config(&[HTTP_1_1], &verified(), Some(&believing(&authority))).expect("it has roots");
    for version in [&TLS12, &TLS13] {
        let certificate = authority.certificate(Kind::Ecdsa, &["web.test"]);
        let server = server_config(&published(vec![("", vec![certificate])]), &Tickets::default(), &[]);
        let server = only(&server, version);
        assert!(meet(&config, &Arc::new(server), "web.test").is_ok(), "{version:?}");
    }
}

/// The same server, for this version alone.
fn only(
    server: &rustls::ServerConfig,
    version: &'static rustls::SupportedProtocolVersion,
) -> rustls::ServerConfig {
    rustls::ServerConfig::builder_with_provider(Arc::clone(server.crypto_provider()))
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&server.cert_resolver))
}

#[test]
fn each_fault_of_authorities_is_told_as_theirs() {
    let refused = |text: &str| Credentials::parse(Some(text.as_bytes()), None).expect_err("no authorities");
    let key = Authority::new("one").issue(Kind::Ecdsa, &["a.test"]).key;
    let none = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let pem = Authority::new("one").pem();
    for (text, error) in [
        ("", "is empty"),
        ("hello", "has no CA certificate in it"),
        (key.as_str(), "only PRIVATE KEY"),
        (none, "at place 1"),
        (&format!("{pem}{none}"), "at place 2"),
        (&pem.repeat(1001), "has 1001 CA certificates, more than 1000"),
        (&" ".repeat(2 << 20), "more than 1048576"),
    ] {
        let refused = refused(text);
        assert!(refused.to_string().contains(error), "{refused}");
        assert_eq!(refused.part(), Part::CaBundle, "{refused}");
    }
    assert!(matches!(refused("\x30\x1f"), Error::Missing { .. }));
}
