//! What a client meets.

use std::io::{Read, Write};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{
    AlertDescription, CipherSuite, Error, HandshakeKind, NamedGroup, ProtocolVersion, SignatureScheme,
};
use tls::{Certificate, HTTP_1_1, Kind, Tickets, server_config};

use crate::authority::{Authority, Issued};
use crate::peers::{client, client_that_verifies, meet, pass, publish, published};

/// All that sign with RSA.
const RSA: [SignatureScheme; 6] = [
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
];

/// Whether the client was shown this certificate.
fn is(shown: &CertificateDer<'_>, issued: &Issued) -> bool {
    CertificateDer::from_pem_slice(issued.chain.as_bytes()).expect("PEM") == *shown
}

#[test]
fn each_name_gets_its_certificate_with_both_versions() {
    let authority = Authority::new("root");
    let (a, b, any) = (
        authority.issue(Kind::Ecdsa, &["a.test"]),
        authority.issue(Kind::Rsa, &["*.b.test"]),
        authority.issue(Kind::Ecdsa, &["any.test"]),
    );
    let live =
        published(vec![("a.test", vec![a.read()]), ("*.b.test", vec![b.read()]), ("", vec![any.read()])]);
    let server = server_config(&live, &Tickets::default(), &[HTTP_1_1]);
    for version in [&TLS12, &TLS13] {
        for (name, issued) in [("a.test", &a), ("A.TEST", &a), ("x.b.test", &b), ("any.test", &any)] {
            let met = meet(&client(authority.root(), version), &server, name).expect("a handshake");
            assert!(is(&met.shown, issued), "{name}");
            assert_eq!(met.client.protocol_version(), Some(version.version), "{name}");
        }
    }
}

#[test]
fn a_client_gets_the_kind_of_certificate_that_it_can_verify() {
    let root = Authority::of(Kind::Rsa, "root");
    let (rsa, ecdsa) = (root.issue(Kind::Rsa, &["a.test"]), root.issue(Kind::Ecdsa, &["a.test"]));
    let live = published(vec![("a.test", vec![rsa.read(), ecdsa.read()])]);
    let server = server_config(&live, &Tickets::default(), &[HTTP_1_1]);
    for version in [&TLS12, &TLS13] {
        let any = meet(&client(root.root(), version), &server, "a.test").expect("a handshake");
        assert!(is(&any.shown, &ecdsa));
        let old = client_that_verifies(root.root(), version, |scheme| RSA.contains(&scheme));
        let met = meet(&old, &server, "a.test").expect("a handshake");
        assert!(is(&met.shown, &rsa));
    }
}

#[test]
fn an_unknown_name_is_refused_where_there_is_no_default() {
    let authority = Authority::new("root");
    let live = published(vec![("a.test", vec![authority.certificate(Kind::Ecdsa, &["a.test"])])]);
    let server = server_config(&live, &Tickets::default(), &[HTTP_1_1]);
    for name in ["b.test", "192.0.2.1"] {
        let error = meet(&client(authority.root(), &TLS13), &server, name).expect_err("refused");
        assert_eq!(error, Error::AlertReceived(AlertDescription::AccessDenied), "{name}");
    }
}

#[test]
fn a_new_certificate_is_for_the_next_handshake_and_touches_no_connection() {
    let authority = Authority::new("root");
    let [old, new] = [(); 2].map(|()| authority.issue(Kind::Ecdsa, &["a.test"]));
    let live = published(vec![("a.test", vec![old.read()])]);
    let server = server_config(&live, &Tickets::default(), &[HTTP_1_1]);
    let mut open = meet(&client(authority.root(), &TLS13), &server, "a.test").expect("a handshake");
    publish(&live, vec![("a.test", vec![new.read()])]);
    let later = meet(&client(authority.root(), &TLS13), &server, "a.test").expect("a handshake");
    assert!(is(&open.shown, &old) && is(&later.shown, &new));
    open.client.writer().write_all(b"still here").expect("memory");
    pass(&mut open.client, &mut open.server).expect("the connection lives");
    let mut got = [0; 10];
    open.server.reader().read_exact(&mut got).expect("what was sent");
    assert_eq!(&got, b"still here");
}

#[test]
fn the_protocol_is_agreed_on_and_a_client_that_offers_none_is_welcome() {
    let authority = Authority::new("root");
    let live = published(vec![("a.test", vec![authority.certificate(Kind::Ecdsa, &["a.test"])])]);
    let server = server_config(&live, &Tickets::default(), &[HTTP_1_1]);
    let offering = |protocols: &[&[u8]]| {
        let mut client = client(authority.root(), &TLS13);
        client.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        meet(&client, &server, "a.test").map(|met| met.protocol)
    };
    assert_eq!(offering(&[]), Ok(None));
    assert_eq!(offering(&[b"h2", HTTP_1_1]), Ok(Some(HTTP_1_1.to_vec())));
    assert_eq!(offering(&[b"h2"]), Err(Error::AlertReceived(AlertDescription::NoApplicationProtocol)));
}

#[test]
fn the_key_exchange_is_safe_from_quantum_computers_and_nothing_is_taken_early() {
    let authority = Authority::new("root");
    let live = published(vec![("a.test", vec![authority.certificate(Kind::Ecdsa, &["a.test"])])]);
    let server = server_config(&live, &Tickets::default(), &[HTTP_1_1]);
    let met = meet(&client(authority.root(), &TLS13), &server, "a.test").expect("a handshake");
    let group = met.client.negotiated_key_exchange_group().map(|group| group.name());
    assert_eq!(group, Some(NamedGroup::X25519MLKEM768));
    assert_eq!((met.kind, server.max_early_data_size), (HandshakeKind::Full, 0));
    assert_eq!(met.server.protocol_version(), Some(ProtocolVersion::TLSv1_3));
}

#[test]
fn the_cheapest_cipher_is_taken_whatever_the_client_would_like_best() {
    let authority = Authority::new("root");
    let live = published(vec![("a.test", vec![authority.certificate(Kind::Ecdsa, &["a.test"])])]);
    let server = server_config(&live, &Tickets::default(), &[HTTP_1_1]);
    for (version, best) in [
        (&TLS13, CipherSuite::TLS13_AES_128_GCM_SHA256),
        (&TLS12, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ] {
        let client = client(authority.root(), version);
        assert_ne!(client.crypto_provider().cipher_suites[0].suite(), best, "the client's own choice");
        let met = meet(&client, &server, "a.test").expect("a handshake");
        let taken = met.server.negotiated_cipher_suite().map(|suite| suite.suite());
        assert_eq!(taken, Some(best));
    }
}

#[test]
fn an_expired_certificate_is_shown_and_the_client_judges() {
    let authority = Authority::new("root");
    let expired: Arc<Certificate> = authority.issue_expired(&["a.test"]).read();
    let live = published(vec![("a.test", vec![expired])]);
    let server = server_config(&live, &Tickets::default(), &[HTTP_1_1]);
    let error = meet(&client(authority.root(), &TLS13), &server, "a.test").expect_err("the client refuses");
    assert!(matches!(error, Error::InvalidCertificate(_)), "{error}");
}
