//! Both proxies: the same site, and how each says goodbye.

use std::fmt;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustix::process::{Pid, Signal, kill_process};
use test_support::manifests::{CLASS, ingress, secret, service, slice};

use crate::upstream::Upstream;

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Goodbyes are handovers
    Sluicegate,
    /// Goodbyes are reloads
    Nginx,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_possible_value().expect("none is skipped").get_name())
    }
}

/// What is served where.
pub(crate) struct Site {
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    web: u16,
    calls: u16,
}

impl Site {
    /// With a certificate for `localhost`, and all files that the proxies read.
    pub(crate) fn new(folder: &Path, upstream: &Upstream) -> Result<Site> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let (web, calls) = (upstream.web.port(), upstream.calls.port());
        let site = Site { folder: folder.to_owned(), port, web, calls };
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        // OpenSSL takes a certificate whose issuer has its own name as signed by itself.
        params.distinguished_name.push(DnType::CommonName, "authority");
        let key = KeyPair::generate()?;
        fs::write(site.authority(), params.self_signed(&key)?.pem())?;
        let (issuer, key) = (Issuer::new(params, key), KeyPair::generate()?);
        let mut params = CertificateParams::new(["localhost".to_owned()])?;
        params.use_authority_key_identifier_extension = true;
        let signed = params.signed_by(&key, &issuer)?;
        let (chain, key) = (signed.pem(), key.serialize_pem());
        fs::write(folder.join("tls.crt"), &chain)?;
        fs::write(folder.join("tls.key"), &key)?;
        fs::write(folder.join("body"), vec![b'x'; 20_000])?;
        fs::write(folder.join("nginx.conf"), site.nginx())?;
        fs::create_dir(folder.join("manifests"))?;
        fs::write(folder.join("manifests/site.yaml"), site.manifests(&chain, &key))?;
        Ok(site)
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    fn manifests(&self, chain: &str, key: &str) -> String {
        let secret = secret("name: site, namespace: shop", chain, key);
        let web = backend("web", self.web, "http", "/");
        let calls = backend("calls", self.calls, "grpc", "/test.Test");
        [CLASS, &web, &calls, "---\n", &secret].concat()
    }

    fn nginx(&self) -> String {
        let Site { port, web, calls, .. } = self;
        format!(
            r#"user root;
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    client_body_temp_path body-temp; proxy_temp_path proxy-temp; fastcgi_temp_path fastcgi-temp;
    uwsgi_temp_path uwsgi-temp; scgi_temp_path scgi-temp;
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_set_header Connection "";
    upstream web {{ server 127.0.0.1:{web}; keepalive 64; }}
    upstream calls {{ server 127.0.0.1:{calls}; keepalive 64; }}
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate tls.crt;
        ssl_certificate_key tls.key;
        location / {{ proxy_pass http://web; }}
        location /test.Test {{ grpc_pass grpc://calls; }}
    }}
}}
"#
        )
    }
}

fn backend(name: &str, port: u16, protocol: &str, path: &str) -> String {
    let annotations = format!("annotations: {{ sluicegate.io/backend-protocol: {protocol} }}");
    let tls = "tls: [{ hosts: [localhost], secretName: site }]\n  rules:";
    let ingress = ingress(name, "localhost", path, name)
        .replace("namespace: shop", &format!("namespace: shop, {annotations}"))
        .replace("rules:", tls);
    let slice = slice(name, (Ipv4Addr::LOCALHOST, port).into(), true);
    ["---\n", &ingress, "---\n", &service(name), "---\n", &slice].concat()
}

/// One that runs, in all its generations.
pub(crate) struct Proxy {
    kind: Kind,
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    processes: Vec<Child>,
}

impl Proxy {
    pub(crate) fn start(kind: Kind, program: &Path, site: &Site) -> Result<Proxy> {
        let (program, folder) = (program.to_owned(), site.folder.clone());
        let mut proxy = Proxy { kind, program, folder, port: site.port, processes: Vec::new() };
        proxy.another()?;
        Ok(proxy)
    }

    /// All clients are told to leave, and served on the same port if they come back.
    pub(crate) fn say_goodbye(&mut self) -> Result<()> {
        match self.kind {
            Kind::Sluicegate => self.another(),
            Kind::Nginx => {
                let master = self.processes.first().context("it runs")?;
                Ok(kill_process(Pid::from_child(master), Signal::HUP)?)
            }
        }
    }

    fn another(&mut self) -> Result<()> {
        let said = self.folder.join(format!("{}-{}.log", self.kind, self.processes.len()));
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&said)?);
        let https = format!("127.0.0.1:{}", self.port);
        match self.kind {
            Kind::Nginx => command.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(&self.folder),
            Kind::Sluicegate => command.args([
                "run",
                "--manifests",
                "manifests",
                "--handover",
                "handover",
                "--http",
                "127.0.0.1:0",
                "--https",
                &https,
                "--admin",
                "127.0.0.1:0",
                "--workers",
                "1",
                "--access-log",
                "off",
            ]),
        };
        let child = command.spawn().with_context(|| format!("could not start {}", self.program.display()))?;
        self.processes.push(child);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = fs::read_to_string(&said)?;
            let serves = match self.kind {
                Kind::Sluicegate => text.contains(" serving"),
                Kind::Nginx => std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok(),
            };
            if serves {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{} does not serve; it said:\n{text}", self.kind);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Ends all; the last of sluicegate at a second signal.
impl Drop for Proxy {
    fn drop(&mut self) {
        for process in &mut self.processes {
            if process.try_wait().is_ok_and(|ended| ended.is_none()) {
                let _ = kill_process(Pid::from_child(process), Signal::TERM);
                let _ = kill_process(Pid::from_child(process), Signal::TERM);
            }
        }
        let deadline = Instant::now() + Duration::from_secs(3);
        for process in &mut self.processes {
            while Instant::now() < deadline && process.try_wait().is_ok_and(|ended| ended.is_none()) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
