//! Manifests, as an operator writes them: small objects of the namespace `shop`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The class of all Ingresses here.
pub const CLASS: &str = "apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: sluicegate }
spec: { controller: sluicegate.io/ingress-controller }
";

/// A folder of manifests that goes away with this value.
#[derive(Debug)]
pub struct Folder {
    root: tempfile::TempDir,
}

impl Folder {
    /// With these files, each a name and its text.
    ///
    /// # Panics
    /// If they cannot be written.
    pub fn new(files: &[(&str, String)]) -> Folder {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir(root.path().join("manifests")).expect("a folder");
        let folder = Folder { root };
        files.iter().for_each(|(file, text)| folder.write(file, text));
        folder
    }

    /// Where the manifests are.
    pub fn path(&self) -> PathBuf {
        self.root.path().join("manifests")
    }

    /// A place outside the manifests.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Replaces a file in one step.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, file: &str, text: &str) {
        let new = self.beside("new");
        fs::write(&new, text).expect("a file");
        fs::rename(new, self.path().join(file)).expect("a file");
    }

    /// Removes a file.
    ///
    /// # Panics
    /// If it is not there.
    pub fn remove(&self, file: &str) {
        fs::remove_file(self.path().join(file)).expect("a file");
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        self.root.path()
    }
}

/// An Ingress with one Prefix rule.
pub fn ingress(name: &str, host: &str, path: &str, service: &str) -> String {
    format!(
        r#"
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{ name: {name}, namespace: shop }}
spec:
  ingressClassName: sluicegate
  rules:
    - host: {host}
      http:
        paths:
          - {{ path: {path}, pathType: Prefix, backend: {{ service: {{ name: {service}, port: {{ number: 80 }} }} }} }}
"#
    )
}

/// A Service with port 80.
pub fn service(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{ name: {name}, namespace: shop }}\n\
         spec: {{ ports: [{{ name: http, port: 80 }}] }}\n"
    )
}

/// An EndpointSlice with one endpoint.
pub fn slice(service: &str, address: SocketAddr, ready: bool) -> String {
    slice_of(service, &[address], ready)
}

/// An EndpointSlice with endpoints, all on one port.
///
/// # Panics
/// If there is none.
pub fn slice_of(service: &str, addresses: &[SocketAddr], ready: bool) -> String {
    let port = addresses.first().expect("an endpoint").port();
    let endpoint = |address: &SocketAddr| {
        format!("  - {{ addresses: [\"{}\"], conditions: {{ ready: {ready} }} }}\n", address.ip())
    };
    let endpoints: String = addresses.iter().map(endpoint).collect();
    format!(
        r#"
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{ name: {service}-1, namespace: shop, labels: {{ kubernetes.io/service-name: {service} }} }}
addressType: IPv4
ports: [{{ name: http, port: {port} }}]
endpoints:
{endpoints}"#
    )
}

/// A Secret with a certificate and its key, in PEM; its metadata as `name: web, namespace: shop`.
pub fn secret(metadata: &str, chain: &str, key: &str) -> String {
    let quoted = |pem: &str| pem.replace('\n', "\\n");
    format!(
        "{{apiVersion: v1, kind: Secret, metadata: {{{metadata}}}, type: kubernetes.io/tls, stringData: {{tls.crt: \"{}\", \
         tls.key: \"{}\"}}}}\n",
        quoted(chain),
        quoted(key)
    )
}
