//! What is read of PEM, and what is refused.

use std::time::{Duration, SystemTime};

use model::HostMatch;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tls::{Certificate, Error, Kind, Part};

use crate::authority::{Authority, Issued};

fn issued() -> Issued {
    Authority::new("root").issue(Kind::Ecdsa, &["a.test"])
}

/// What is wrong with this chain and this key.
fn refused(chain: &str, key: &str) -> Error {
    Certificate::parse(chain.as_bytes(), key.as_bytes()).expect_err("it is refused")
}

#[test]
fn names_dates_and_kind_are_read() {
    let authority = Authority::new("root");
    for kind in [Kind::Ecdsa, Kind::Ed25519, Kind::Rsa] {
        let certificate = authority.certificate(kind, &["a.test", "*.B.test", "10.0.0.1"]);
        let names: Vec<String> = certificate.names().iter().map(HostMatch::to_string).collect();
        assert_eq!((certificate.kind(), names), (kind, vec!["a.test".into(), "*.b.test".into()]));
        assert!(certificate.not_before() < SystemTime::now() && certificate.not_after() > SystemTime::now());
    }
}

#[test]
fn an_expired_certificate_is_read_with_its_date() {
    let certificate = Authority::new("root").issue_expired(&["a.test"]).read();
    // 2025-12-31.
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_139_200);
    assert_eq!(certificate.not_after(), end);
}

#[test]
fn a_certificate_covers_its_names_and_one_label_for_its_wildcards() {
    let certificate = Authority::new("root").certificate(Kind::Ecdsa, &["a.test", "*.b.test"]);
    for (host, covered) in [
        ("a.test", true),
        ("x.b.test", true),
        ("*.b.test", true),
        ("b.test", false),
        ("x.y.b.test", false),
        ("*.a.test", false),
        ("*.x.b.test", false),
        ("", false),
    ] {
        assert_eq!(certificate.covers(&HostMatch::parse(host).expect("a host")), covered, "{host:?}");
    }
}

#[test]
fn text_between_sections_and_sections_of_other_kinds_are_passed_over() {
    let Issued { chain, key } = issued();
    let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let chain = format!("Bag Attributes\n    localKeyID: 01\nsubject=CN = a\n{chain}\r\n{key}");
    let read = Certificate::parse(chain.as_bytes(), format!("{parameters}{key}").as_bytes());
    assert!(read.is_ok(), "{read:?}");
    let windows = Certificate::parse(chain.replace('\n', "\r\n").as_bytes(), key.as_bytes());
    assert!(windows.is_ok(), "{windows:?}");
}

#[test]
fn what_is_no_certificate_or_no_key_is_refused_by_what_it_is() {
    let Issued { chain, key } = issued();
    assert_eq!(refused("", &key), Error::Empty(Part::Chain));
    assert_eq!(refused(&chain, " \n"), Error::Empty(Part::Key));
    let instead = |label: &str| vec![label.to_owned()];
    assert_eq!(refused(&key, &key), Error::Missing { part: Part::Chain, instead: instead("PRIVATE KEY") });
    assert_eq!(refused(&chain, &chain), Error::Missing { part: Part::Key, instead: instead("CERTIFICATE") });
    assert_eq!(refused("hello", &key), Error::Missing { part: Part::Chain, instead: Vec::new() });
    assert_eq!(Certificate::parse(b"\x30\x82\x01\x00", b"x").expect_err("DER"), Error::Binary(Part::Chain));
    assert_eq!(
        Certificate::parse(chain.as_bytes(), b"\x30\x81\x87").expect_err("DER"),
        Error::Binary(Part::Key)
    );
    let large = "x".repeat(128 * 1024 + 1);
    assert!(matches!(refused(&large, &key), Error::TooLarge { part: Part::Chain, .. }));
    assert!(matches!(refused(&chain, &large), Error::TooLarge { part: Part::Key, .. }));
}

#[test]
fn a_text_that_was_not_copied_whole_is_refused() {
    let Issued { chain, key } = issued();
    let (two, lines) = (format!("{chain}{chain}"), chain.lines().count());
    for without in [0, lines - 1, lines, 2 * lines - 1] {
        let kept: Vec<&str> =
            two.lines().enumerate().filter(|(at, _)| *at != without).map(|(_, line)| line).collect();
        let error = refused(&kept.join("\n"), &key);
        assert!(matches!(error, Error::Malformed { part: Part::Chain, .. }), "without {without}: {error}");
    }
    let shortened: Vec<&str> =
        chain.lines().enumerate().filter(|(at, _)| *at != 2).map(|(_, line)| line).collect();
    assert!(matches!(refused(&shortened.join("\n"), &key), Error::NotACertificate { at: 1, .. }));
    let one_line = chain.replace('\n', " ");
    assert!(matches!(refused(&one_line, &key), Error::Malformed { .. } | Error::Missing { .. }));
}

#[test]
fn an_encrypted_key_is_refused_in_both_its_forms() {
    let Issued { chain, .. } = issued();
    let section = |label: &str, head: &str| {
        format!("-----BEGIN {label}-----\n{head}MIGHAgEAMBMG\n-----END {label}-----\n")
    };
    let old = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n";
    for key in [section("ENCRYPTED PRIVATE KEY", ""), section("EC PRIVATE KEY", old)] {
        assert_eq!(refused(&chain, &key), Error::Encrypted);
    }
}

#[test]
fn the_key_belongs_to_the_first_certificate() {
    let authority = Authority::new("root");
    let (one, other) = (authority.issue(Kind::Ecdsa, &["a.test"]), authority.issue(Kind::Ecdsa, &["a.test"]));
    assert_eq!(refused(&one.chain, &other.key), Error::Mismatch);
    let rsa = authority.issue(Kind::Rsa, &["a.test"]);
    assert_eq!(refused(&one.chain, &rsa.key), Error::Mismatch);
    let reversed = format!("{}{}", authority.pem(), one.chain);
    assert_eq!(refused(&reversed, &one.key), Error::NotFirst { at: 2 });
}

#[test]
fn a_chain_in_disorder_is_read_and_says_where() {
    let (authority, stranger) = (Authority::new("root"), Authority::new("stranger"));
    let Issued { chain, key } = authority.issue(Kind::Ecdsa, &["a.test"]);
    let read = |chain: String| {
        Certificate::parse(chain.as_bytes(), key.as_bytes()).expect("a certificate").out_of_order()
    };
    assert_eq!(read(chain.clone()), None);
    assert_eq!(read(format!("{chain}{}", authority.pem())), None);
    assert_eq!(read(format!("{chain}{}", stranger.pem())), Some(2));
    assert_eq!(read(format!("{chain}{}{}", authority.pem(), stranger.pem())), Some(3));
}

#[test]
fn a_bundle_of_roots_is_refused() {
    let authority = Authority::new("root");
    let Issued { chain, key } = authority.issue(Kind::Ecdsa, &["a.test"]);
    let bundle = format!("{chain}{}", authority.pem().repeat(10));
    assert!(matches!(refused(&bundle, &key), Error::TooLong { count: 11, .. }));
}

#[test]
fn a_key_that_rustls_cannot_use_is_refused() {
    let Issued { chain, .. } = issued();
    let section = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----\n";
    assert_eq!(refused(&chain, section), Error::Unsupported);
}

#[test]
fn a_certificate_of_version_1_is_read() {
    // As `openssl x509 -req -signkey` makes them.
    let chain = include_bytes!("../../testdata/version-1.crt");
    let certificate = Certificate::parse(chain, include_bytes!("../../testdata/version-1.key"));
    assert_eq!(certificate.expect("a certificate").names(), []);
}

/// Some bytes are wrong, in the text or in the DER within: whatever comes of it, it is no panic.
#[test]
fn no_text_makes_it_panic() {
    let mut random = fastrand::Rng::with_seed(7);
    let texts: Vec<Issued> = [Kind::Ecdsa, Kind::Rsa, Kind::Ed25519]
        .map(|kind| Authority::new("root").issue(kind, &["a.test", "*.b.test", "192.0.2.1"]))
        .into();
    for _ in 0..1_000 {
        let Issued { chain, key } = &texts[random.usize(..texts.len())];
        let mut der = CertificateDer::from_pem_slice(chain.as_bytes()).expect("PEM").to_vec();
        assert!(Certificate::parse(pem(&der).as_bytes(), key.as_bytes()).is_ok());
        spoil(&mut der, &mut random);
        let _ = Certificate::parse(pem(&der).as_bytes(), key.as_bytes());
        let mut chain = chain.clone().into_bytes();
        spoil(&mut chain, &mut random);
        let _ = Certificate::parse(&chain, key.as_bytes());
        let _ = Certificate::parse(key.as_bytes(), &chain);
    }
}

fn spoil(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    for _ in 0..=random.usize(..4) {
        let at = random.usize(..bytes.len());
        match random.u8(..8) {
            0 => bytes.truncate(at.max(1)),
            1 => bytes.insert(at, random.u8(..)),
            2 => bytes[at] = [0, 0x7f, 0x80, 0x84, 0xff][random.usize(..5)],
            3 => bytes[at] = random.alphanumeric() as u8,
            _ => bytes[at] ^= 1 << random.u8(..8),
        }
    }
}

/// DER as PEM (RFC 4648 §4), however long its line.
fn pem(der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |bytes: &[u8]| {
        let bits = bytes.iter().chain([&0; 2]).take(3).fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        let digits = [18, 12, 6, 0].map(|shift| DIGITS[bits >> shift & 63] as char);
        digits.into_iter().take(bytes.len() + 1).chain(['='; 2]).take(4).collect::<String>()
    };
    let base64: String = der.chunks(3).map(group).collect();
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}

#[test]
fn every_error_says_what_to_do_and_of_which_part() {
    let Issued { chain, key } = issued();
    for error in [refused("", &key), refused(&chain, ""), refused(&chain, &chain), refused("x", &key)] {
        assert!(!error.remedy().is_empty() && !error.to_string().ends_with('.'), "{error}");
    }
    assert_eq!(refused(&key, &key).to_string(), "has no certificate in it, only PRIVATE KEY");
}
