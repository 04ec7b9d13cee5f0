//! A controller that follows a namespace of a real control plane.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use compile::Settings;
use control_plane::{Binaries, ControlPlane};
use controller::{Cluster, ControllerConfig, Live, Namespaces, Secrets, Source, run};
use k8s_openapi::api::core::v1::{Namespace, Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client};
use lifecycle::drain::drain;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use test_support::wait::until;
use tls::{Certificate, Certificates, Entry};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Short, so that a deletion is told while a test waits for it.
const GRACE_PERIOD: Duration = Duration::from_secs(1);

static PLANE: LazyLock<ControlPlane> = LazyLock::new(|| {
    let binaries = Binaries::find().unwrap_or_else(|why| panic!("{why}"));
    ControlPlane::start(&binaries).unwrap_or_else(|why| panic!("{why}"))
});

pub(crate) struct Following {
    pub(crate) live: Live,
    client: Client,
    namespace: &'static str,
    controller: JoinHandle<()>,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.controller.abort();
    }
}

/// A certificate and its key, both PEM.
pub(crate) struct Issued {
    chain: String,
    key: String,
}

pub(crate) fn issue(host: &str) -> Issued {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([host.to_owned()]).expect("names");
    Issued { chain: cert.pem(), key: signing_key.serialize_pem() }
}

impl Issued {
    pub(crate) fn is(&self, entry: &Entry) -> bool {
        let expected = Certificate::parse(self.chain.as_bytes(), self.key.as_bytes()).expect("a certificate");
        entry.certificates()[0].chain() == expected.chain()
    }
}

impl Following {
    /// Follows a new namespace, and waits until it is read.
    pub(crate) async fn start(namespace: &'static str) -> Following {
        let kubeconfig =
            tokio::task::spawn_blocking(|| PLANE.kubeconfig().to_owned()).await.expect("a plane");
        let client = client(&kubeconfig).await;
        let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
        apply(&Api::<Namespace>::all(client.clone()), namespace, &object).await;
        serve(&client, namespace).await;
        let namespaces = Namespaces::Named(vec![namespace.into()]);
        let secrets = Secrets { grace_period: GRACE_PERIOD, ..Secrets::default() };
        let cluster = Cluster { kubeconfig: Some(kubeconfig), namespaces, secrets, ..Cluster::default() };
        let config = ControllerConfig::new(Source::Cluster(Box::new(cluster)), Settings::default());
        let (live, (synced, read)) = (Live::default(), oneshot::channel());
        let publish = live.clone();
        let controller = tokio::spawn(async move {
            let (_serving, watch) = drain();
            let ended = run(config, publish, watch, || synced.send(()).expect("the test waits")).await;
            panic!("the controller ended: {ended:?}");
        });
        read.await.expect("the cluster is read");
        Following { live, client, namespace, controller }
    }

    pub(crate) async fn secret(&self, name: &str, issued: &Issued) {
        let data = json!({ "tls.crt": issued.chain, "tls.key": issued.key });
        let secret =
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "stringData": data });
        apply(&self.api::<Secret>(), name, &secret).await;
    }

    /// An Ingress that lists this host beside this Secret.
    pub(crate) async fn ingress(&self, name: &str, host: &str, secret: &str) {
        let spec = json!({
            "ingressClassName": "sluicegate",
            "tls": [{ "hosts": [host], "secretName": secret }],
            "rules": [{ "host": host, "http": { "paths": [{
                "path": "/",
                "pathType": "Prefix",
                "backend": { "service": { "name": "web", "port": { "number": 80 } } },
            }] } }],
        });
        let ingress = json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "name": name }, "spec": spec,
        });
        apply(&self.api::<Ingress>(), name, &ingress).await;
    }

    pub(crate) async fn delete_secret(&self, name: &str) {
        self.api::<Secret>().delete(name, &DeleteParams::default()).await.expect("deleted");
    }

    pub(crate) async fn delete_ingress(&self, name: &str) {
        self.api::<Ingress>().delete(name, &DeleteParams::default()).await.expect("deleted");
    }

    fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), self.namespace)
    }

    /// Counts from here on how often certificates are published without one for this host.
    pub(crate) fn publications_without(&self, host: &'static str) -> Arc<AtomicUsize> {
        let (without, live) = (Arc::new(AtomicUsize::new(0)), self.live.certificates.clone());
        let count = Arc::clone(&without);
        self.live.certificates.subscribe(move || {
            let missing = live.load().find(Some(host)).is_none();
            count.fetch_add(usize::from(missing), Ordering::Relaxed);
        });
        without
    }

    /// Waits until the certificates that are live are such.
    pub(crate) async fn until(&self, condition: impl Fn(&Certificates) -> bool) {
        self.eventually(|| condition(&self.live.certificates.load())).await;
    }

    /// Waits until a problem of this reason is told.
    pub(crate) async fn until_told(&self, reason: &str) {
        self.eventually(|| self.live.problems.load().iter().any(|problem| problem.reason == reason)).await;
    }

    async fn eventually(&self, condition: impl Fn() -> bool) {
        let holds = until(condition).await;
        holds.unwrap_or_else(|late| panic!("{late}: {:#?}", self.live.problems.load()));
    }
}

/// A Service with an endpoint: an Ingress waits for those too.
async fn serve(client: &Client, namespace: &str) {
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web" },
        "spec": { "ports": [{ "name": "http", "port": 80 }] },
    });
    apply(&Api::<Service>::namespaced(client.clone(), namespace), "web", &service).await;
    let slice = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": { "name": "web-1", "labels": { "kubernetes.io/service-name": "web" } },
        "addressType": "IPv4", "endpoints": [{ "addresses": ["192.0.2.1"] }],
        "ports": [{ "name": "http", "port": 8080 }],
    });
    apply(&Api::<EndpointSlice>::namespaced(client.clone(), namespace), "web-1", &slice).await;
}

async fn client(kubeconfig: &PathBuf) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    Client::try_from(config.expect("a config")).expect("a client")
}

async fn apply<K>(api: &Api<K>, name: &str, object: &Value)
where
    K: kube::Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    api.patch(name, &PatchParams::apply("test").force(), &Patch::Apply(object)).await.expect("applied");
}
