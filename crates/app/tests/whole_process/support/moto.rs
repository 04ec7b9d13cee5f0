//! Moto, a stand-in for AWS that others wrote.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use super::PATIENCE;

/// Moto's server; killed when the test ends.
pub(crate) struct Moto {
    server: Child,
    pub(crate) address: SocketAddr,
}

impl Moto {
    pub(crate) fn start() -> Moto {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"));
        let mut command = Command::new("python3");
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]);
        command.env("PYTHONPATH", cache.join("sluicegate/moto"));
        let mut server = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (found, address) = mpsc::channel();
        let stderr = server.stderr.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("Running on http://") {
                    found.send(address.trim().parse().unwrap()).unwrap();
                }
            }
        });
        let address = address.recv_timeout(PATIENCE).expect("moto, which `cargo xtask setup` installs");
        Moto { server, address }
    }

    /// A call that only sets the scene; returns the answer.
    pub(crate) fn ask(
        &self,
        service: &str,
        region: &str,
        method_and_target: &str,
        kind: &str,
        body: &str,
    ) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let scope = format!("20260101/{region}/{service}/aws4_request");
        let signed =
            format!("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders=host, Signature=none");
        let length = body.len();
        write!(
            stream,
            "{method_and_target} HTTP/1.1\r\nHost: aws\r\nAuthorization: {signed}\r\nConnection: close\r\n\
             Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// The content of the first such element.
pub(crate) fn element(answer: &str, name: &str) -> String {
    let found = answer.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name}: {answer}")).1;
    found.split_once('<').unwrap().0.to_owned()
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
