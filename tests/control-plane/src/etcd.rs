//! etcd, behind a unix socket: no port to be taken, and no access from elsewhere. Its JSON gateway is all we speak to it.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::kubernetes::Files;
use crate::server::{Server, Spec};
use crate::{Binaries, Error};

/// How long one answer may take. etcd answers in a millisecond unless the whole machine stands still.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A key that no API server looks at (base64 of `sluicegate`).
const KEY: &str = "c2x1aWNlZ2F0ZQ==";

/// The store of a control plane.
pub(crate) struct Etcd {
    server: Server,
    data: PathBuf,
    socket: PathBuf,
}

impl Etcd {
    pub(crate) fn new(binaries: &Binaries, files: &Files, group: i32) -> Self {
        let data = files.in_folder("etcd");
        let socket = files.in_folder("etcd.sock");
        let asked = socket.clone();
        let server = Server::new(Spec {
            name: "etcd",
            program: binaries.program("etcd"),
            args: args(&data, &url(&socket), &url(&files.in_folder("peer.sock"))),
            log: files.in_folder("etcd.log"),
            group,
            is_ready: Box::new(move || {
                ask(&asked, "GET", "/health", "").is_ok_and(|it| it.contains("\"true\""))
            }),
        });
        Self { server, data, socket }
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// For the API server.
    pub(crate) fn url(&self) -> String {
        url(&self.socket)
    }

    /// Starts it anew with nothing in it.
    pub(crate) fn wipe(&self) -> Result<(), Error> {
        self.server.kill()?;
        if self.data.exists() {
            let removed = std::fs::remove_dir_all(&self.data);
            removed.map_err(Error::io(format!("remove {}", self.data.display())))?;
        }
        self.server.start()
    }

    /// Forgets all revisions but the newest, which no client has seen: a key of ours was written for it.
    pub(crate) fn compact(&self) -> Result<(), Error> {
        let answer = self.post("/v3/kv/put", &format!(r#"{{"key":"{KEY}","value":""}}"#))?;
        let Some(revision) = revision(&answer) else {
            return Err(Error::Etcd { path: "/v3/kv/put", answer });
        };
        self.post("/v3/kv/compaction", &format!(r#"{{"revision":"{revision}","physical":true}}"#)).map(drop)
    }

    fn post(&self, path: &'static str, body: &str) -> Result<String, Error> {
        let answer = ask(&self.socket, "POST", path, body);
        let answer = answer.map_err(Error::io(format!("ask etcd for {path}")))?;
        if answer.split(' ').nth(1) == Some("200") { Ok(answer) } else { Err(Error::Etcd { path, answer }) }
    }
}

fn args(data: &Path, clients: &str, peers: &str) -> Vec<String> {
    vec![
        format!("--data-dir={}", data.display()),
        format!("--listen-client-urls={clients}"),
        format!("--advertise-client-urls={clients}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
        // What is written need not outlive the machine, only the process.
        "--unsafe-no-fsync".into(),
    ]
}

fn url(socket: &Path) -> String {
    format!("unix://{}", socket.display())
}

/// One request and all of its answer; HTTP/1.0, so that this is whatever comes until the end.
fn ask(socket: &Path, method: &str, path: &str, body: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    stream.set_write_timeout(Some(ANSWER_LIMIT))?;
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: etcd\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The gateway writes 64-bit numbers as strings.
fn revision(answer: &str) -> Option<&str> {
    let (_, rest) = answer.split_once(r#""revision":""#)?;
    Some(rest.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_revision_is_found_in_an_answer() {
        let answer = r#"{"header":{"cluster_id":"14841639068965178418","revision":"7","raft_term":"2"}}"#;
        assert_eq!(revision(answer), Some("7"));
        assert_eq!(revision("{}"), None);
    }
}
