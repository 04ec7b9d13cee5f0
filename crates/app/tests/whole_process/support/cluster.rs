//! A namespace of a real cluster, and the program that follows it.

use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};

use control_plane::{Binaries, ControlPlane};
use k8s_openapi::NamespaceResourceScope;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind, Resource};
use kube::{Api, Client, Config};
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

use super::{Gate, Relay, Slowness, Upstream, program};

/// For tests that break nothing. It ends with the process.
static SHARED: LazyLock<Arc<ControlPlane>> = LazyLock::new(start);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
});

/// Tests are not async; the API server's client is.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

fn start() -> Arc<ControlPlane> {
    let binaries = Binaries::find().unwrap_or_else(|why| panic!("{why}"));
    let plane = ControlPlane::start(&binaries).unwrap_or_else(|why| panic!("{why}"));
    plane.create_node("node-1").unwrap();
    Arc::new(plane)
}

/// A namespace with an Ingress class of its own, so that tests on one control plane do not see each other.
pub(crate) struct Cluster {
    pub(crate) plane: Arc<ControlPlane>,
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

impl Cluster {
    /// A new namespace of the control plane that all share.
    pub(crate) fn shared(namespace: &str) -> Cluster {
        Cluster::on(Arc::clone(&SHARED), namespace)
    }

    /// A new namespace of a control plane that this test may break.
    pub(crate) fn own(namespace: &str) -> Cluster {
        Cluster::on(start(), namespace)
    }

    fn on(plane: Arc<ControlPlane>, namespace: &str) -> Cluster {
        let kubeconfig = Kubeconfig::read_from(plane.kubeconfig()).unwrap();
        let client = block_on(async {
            let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
            Client::try_from(config.unwrap()).unwrap()
        });
        let cluster = Cluster { plane, client, namespace: namespace.into() };
        cluster.apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}"));
        cluster.apply(&cluster.class());
        cluster
    }

    /// The IngressClass of this namespace, which bears its name.
    pub(crate) fn class(&self) -> String {
        let name = &self.namespace;
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {{name: {name}}}, spec: {{controller: \
             test.example/{name}}}}}"
        )
    }

    /// Applies manifests; those without a namespace go into this one, unless their kind has none.
    pub(crate) fn apply(&self, manifests: &str) {
        self.try_apply(manifests).unwrap();
    }

    pub(crate) fn try_apply(&self, manifests: &str) -> kube::Result<()> {
        for manifest in manifests.split("\n---\n").filter(|manifest| !manifest.trim().is_empty()) {
            let mut object: DynamicObject = serde_saphyr::from_str(manifest).unwrap();
            let types = object.types.clone().expect("apiVersion and kind");
            let resource = ApiResource::from_gvk(&GroupVersionKind::try_from(&types).unwrap());
            let global = ["Namespace", "IngressClass", "ClusterRole", "ClusterRoleBinding", "Node"];
            let api: Api<DynamicObject> = if global.contains(&&*types.kind) {
                Api::all_with(self.client.clone(), &resource)
            } else {
                let namespace = object.metadata.namespace.get_or_insert(self.namespace.clone()).clone();
                Api::namespaced_with(self.client.clone(), &namespace, &resource)
            };
            let name = object.metadata.name.clone().expect("a name");
            block_on(api.patch(&name, &PatchParams::apply("test").force(), &Patch::Apply(&object)))?;
        }
        Ok(())
    }

    /// The objects of a kind in this namespace.
    pub(crate) fn api<K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Deletes an object of this namespace.
    pub(crate) fn delete<K>(&self, name: &str)
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        block_on(self.api::<K>().delete(name, &DeleteParams::default())).unwrap();
    }

    /// The program, as a user who may do anything.
    pub(crate) fn gate(&self, more: &[&str]) -> Gate {
        self.gate_with(self.plane.kubeconfig().to_str().unwrap(), more).ready()
    }

    /// A way to the API server that a test can slow down and cut, and the text of a kubeconfig that goes there.
    pub(crate) fn relay(&self, slowness: Slowness) -> (Relay, String) {
        let server = self.plane.server();
        let relay = Relay::start(server.trim_start_matches("https://").parse().unwrap(), slowness);
        let direct = std::fs::read_to_string(self.plane.kubeconfig()).unwrap();
        let through = direct.replace(server, &format!("https://{}", relay.address));
        assert_ne!(direct, through);
        (relay, through)
    }

    /// The program with this kubeconfig; it may not be ready for long.
    pub(crate) fn gate_with(&self, kubeconfig: &str, more: &[&str]) -> Gate {
        let controller = format!("test.example/{}", self.namespace);
        let mut command = program(&["run", "--kubeconfig", kubeconfig, "--class", &self.namespace]);
        Gate::run(command.args(["--controller-name", &controller]).args(more))
    }

    /// An upstream where a pod could be: the API server takes no loopback addresses.
    pub(crate) fn upstream(&self, name: &'static str) -> Upstream {
        Upstream::at(pod_address(), name)
    }

    /// An Ingress of one rule for all paths of a host.
    pub(crate) fn ingress(&self, name: &str, host: &str, service: &str) -> String {
        let class = &self.namespace;
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {{name: {name}}}, spec: {{ingressClassName: \
             {class}, rules: [{{host: {host}, http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: \
             {service}, port: {{number: 80}}}}}}}}]}}}}]}}}}"
        )
    }

    /// A Service without a selector, and one slice with these endpoints.
    pub(crate) fn service(&self, name: &str, endpoints: &[SocketAddr]) -> String {
        format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{ports: [{{name: http, port: 80}}]}}}}\
             \n---\n{}",
            self.slice(name, endpoints)
        )
    }

    /// The slice of a Service; all endpoints have the same port.
    pub(crate) fn slice(&self, service: &str, endpoints: &[SocketAddr]) -> String {
        let port = endpoints.first().map_or(80, SocketAddr::port);
        let address = |at: &SocketAddr| format!("{{addresses: [\"{}\"]}}", at.ip());
        let addresses: Vec<String> = endpoints.iter().map(address).collect();
        format!(
            "{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {{name: {service}-1, labels: \
             {{kubernetes.io/service-name: {service}}}}}, addressType: IPv4, ports: [{{name: http, port: {port}}}], \
             endpoints: [{}]}}",
            addresses.join(", ")
        )
    }
}

/// An address of this machine that a pod could have.
pub(crate) fn pod_address() -> IpAddr {
    control_plane::own_address().unwrap()
}
