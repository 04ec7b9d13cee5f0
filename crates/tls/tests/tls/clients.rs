//! What clients' certificates are verified by. What becomes of all kinds of them is compared with nginx (`tests/differential`).

use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType, IsCa, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use tls::{ClientCa, Error, Names, Part, Verdict, escaped_pem};

type Ca = CertifiedIssuer<'static, KeyPair>;

fn ca(name: &str) -> Ca {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn client(ca: &Ca, number: u64) -> CertificateDer<'static> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.serial_number = Some(SerialNumber::from(number));
    params.not_after = date_time_ymd(2040, 1, 1);
    params.signed_by(&KeyPair::generate().unwrap(), ca).unwrap().der().clone()
}

/// A list of one revoked certificate, good until 2030.
fn list(ca: &Ca, number: u64) -> String {
    let revoked = RevokedCertParams {
        serial_number: SerialNumber::from(number),
        revocation_time: date_time_ymd(2025, 1, 1),
        reason_code: None,
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2025, 1, 1),
        next_update: date_time_ymd(2030, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![revoked],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(ca).unwrap().pem().unwrap()
}

fn in_year(year: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs((year - 1970) * 31_556_952 + 1_000_000)
}

#[test]
fn where_there_are_lists_a_certificate_must_have_one_and_not_be_on_it() {
    let (one, other) = (ca("one"), ca("other"));
    let bundle = [one.pem(), other.pem()].concat();
    let with = ClientCa::parse(bundle.as_bytes(), Some(list(&one, 7).as_bytes())).unwrap();
    let judge = |certificate: &CertificateDer<'_>, year| {
        with.judge(std::slice::from_ref(certificate), 1, in_year(year))
    };
    assert_eq!(judge(&client(&one, 8), 2027), Verdict::Good);
    for (what, certificate, year) in [
        ("revoked", client(&one, 7), 2027),
        ("without a list", client(&other, 8), 2027),
        ("the list is too old", client(&one, 8), 2031),
    ] {
        assert!(matches!(judge(&certificate, year), Verdict::Bad(_)), "{what}");
    }
    let without = ClientCa::parse(bundle.as_bytes(), None).unwrap();
    assert_eq!(without.judge(&[client(&one, 7)], 1, in_year(2027)), Verdict::Good);
    assert_ne!(with.digest(), without.digest());
}

#[test]
fn a_root_whose_time_is_over_lets_no_client_in() {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.not_after = date_time_ymd(2028, 1, 1);
    let root: Ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let bundle = ClientCa::parse(root.pem().as_bytes(), None).unwrap();
    assert_eq!(bundle.judge(&[client(&root, 1)], 1, in_year(2027)), Verdict::Good);
    assert!(matches!(bundle.judge(&[client(&root, 1)], 1, in_year(2029)), Verdict::Bad(_)));
    assert!(matches!(bundle.judge(&[root.der().clone()], 1, in_year(2029)), Verdict::Bad(_)));
}

#[test]
fn more_certificates_than_any_client_has_are_not_looked_at() {
    let ca = ca("ca");
    let bundle = ClientCa::parse(ca.pem().as_bytes(), None).unwrap();
    let chain = |count| vec![client(&ca, 1); count];
    assert_eq!(bundle.judge(&chain(10), 9, in_year(2027)), Verdict::Good);
    assert!(matches!(bundle.judge(&chain(11), 9, in_year(2027)), Verdict::Bad(_)));
    assert!(matches!(bundle.judge(&[], 9, in_year(2027)), Verdict::Bad(_)));
    assert!(matches!(
        bundle.judge(&[CertificateDer::from(vec![0x30, 0])], 9, in_year(2027)),
        Verdict::Bad(_)
    ));
}

#[test]
fn a_bundle_or_a_list_that_cannot_be_read_is_told_and_spoils_the_whole() {
    let (one, text) = (ca("one").pem(), "no PEM");
    let bad = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
    let half = [&one, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"].concat();
    for (bundle, revoked, part) in [
        (text, None, Part::CaBundle),
        ("", None, Part::CaBundle),
        (&half, None, Part::CaBundle),
        (&one, Some(""), Part::Revoked),
        (&one, Some(text), Part::Revoked),
        (&one, Some(bad), Part::Revoked),
    ] {
        let refused = ClientCa::parse(bundle.as_bytes(), revoked.map(str::as_bytes)).unwrap_err();
        assert_eq!(refused.part(), part, "{refused}");
        assert!(!refused.remedy().is_empty());
    }
    let many = vec![one; 101].concat();
    assert!(matches!(ClientCa::parse(many.as_bytes(), None), Err(Error::TooManyCas { count: 101, .. })));
}

#[test]
fn names_and_certificates_are_one_line_whatever_is_in_them() {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "a\r\nX-Admin: 1\u{7f}\0");
    params.distinguished_name.push(DnType::CommonName, " #,+\"\\<>; ");
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let names = Names::of(certificate.der()).unwrap();
    assert_eq!(names.subject, r#"CN=\ #\,\+\"\\\<\>\;\ ,O=a\0D\0AX-Admin: 1\7F\00"#);
    assert_eq!(names.issuer, names.subject);
    let pem = escaped_pem(certificate.der());
    assert!(
        pem.starts_with("-----BEGIN%20CERTIFICATE-----%0A")
            && pem.ends_with("-----END%20CERTIFICATE-----%0A")
    );
    assert!(pem.bytes().all(|b| b.is_ascii_alphanumeric() || b"-%".contains(&b)), "{pem}");
    assert_eq!(Names::of(&CertificateDer::from(vec![1, 2, 3])), None);
}
