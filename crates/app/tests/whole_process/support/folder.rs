//! Manifests, as an operator writes them.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A folder of manifests that goes away with the test.
pub(crate) struct Folder {
    root: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new(files: &[(&str, String)]) -> Folder {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("manifests")).unwrap();
        let folder = Folder { root };
        files.iter().for_each(|(file, text)| folder.write(file, text));
        folder
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.root.path().join("manifests")
    }

    /// A place outside the manifests.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Replaces a file in one step.
    pub(crate) fn write(&self, file: &str, text: &str) {
        let new = self.beside("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.path().join(file)).unwrap();
    }

    pub(crate) fn remove(&self, file: &str) {
        fs::remove_file(self.path().join(file)).unwrap();
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        self.root.path()
    }
}

/// An Ingress with one Prefix rule.
pub(crate) fn ingress(name: &str, host: &str, path: &str, service: &str) -> String {
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
pub(crate) fn service(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{ name: {name}, namespace: shop }}\n\
         spec: {{ ports: [{{ name: http, port: 80 }}] }}\n"
    )
}

/// An EndpointSlice with one endpoint.
pub(crate) fn slice(service: &str, address: SocketAddr, ready: bool) -> String {
    format!(
        r#"
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{ name: {service}-1, namespace: shop, labels: {{ kubernetes.io/service-name: {service} }} }}
addressType: IPv4
ports: [{{ name: http, port: {} }}]
endpoints: [{{ addresses: ["{}"], conditions: {{ ready: {ready} }} }}]
"#,
        address.port(),
        address.ip()
    )
}
