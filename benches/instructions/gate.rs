//! Sluicegate under callgrind, with one worker and its access log in a file.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use test_support::Process;
use test_support::manifests::{CLASS, secret};

use crate::callgrind;
use crate::manifests::{HOST, backend};
use crate::process;
use crate::upstream::Upstream;
use crate::worker::Worker;

/// A running gate. Callgrind writes its counts when this value is dropped.
pub(crate) struct Gate {
    process: Process,
    pub(crate) worker: Worker,
    pub(crate) http: SocketAddr,
    root: CertificateDer<'static>,
}

impl Gate {
    /// Starts it with these flags beside the usual ones, and with what its Ingress asks for (in YAML, between braces), and waits
    /// until it serves.
    pub(crate) fn start(
        program: &Path,
        folder: &Path,
        upstream: &Upstream,
        flags: &[&str],
        annotations: &str,
    ) -> Result<Gate> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([HOST.to_owned()])?.self_signed(&key)?;
        let manifests = folder.join("manifests");
        fs::create_dir(&manifests)?;
        let backend = backend("upstream", HOST, upstream.address, true);
        let asked = format!("namespace: shop, annotations: {{{annotations}}}");
        fs::write(
            manifests.join("bench.yaml"),
            CLASS.to_owned() + &backend.replacen("namespace: shop", &asked, 1),
        )?;
        fs::write(
            manifests.join("secret.yaml"),
            secret("name: bench, namespace: shop", &certificate.pem(), &key.serialize_pem()),
        )?;
        let mut command = callgrind::command(program, folder)?;
        command.args(["run", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--workers", "1"]);
        command.args(flags).arg("--manifests").arg(manifests);
        command.arg("--access-log").arg(folder.join("access.log"));
        // When the allocator looks through its caches depends on the time: here it never does.
        command.env("_RJEM_MALLOC_CONF", "tcache_gc_incr_bytes:1073741824");
        // Half the files that it may open otherwise, which another machine may have fewer of.
        command.args(["--connections-max", "1000"]).env("NO_COLOR", "1");
        let mut process = process::start("sluicegate under callgrind", command)?;
        let (http, admin) = (process.listening("http=")?, process.listening("admin=")?);
        process::wait_for_200(&mut process, admin, "/ready").context("sluicegate is not ready")?;
        let worker = Worker::of(process.id())?;
        upstream.is_behind(worker.clone());
        Ok(Gate { process, worker, http, root: certificate.der().clone() })
    }

    /// Where it speaks TLS, if the flags said so.
    pub(crate) fn https(&mut self) -> Result<SocketAddr> {
        Ok(self.process.listening("https=")?)
    }

    /// A client that believes its certificate, and offers one version of TLS.
    pub(crate) fn tls(&self) -> Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone())?;
        let versions = &[&rustls::version::TLS13];
        let builder = ClientConfig::builder_with_protocol_versions(versions);
        Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
    }
}
