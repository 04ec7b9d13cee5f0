//! An authority that issues certificates, as PEM.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_ED25519, PKCS_RSA_SHA256, SignatureAlgorithm, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use tls::{Certificate, Kind};

/// An authority with a root of its own.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Authority {
        Authority::of(Kind::Ecdsa, name)
    }

    /// One that signs by this algorithm.
    pub(crate) fn of(kind: Kind, name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate_for(algorithm(kind)).expect("a key");
        Authority(CertifiedIssuer::self_signed(params, key).expect("a root"))
    }

    pub(crate) fn root(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for these names that was valid in 2025 alone.
    pub(crate) fn issue_expired(&self, names: &[&str]) -> Issued {
        let mut params = params(names);
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(2025, 12, 31);
        self.issue_from(params, Kind::Ecdsa)
    }

    pub(crate) fn issue(&self, kind: Kind, names: &[&str]) -> Issued {
        self.issue_from(params(names), kind)
    }

    /// As [`issue`](Authority::issue), already read.
    pub(crate) fn certificate(&self, kind: Kind, names: &[&str]) -> Arc<Certificate> {
        self.issue(kind, names).read()
    }

    fn issue_from(&self, params: CertificateParams, kind: Kind) -> Issued {
        let key = KeyPair::generate_for(algorithm(kind)).expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Issued { chain: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Issued {
    pub(crate) fn read(&self) -> Arc<Certificate> {
        Arc::new(Certificate::parse(self.chain.as_bytes(), self.key.as_bytes()).expect("a certificate"))
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).expect("names")
}

fn algorithm(kind: Kind) -> &'static SignatureAlgorithm {
    match kind {
        Kind::Ecdsa => &PKCS_ECDSA_P256_SHA256,
        Kind::Ed25519 => &PKCS_ED25519,
        Kind::Rsa => &PKCS_RSA_SHA256,
        other => panic!("no test needs {other:?}"),
    }
}
