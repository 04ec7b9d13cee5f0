//! How the two Kubernetes servers are started.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use socket2::{Domain, Socket, Type};

use crate::server::Spec;
use crate::{Binaries, Error, credentials};

/// The controllers that an ingress can see the work of, and those that these need. None that looks after nodes or
/// their pods: there is no kubelet, so they would find every node dead within a minute and take its pods out.
const CONTROLLERS: [&str; 14] = [
    "clusterrole-aggregation-controller",
    "daemonset-controller",
    "deployment-controller",
    "endpoints-controller",
    "endpointslice-controller",
    "endpointslice-mirroring-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "replicaset-controller",
    "root-ca-certificate-publisher-controller",
    "service-cidr-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "statefulset-controller",
];

/// What looks after nodes beside: one that is not heard of is tainted, loses its pods, and is no endpoint any more. (The
/// first of them also lets pods onto a node that has just become ready.)
const NODE_CONTROLLERS: [&str; 3] =
    ["node-lifecycle-controller", "pod-garbage-collector-controller", "taint-eviction-controller"];

/// A port that is ours until this is dropped, whether or not the API server runs: it shares the port with a socket that
/// never listens, and no other process is given it meanwhile.
pub(crate) struct Port {
    number: u16,
    _socket: Socket,
}

impl Port {
    pub(crate) fn reserve() -> Result<Self, Error> {
        let socket = || -> std::io::Result<(u16, Socket)> {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
            socket.set_reuse_port(true)?;
            socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
            let address = socket.local_addr()?.as_socket().expect("an IPv4 socket has such an address");
            Ok((address.port(), socket))
        };
        let (number, socket) = socket().map_err(Error::io("reserve a port on 127.0.0.1"))?;
        Ok(Self { number, _socket: socket })
    }

    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.number)
    }
}

/// Where the files are that both servers use.
#[derive(Clone)]
pub(crate) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    pub(crate) fn in_folder(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The API server makes it, and its key, if they are not there.
    fn certificate(&self) -> PathBuf {
        self.in_folder("apiserver.crt")
    }

    /// Also signs the tokens of service accounts.
    fn key(&self) -> PathBuf {
        self.in_folder("apiserver.key")
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.in_folder("ca.crt")
    }

    /// Writes the CA's certificate once the API server has made its own.
    fn ensure_ca(&self) -> Result<(), Error> {
        if self.ca().exists() {
            return Ok(());
        }
        credentials::write(&self.ca(), &credentials::ca(&self.certificate())?)
    }

    pub(crate) fn tokens(&self) -> PathBuf {
        self.in_folder("tokens.csv")
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.in_folder("kubeconfig")
    }
}

pub(crate) fn apiserver(binaries: &Binaries, files: &Files, port: &Port, etcd: &str, group: i32) -> Spec {
    let asked = (port.number, binaries.clone(), files.clone());
    Spec {
        name: "kube-apiserver",
        program: binaries.program("kube-apiserver"),
        args: apiserver_args(files, port, etcd),
        log: files.in_folder("kube-apiserver.log"),
        group,
        is_ready: Box::new(move || {
            let (port, binaries, files) = &asked;
            // A connection costs nothing, a kubectl a tenth of a second of a whole core.
            TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok()
                && files.ensure_ca().is_ok()
                && succeeds(kubectl(binaries, files).args(["get", "--raw=/readyz"]))
        }),
    }
}

fn apiserver_args(files: &Files, port: &Port, etcd: &str) -> Vec<String> {
    let flag = |name: &str, value: PathBuf| format!("--{name}={}", value.display());
    vec![
        format!("--etcd-servers={etcd}"),
        format!("--secure-port={}", port.number),
        "--permit-port-sharing=true".into(),
        "--bind-address=127.0.0.1".into(),
        // It would look for a default route, and refuse to publish a loopback address.
        "--advertise-address=127.0.0.1".into(),
        "--endpoint-reconciler-type=none".into(),
        // For logs and exec on real nodes: no DNS knows their names.
        "--kubelet-preferred-address-types=InternalIP".into(),
        flag("cert-dir", files.folder.clone()),
        flag("token-auth-file", files.tokens()),
        "--authorization-mode=Node,RBAC".into(),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".into(),
        flag("service-account-key-file", files.key()),
        flag("service-account-signing-key-file", files.key()),
        "--service-cluster-ip-range=10.96.0.0/16".into(),
        "--allow-privileged=true".into(),
        "--profiling=false".into(),
    ]
}

pub(crate) fn controller_manager(binaries: &Binaries, files: &Files, has_nodes: bool, group: i32) -> Spec {
    let asked = (binaries.clone(), files.clone());
    Spec {
        name: "kube-controller-manager",
        program: binaries.program("kube-controller-manager"),
        args: controller_manager_args(files, has_nodes),
        log: files.in_folder("kube-controller-manager.log"),
        group,
        is_ready: Box::new(move || {
            let (binaries, files) = &asked;
            // The first thing that only it makes, and that no pod can be created without.
            succeeds(kubectl(binaries, files).args([
                "get",
                "--namespace=default",
                "serviceaccount",
                "default",
            ]))
        }),
    }
}

fn controller_manager_args(files: &Files, has_nodes: bool) -> Vec<String> {
    let nodes: &[&str] = if has_nodes { &NODE_CONTROLLERS } else { &[] };
    vec![
        format!("--kubeconfig={}", files.kubeconfig().display()),
        format!("--service-account-private-key-file={}", files.key().display()),
        format!("--root-ca-file={}", files.ca().display()),
        format!("--controllers={}", [&CONTROLLERS, nodes].concat().join(",")),
        "--leader-elect=false".into(),
        // No port: no client asks it anything.
        "--secure-port=0".into(),
        // The default, 20 a second, would make a test with a thousand Services wait for a minute.
        "--kube-api-qps=1000".into(),
        "--kube-api-burst=2000".into(),
    ]
}

/// Reads and writes nothing in the user's home.
pub(crate) fn kubectl(binaries: &Binaries, files: &Files) -> Command {
    let mut kubectl = Command::new(binaries.program("kubectl"));
    kubectl.env("KUBECONFIG", files.kubeconfig()).env("KUBECACHEDIR", files.in_folder("kubectl"));
    kubectl.env("KUBERC", "off");
    kubectl
}

fn succeeds(command: &mut Command) -> bool {
    command.arg("--request-timeout=5s").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
