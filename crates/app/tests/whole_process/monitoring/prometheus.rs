//! A Prometheus that reads one gate.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Client, eventually};

/// A program of Prometheus: one that is installed, else that of `cargo xtask setup`.
pub(super) fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let unpacked = cache.map(|cache| cache.join("sluicegate/prometheus/usr/bin"));
    let programs = std::env::split_paths(&path).chain(unpacked).map(|folder| folder.join(name));
    programs
        .into_iter()
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("no {name}; run `cargo xtask setup`"))
}

/// It is killed when it is dropped.
pub(super) struct Prometheus {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts one on a free port, which reads `/metrics` here once a second.
    pub(super) fn start(of: SocketAddr) -> Prometheus {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("prometheus.yaml");
        let job = format!("job_name: sluicegate, static_configs: [{{ targets: ['{of}'] }}]");
        fs::write(&config, format!("global: {{ scrape_interval: 1s }}\nscrape_configs: [{{ {job} }}]\n"))
            .unwrap();
        let mut command = Command::new(program("prometheus"));
        command.arg("--config.file").arg(&config).arg("--storage.tsdb.path").arg(folder.path().join("data"));
        command.args(["--web.listen-address", "127.0.0.1:0"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let address = eventually("the port of Prometheus", || {
            assert_eq!(process.try_wait().unwrap(), None, "Prometheus has ended");
            listens(process.id())
        });
        let prometheus = Prometheus { process, address, _folder: folder };
        eventually("a Prometheus that is ready", || (prometheus.get("/-/ready").0 == 200).then_some(()));
        prometheus
    }

    fn get(&self, path: &str) -> (u16, String) {
        let answer = Client::connect(self.address).get("prometheus", path);
        (answer.status, answer.body)
    }

    /// What is wrong with a query, and how many series answer it.
    pub(super) fn ask(&self, query: &str) -> (Option<String>, usize) {
        let query: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let (_, body) = self.get(&format!("/api/v1/query?query={query}"));
        let answer: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
        let error = answer["error"].as_str().map(str::to_owned);
        (error, answer["data"]["result"].as_array().map_or(0, Vec::len))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where a process listens, which it does not tell: the one of its sockets that the kernel lists as listening.
fn listens(process: u32) -> Option<SocketAddr> {
    let folder = Path::new("/proc").join(process.to_string());
    let links =
        fs::read_dir(folder.join("fd")).ok()?.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let sockets: Vec<String> = links
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let listed = fs::read_to_string(folder.join("net/tcp")).ok()?;
    listed.lines().skip(1).find_map(|line| {
        const LISTENS: &str = "0A";
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_it = fields[3] == LISTENS && sockets.iter().any(|socket| *socket == fields[9]);
        let port = u16::from_str_radix(fields[1].split_once(':')?.1, 16).ok()?;
        is_it.then(|| SocketAddr::from(([127, 0, 0, 1], port)))
    })
}
