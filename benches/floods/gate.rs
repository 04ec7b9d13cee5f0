//! Sluicegate on a core of its own, with the limits that it has by itself.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;
use test_support::Process;
use test_support::manifests::{CLASS, secret};

use crate::attack;
use crate::cores::pinned;
use crate::manifests::{HOST, backend};
use crate::measure::resident_kib;
use crate::process;
use crate::upstream::Upstreams;

/// A process that runs until this value is dropped.
pub(crate) struct Gate {
    process: Process,
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
    folder: TempDir,
}

impl Gate {
    /// Starts it and waits until it answers for the good clients' upstream.
    pub(crate) fn start(core: usize, upstreams: &Upstreams, connections: u32) -> Result<Gate> {
        let folder = tempfile::tempdir()?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([HOST.to_owned()])?.self_signed(&key)?.pem();
        fs::write(folder.path().join("root.pem"), &certificate)?;
        let manifests = folder.path().join("manifests");
        fs::create_dir(&manifests)?;
        fs::write(manifests.join("bench.yaml"), manifests_of(upstreams))?;
        fs::write(
            manifests.join("secret.yaml"),
            secret("name: bench, namespace: shop", &certificate, &key.serialize_pem()),
        )?;
        // Cargo puts all programs of the workspace into one folder.
        let program = std::env::current_exe()?.with_file_name("sluicegate");
        ensure!(
            program.is_file(),
            "{} is not there: build it with `cargo xtask bench floods`",
            program.display()
        );
        let mut command = pinned(core, program);
        command.arg("run").arg("--manifests").arg(manifests).arg("--http2-cleartext");
        command.args(["--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        command.args(["--access-log", "off", "--workers", "1"]).env("NO_COLOR", "1");
        // Good clients are to find a place beside the attackers: this is not about how many files there are.
        command.args(["--connections-max", &connections.to_string()]);
        let mut process = process::start("sluicegate", command)?;
        let (http, https) = (process.listening("http=")?, process.listening("https=")?);
        let admin = process.listening("admin=")?;
        process::wait_for_200(&mut process, admin, "/ready").context("sluicegate is not ready")?;
        process::wait_for_200(&mut process, http, "/")?;
        Ok(Gate { process, http, https, folder })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The certificate that it presents, which is its own root.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// Whether it has ended, or has said that it panicked; then with what it has said.
    pub(crate) fn fault(&self) -> Option<String> {
        let said = self.process.said();
        let fine = resident_kib(self.id()).is_ok() && !said.contains("panicked at");
        (!fine).then_some(said)
    }
}

fn manifests_of(upstreams: &Upstreams) -> String {
    let good = backend("good", HOST, upstreams.good, true);
    let flooded = backend("flooded", attack::HOST, upstreams.flooded, true);
    format!("{CLASS}{good}{flooded}")
}
