//! Ingresses and Secrets, and what the store makes of them.

use std::sync::Arc;
use std::time::SystemTime;

use compile::{Compiled, ObjectKey, Objects, Settings};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use rcgen::{
    CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm, date_time_ymd,
};
use serde_json::{Value, json};
use tls::{AllClientCas, AllCredentials, Certificate, Certificates, Tickets};

use crate::certificates::CertificateStore;

pub(super) struct World {
    pub(super) objects: Objects,
    pub(super) settings: Settings,
    pub(super) store: CertificateStore,
    pub(super) tickets: Tickets,
    live: Arc<Certificates>,
}

/// A certificate and its key, both PEM.
pub(super) struct Issued {
    pub(super) chain: String,
    pub(super) key: String,
}

pub(super) fn issue(names: &[&str]) -> Issued {
    sign(params(names), &PKCS_ECDSA_P256_SHA256)
}

pub(super) fn issue_rsa(names: &[&str]) -> Issued {
    sign(params(names), &PKCS_RSA_SHA256)
}

/// Valid in 2026 alone.
pub(super) fn issue_for_2026(names: &[&str]) -> Issued {
    let mut params = params(names);
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2027, 1, 1));
    sign(params, &PKCS_ECDSA_P256_SHA256)
}

fn params(names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        .expect("names");
    // Each its own subject, so that no two look like a chain.
    params.distinguished_name.push(rcgen::DnType::CommonName, names.join(" "));
    params
}

fn sign(params: CertificateParams, by: &'static SignatureAlgorithm) -> Issued {
    let key = KeyPair::generate_for(by).expect("a key");
    let chain = params.self_signed(&key).expect("a certificate").pem();
    Issued { chain, key: key.serialize_pem() }
}

pub(super) fn key(name: &str) -> ObjectKey {
    let (namespace, name) = name.split_once('/').expect("a namespace");
    ObjectKey::new(namespace, name)
}

impl World {
    pub(super) fn new() -> World {
        World {
            objects: Objects::default(),
            settings: Settings::default(),
            store: CertificateStore::default(),
            tickets: Tickets::default(),
            live: Arc::default(),
        }
    }

    /// An Ingress with these TLS entries (a Secret and its hosts) and rules for these hosts.
    pub(super) fn ingress(&mut self, name: &str, tls: &[(&str, &[&str])], rules: &[&str]) {
        let tls: Vec<Value> =
            tls.iter().map(|(secret, hosts)| json!({ "secretName": secret, "hosts": hosts })).collect();
        let rules: Vec<Value> = rules.iter().map(|host| json!({ "host": host })).collect();
        let spec = json!({ "ingressClassName": "sluicegate", "tls": tls, "rules": rules });
        let ingress = serde_json::from_value(json!({ "metadata": {}, "spec": spec })).expect("an Ingress");
        self.objects.ingresses.insert(key(name), Arc::new(ingress));
    }

    /// An Ingress that names this Secret for handshakes with endpoints.
    pub(super) fn upstream(&mut self, name: &str, secret: &str) {
        self.annotated(name, "sluicegate.io/backend-tls-secret", secret);
    }

    /// One that names this Secret to verify clients by.
    pub(super) fn clients(&mut self, name: &str, secret: &str) {
        self.annotated(name, "sluicegate.io/client-tls-secret", secret);
    }

    fn annotated(&mut self, name: &str, annotation: &str, secret: &str) {
        let annotations = json!({ annotation: secret });
        let object = json!({
            "metadata": { "annotations": annotations },
            "spec": { "ingressClassName": "sluicegate" },
        });
        let ingress = serde_json::from_value(object).expect("an Ingress");
        self.objects.ingresses.insert(key(name), Arc::new(ingress));
    }

    /// What is to be live of credentials, if it is something else than before.
    pub(super) fn update_upstream(&mut self) -> Option<AllCredentials> {
        let compiled: Compiled = compile::compile(&self.objects, &self.settings, 1);
        self.store.update(&compiled, &self.objects).credentials
    }

    /// The same of what clients are verified by.
    pub(super) fn update_clients(&mut self) -> Option<AllClientCas> {
        let compiled: Compiled = compile::compile(&self.objects, &self.settings, 1);
        self.store.update(&compiled, &self.objects).client_cas
    }

    pub(super) fn remove_ingress(&mut self, name: &str) {
        self.objects.ingresses.remove(&key(name)).expect("it was there");
    }

    pub(super) fn secret(&mut self, name: &str, issued: &Issued) {
        self.data(name, &[("tls.crt", issued.chain.as_bytes()), ("tls.key", issued.key.as_bytes())]);
    }

    pub(super) fn data(&mut self, name: &str, data: &[(&str, &[u8])]) {
        let data = data.iter().map(|(name, bytes)| ((*name).to_owned(), ByteString(bytes.to_vec())));
        let secret = Secret { data: Some(data.collect()), ..Secret::default() };
        self.objects.secrets.insert(key(name), Arc::new(secret));
    }

    pub(super) fn delete(&mut self, name: &str) {
        self.objects.secrets.remove(&key(name)).expect("it was there");
    }

    /// What is to be live now, if it is another than before.
    pub(super) fn update(&mut self) -> Option<Arc<Certificates>> {
        self.store.share_keys(&self.settings, &self.objects, &self.tickets);
        let compiled: Compiled = compile::compile(&self.objects, &self.settings, 1);
        let live = Arc::new(self.store.update(&compiled, &self.objects).certificates?);
        self.live = Arc::clone(&live);
        Some(live)
    }

    /// Whether a client of this host is shown this certificate.
    pub(super) fn serves(&self, host: &str, issued: &Issued) -> bool {
        let expected =
            Certificate::parse(issued.chain.as_bytes(), issued.key.as_bytes()).expect("a certificate");
        let entry = self.live.find(Some(host));
        entry.is_some_and(|entry| entry.certificates()[0].chain() == expected.chain())
    }

    /// All problems, as they are shown.
    pub(super) fn told(&self) -> Vec<String> {
        self.problems_at(SystemTime::now())
    }

    pub(super) fn problems_at(&self, now: SystemTime) -> Vec<String> {
        self.store.problems(now).iter().map(ToString::to_string).collect()
    }

    /// Those of this reason, sorted.
    pub(super) fn problems(&self, reason: &str) -> Vec<String> {
        let mut told: Vec<String> =
            self.told().into_iter().filter(|told| told.contains(&format!("[{reason}]"))).collect();
        told.sort();
        told
    }
}
