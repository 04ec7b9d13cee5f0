//! The clients, each with another certificate, and the CA bundle that some of them are of.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, PublicKeyData, SigningKey, date_time_ymd,
};
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, SignatureScheme};

use super::first_version;

type Ca = CertifiedIssuer<'static, KeyPair>;

/// A client, by the certificate that it shows.
pub(super) struct Visitor {
    pub(super) name: &'static str,
    shows: Shows,
}

#[derive(Clone, Debug)]
struct Shows(Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

impl Visitor {
    /// How it shakes hands with a server of these roots. Each time anew: nothing is resumed.
    pub(super) fn config(
        &self,
        roots: &RootCertStore,
        version: &'static rustls::SupportedProtocolVersion,
    ) -> rustls::ClientConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            rustls::ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
        builder.with_root_certificates(roots.clone()).with_client_cert_resolver(Arc::new(self.shows.clone()))
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "DE");
    params.distinguished_name.push(DnType::OrganizationName, "Shop, \"Söhne\" + Co; #1");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn ca_params(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn root(name: &str) -> Ca {
    CertifiedIssuer::self_signed(ca_params(name), KeyPair::generate().unwrap()).unwrap()
}

fn below(name: &str, issuer: &Issuer<'_, impl SigningKey + PublicKeyData>) -> Ca {
    CertifiedIssuer::signed_by(ca_params(name), KeyPair::generate().unwrap(), issuer).unwrap()
}

fn visitor(name: &'static str, chain: &[&str], key: &str) -> Visitor {
    let chain = chain.iter().map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).collect();
    let key = any_supported_type(&PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap();
    // Unlike rustls' own ways it takes any certificate.
    Visitor { name, shows: Shows(Some(Arc::new(CertifiedKey::new(chain, key)))) }
}

/// A client of this CA with other certificates between them.
fn of(name: &'static str, ca: &Ca, params: CertificateParams, between: &[&Ca]) -> Visitor {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, ca).unwrap().pem();
    let between: Vec<String> = between.iter().map(|ca| ca.pem()).collect();
    let chain: Vec<&str> =
        [certificate.as_str()].into_iter().chain(between.iter().map(String::as_str)).collect();
    visitor(name, &chain, &key.serialize_pem())
}

/// The CA bundle, and all clients.
pub(super) fn all() -> (String, Vec<Visitor>) {
    let (ours, theirs) = (root("ours"), root("theirs"));
    let one = below("one below", &ours);
    let two = below("two below", &one);
    let three = below("three below", &two);
    let beside = below("beside", &ours);
    let their_one = below("theirs below", &theirs);
    let pinned = (KeyPair::generate().unwrap(), ca_params("pinned"));
    let pinned_pem = pinned.1.self_signed(&pinned.0).unwrap().pem();
    let lone = KeyPair::generate().unwrap();
    let lone_pem = params("lone").self_signed(&lone).unwrap().pem();
    let mut expired = params("expired");
    (expired.not_before, expired.not_after) = (date_time_ymd(2024, 1, 1), date_time_ymd(2025, 1, 1));
    let mut for_servers = params("for servers");
    for_servers.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut for_clients = params("for clients");
    for_clients.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let visitors = vec![
        Visitor { name: "without", shows: Shows(None) },
        of("good", &ours, params("good"), &[]),
        of("good, and its root", &ours, params("good"), &[&ours]),
        of("for clients", &ours, for_clients, &[]),
        of("for servers", &ours, for_servers, &[]),
        of("expired", &ours, expired.clone(), &[]),
        of("one between", &one, params("one between"), &[&one]),
        of("one between that is not sent", &one, params("one not sent"), &[]),
        of("one between that the bundle has", &beside, params("one in the bundle"), &[]),
        of("two between", &two, params("two between"), &[&two, &one]),
        of("three between", &three, params("three between"), &[&three, &two, &one]),
        of("of another CA", &theirs, params("of another"), &[]),
        of("of another CA, and its root", &theirs, params("of another"), &[&theirs]),
        of("of another CA, and one between", &their_one, params("of another"), &[&their_one]),
        of("of another CA, expired", &theirs, expired, &[]),
        visitor("self-signed", &[&lone_pem], &lone.serialize_pem()),
        visitor("self-signed and in the bundle", &[&pinned_pem], &pinned.0.serialize_pem()),
        visitor("first version", &[first_version::CERTIFICATE], first_version::KEY),
    ];
    let bundle = [ours.pem(), beside.pem(), pinned_pem, first_version::CA.to_owned()].concat();
    (bundle, visitors)
}
