//! The three proxies, set up alike: one upstream, short waits, everything else as it comes.
//!
//! The peers listen on unix sockets in a folder of the test's own, so that no port has to be free.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use model::RouteTable;
use system_tests::{PATIENCE, Sluice, eventually};

/// How long a proxy waits for the rest of something.
const WAIT: Duration = Duration::from_secs(3);

pub(crate) trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

/// Somewhere to send requests to.
pub(crate) trait Gate {
    fn connect(&self) -> Box<dyn Stream>;
}

/// A folder that is gone with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("differential-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) struct Ours(Sluice);

impl Ours {
    pub(crate) fn start(upstream: SocketAddr) -> Ours {
        let change = |config: &mut proxy::Config| {
            (config.idle_timeout, config.downstream.head_timeout) = (WAIT, WAIT);
            (config.downstream.body_timeout, config.downstream.linger_timeout) = (WAIT, WAIT);
        };
        Ours(Sluice::with(change, &[upstream]))
    }

    /// With TLS, and routes of the test's own.
    pub(crate) fn speaking(tls: proxy::Tls, table: RouteTable) -> Ours {
        let protocol = proxy::Protocol { tls: Some(tls.into()), ..proxy::Protocol::default() };
        let sluice = Sluice::speaking(protocol, |_| {}, &[]);
        sluice.publish_table(table);
        Ours(sluice)
    }

    /// With routes of the test's own.
    pub(crate) fn routing(table: RouteTable) -> Ours {
        let sluice = Sluice::start(&[]);
        sluice.publish_table(table);
        Ours(sluice)
    }
}

impl Gate for Ours {
    fn connect(&self) -> Box<dyn Stream> {
        let stream = TcpStream::connect(self.0.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Box::new(stream)
    }
}

/// A peer's process, which ends with this value.
struct Peer {
    child: Child,
    socket: PathBuf,
}

impl Peer {
    fn start(program: &str, args: &[&str], folder: &Path, socket: &str) -> Peer {
        // Debian's folder for servers is not in every user's `PATH`.
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/local/sbin:/usr/sbin";
        let mut command = Command::new(program);
        command.args(args).current_dir(folder).env("PATH", path);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("{program} cannot be started ({error}): `cargo xtask setup` installs it")
        });
        let peer = Peer { child, socket: folder.join(socket) };
        eventually("a peer accepts", || UnixStream::connect(&peer.socket).is_ok());
        peer
    }

    fn connect(&self) -> Box<dyn Stream> {
        let stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Box::new(stream)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// nginx with what an ingress sets: the host as it came, HTTP/1.1 to the upstream.
pub(crate) struct Nginx(Peer);

impl Nginx {
    pub(crate) fn start(folder: &Folder, upstream: SocketAddr) -> Nginx {
        let server = format!(
            "client_header_timeout 3s; client_body_timeout 3s; keepalive_timeout 3s; lingering_timeout 3s;
    server {{
        listen unix:nginx.sock;
        location / {{
            proxy_pass http://{upstream};
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $http_host;
        }}
    }}"
        );
        Nginx::serving(folder, &server)
    }

    /// With servers of the test's own, which listen on `unix:nginx.sock`.
    pub(crate) fn serving(folder: &Folder, servers: &str) -> Nginx {
        let config = format!(
            "user root; daemon off; master_process off; pid nginx.pid; error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    {servers}
}}"
        );
        fs::write(folder.0.join("nginx.conf"), config).unwrap();
        let args = ["-e", "stderr", "-p", folder.0.to_str().unwrap(), "-c", "nginx.conf"];
        Nginx(Peer::start("nginx", &args, &folder.0, "nginx.sock"))
    }
}

impl Gate for Nginx {
    fn connect(&self) -> Box<dyn Stream> {
        self.0.connect()
    }
}

/// haproxy as its manual begins.
pub(crate) struct Haproxy(Peer);

impl Haproxy {
    pub(crate) fn start(folder: &Folder, upstream: SocketAddr) -> Haproxy {
        let config = format!(
            "global
    maxconn 100
defaults
    mode http
    timeout connect 5s
    timeout client 3s
    timeout server 5s
    timeout http-request 3s
    timeout http-keep-alive 3s
frontend front
    bind {}/haproxy.sock
    default_backend back
backend back
    server upstream {upstream}
",
            folder.0.display()
        );
        fs::write(folder.0.join("haproxy.cfg"), config).unwrap();
        Haproxy(Peer::start("haproxy", &["-db", "-f", "haproxy.cfg"], &folder.0, "haproxy.sock"))
    }
}

impl Gate for Haproxy {
    fn connect(&self) -> Box<dyn Stream> {
        self.0.connect()
    }
}
