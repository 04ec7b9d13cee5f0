//! The control plane as one thing: started as a whole, spoken to, broken, and ended as a whole.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::credentials::{self, Credentials};
use crate::etcd::Etcd;
use crate::family::Family;
use crate::kubernetes::{self, Files, Port};
use crate::{Binaries, Error, Server};

/// A running control plane. Dropping it ends it, and so does the end of this process, however that comes.
pub struct ControlPlane {
    // In the order in which they end.
    controllers: Server,
    apiserver: Server,
    etcd: Etcd,
    binaries: Binaries,
    files: Files,
    kubeconfig: PathBuf,
    server: String,
    ca: String,
    _port: Port,
    _family: Family,
}

impl ControlPlane {
    /// Starts everything and returns when a pod could be created.
    ///
    /// # Errors
    /// If a server ends or is not ready in time; the error shows the end of its log.
    pub fn start(binaries: &Binaries) -> Result<Self, Error> {
        Self::start_for(binaries, false)
    }

    /// Starts one whose nodes will be real ones: its controllers look after them.
    ///
    /// # Errors
    /// If a server ends or is not ready in time; the error shows the end of its log.
    pub fn start_for_nodes(binaries: &Binaries) -> Result<Self, Error> {
        Self::start_for(binaries, true)
    }

    fn start_for(binaries: &Binaries, has_nodes: bool) -> Result<Self, Error> {
        let family = Family::start()?;
        let files = Files::new(family.folder());
        let port = Port::reserve()?;
        let credentials = Credentials::random()?;
        credentials.write_token_file(&files.tokens())?;
        let (server, kubeconfig) = (port.url(), files.kubeconfig());
        let admin = credentials::kubeconfig(&server, &files.ca(), &format!("token: {}", credentials.token()));
        credentials::write(&kubeconfig, &admin)?;

        let etcd = Etcd::new(binaries, &files, family.group());
        etcd.server().launch()?;
        let apiserver =
            Server::new(kubernetes::apiserver(binaries, &files, &port, &etcd.url(), family.group()));
        apiserver.launch()?;
        etcd.server().wait_until_ready()?;
        apiserver.wait_until_ready()?;
        let controllers =
            Server::new(kubernetes::controller_manager(binaries, &files, has_nodes, family.group()));
        controllers.start()?;
        let ca = credentials::read(&files.ca())?;
        let binaries = binaries.clone();
        Ok(Self {
            controllers,
            apiserver,
            etcd,
            binaries,
            files,
            kubeconfig,
            server,
            ca,
            _port: port,
            _family: family,
        })
    }

    /// Where the API server is: `https://127.0.0.1:…`, the same for all its lives.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The certificate of the CA that has signed the API server's.
    pub fn ca_pem(&self) -> &str {
        &self.ca
    }

    /// The kubeconfig of a user who may do anything (group `system:masters`).
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The text of a kubeconfig for a user with this token, such as `kubectl create token NAME` prints.
    pub fn kubeconfig_with_token(&self, token: &str) -> String {
        credentials::kubeconfig(&self.server, &self.files.ca(), &format!("token: {token}"))
    }

    /// The text of a kubeconfig for a user with the token in this file, which may be replaced any time.
    pub fn kubeconfig_with_token_file(&self, file: &Path) -> String {
        credentials::kubeconfig(&self.server, &self.files.ca(), &format!("tokenFile: {}", file.display()))
    }

    /// A kubectl for this cluster, as a user who may do anything.
    pub fn kubectl(&self) -> Command {
        kubernetes::kubectl(&self.binaries, &self.files)
    }

    /// kube-apiserver: to pause, resume, kill and start again.
    pub fn apiserver(&self) -> &Server {
        &self.apiserver
    }

    /// etcd: to pause, resume, kill and start again with its data; [`wipe_etcd`](Self::wipe_etcd) starts it without.
    pub fn etcd(&self) -> &Server {
        self.etcd.server()
    }

    /// kube-controller-manager: to pause, resume, kill and start again.
    pub fn controllers(&self) -> &Server {
        &self.controllers
    }

    /// Applies manifests as a user who may do anything.
    ///
    /// # Errors
    /// With what kubectl said.
    pub fn apply(&self, manifests: &str) -> Result<(), Error> {
        self.run(&["apply", "--server-side", "--filename=-"], manifests)
    }

    /// Makes every resourceVersion that a client may hold too old: to resume from it gives 410 Gone.
    ///
    /// etcd forgets all revisions but one that is newer than any that was handed out. The API server has a watch cache
    /// that would still remember, so it is killed and started again; all watches end.
    ///
    /// # Errors
    /// If etcd refuses or the API server does not come back.
    pub fn compact(&self) -> Result<(), Error> {
        self.etcd.compact()?;
        self.apiserver.kill()?;
        self.apiserver.start()
    }

    /// Kills etcd and starts it with nothing in it. The API server goes on, with caches of what is no more.
    ///
    /// # Errors
    /// If etcd does not come back.
    pub fn wipe_etcd(&self) -> Result<(), Error> {
        self.etcd.wipe()
    }

    /// A cluster restored from nothing: all objects are gone, resourceVersions begin at one again, and both Kubernetes
    /// servers have been started anew, with the same port and keys.
    ///
    /// # Errors
    /// If a server does not come back.
    pub fn wipe(&self) -> Result<(), Error> {
        self.controllers.kill()?;
        self.apiserver.kill()?;
        self.etcd.wipe()?;
        self.apiserver.start()?;
        self.controllers.start()
    }

    /// Runs kubectl to its end and shows nothing of what it prints.
    ///
    /// # Errors
    /// With what kubectl said.
    pub fn run(&self, args: &[&str], input: &str) -> Result<(), Error> {
        let shown = || format!("kubectl {}", args.join(" "));
        let output =
            feed(self.kubectl().args(args), input).map_err(Error::io(format!("run `{}`", shown())))?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::Kubectl { command: shown(), stderr: String::from_utf8_lossy(&output.stderr).into_owned() })
    }
}

fn feed(command: &mut Command, input: &str) -> io::Result<Output> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    // One that ends before it has read all tells why itself.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
    child.wait_with_output()
}
