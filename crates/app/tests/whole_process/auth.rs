//! Which requests may use a route, as an operator sees it: a Secret that is edited, and another server that dies.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Folder, Gate, Upstream, eventually, ingress, service, slice};

/// What oauth2-proxy does, as far as a gate sees it: it knows a session, and begins one.
const OAUTH: &str = r#"
import http.server, urllib.parse
class Oauth(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        path, _, query = self.path.partition("?")
        logged_in = "session=1" in self.headers.get("Cookie", "")
        if path == "/oauth2/auth":
            self.send_response(202 if logged_in else 401)
            self.send_header("X-Auth-Request-User", "alice")
        else:
            self.send_response(302)
            self.send_header("Set-Cookie", "session=1")
            self.send_header("Location", urllib.parse.parse_qs(query)["rd"][0])
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Oauth)
print(server.server_port, flush=True)
server.serve_forever()
"#;

/// The server, in a process of its own.
struct Oauth {
    child: Child,
    address: SocketAddr,
}

impl Oauth {
    fn start() -> Oauth {
        let mut command = Command::new("python3");
        let mut child = command.args(["-c", OAUTH]).stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
        Oauth { child, address: (Ipv4Addr::LOCALHOST, port.trim().parse().unwrap()).into() }
    }
}

impl Drop for Oauth {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status and head of the answer to a request on a connection of its own.
fn get(gate: &Gate, host: &str, target: &str, fields: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(gate.http).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer[9..12].parse().unwrap(), answer)
}

fn field(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
}

fn guarded(host: &str, annotations: &[(&str, &str)]) -> String {
    let annotations: Vec<String> = annotations
        .iter()
        .map(|(name, value)| format!("nginx.ingress.kubernetes.io/{name}: {value:?}"))
        .collect();
    let metadata = format!("namespace: shop, annotations: {{ {} }} }}", annotations.join(", "));
    ingress("web", host, "/", "web").replace("namespace: shop }", &metadata)
}

fn in_sso(manifest: &str) -> String {
    manifest.replace("namespace: shop", "namespace: sso")
}

#[test]
fn who_logs_in_comes_back_and_is_served_until_the_server_is_killed_and_again_when_another_is_there() {
    let (mut oauth, web) = (Oauth::start(), Upstream::start("the shop"));
    let annotations = [
        ("auth-url", "http://auth.sso.svc.cluster.local/oauth2/auth"),
        ("auth-signin", "http://login.test/oauth2/start"),
        ("auth-response-headers", "X-Auth-Request-User"),
    ];
    let folder = Folder::new(&[
        ("web.yaml", guarded("web.test", &annotations)),
        ("service.yaml", service("web")),
        ("slice.yaml", slice("web", web.address, true)),
        ("login.yaml", in_sso(&ingress("login", "login.test", "/oauth2", "auth"))),
        ("auth.yaml", in_sso(&service("auth"))),
        ("auth-slice.yaml", in_sso(&slice("auth", oauth.address, true))),
    ]);
    let gate = Gate::start(&folder, &[]);

    let (status, sent) = get(&gate, "web.test", "/cart?item=1", "");
    assert_eq!(status, 302, "{sent}");
    let start = field(&sent, "location").unwrap();
    assert_eq!(start, "http://login.test/oauth2/start?rd=http://web.test%2Fcart%3Fitem%3D1");
    let (status, back) = get(&gate, "login.test", start.strip_prefix("http://login.test").unwrap(), "");
    assert_eq!((status, field(&back, "location").as_deref()), (302, Some("http://web.test/cart?item=1")));
    let cookie = format!("Cookie: {}\r\n", field(&back, "set-cookie").unwrap());
    let (status, served) = get(&gate, "web.test", "/cart?item=1", &cookie);
    assert!(status == 200 && served.ends_with("the shop"), "{served}");

    let asked = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        // Until fifty requests in a row were refused; more than enough are made before that.
        let ask = || {
            let (mut seen, mut refused) = (Vec::new(), 0);
            while refused < 50 && seen.len() < 20_000 {
                let (status, _) = get(&gate, "web.test", "/", &cookie);
                refused = if status == 200 { 0 } else { refused + 1 };
                seen.push(status);
                asked.fetch_add(1, Ordering::SeqCst);
            }
            seen
        };
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        eventually("some are served", || (asked.load(Ordering::SeqCst) > 40).then_some(()));
        oauth.child.kill().unwrap();
        oauth.child.wait().unwrap();
        for client in clients {
            let seen = client.join().unwrap();
            let served = seen.iter().take_while(|status| **status == 200).count();
            assert!(served > 0 && seen[served..].iter().all(|status| *status == 500), "{seen:?}");
        }
    });
    let again = Oauth::start();
    folder.write("auth-slice.yaml", &in_sso(&slice("auth", again.address, true)));
    eventually("the other server is asked", || (get(&gate, "web.test", "/", &cookie).0 == 200).then_some(()));
    assert_eq!(get(&gate, "web.test", "/", "").0, 302);
}

#[test]
fn a_secret_that_is_edited_changes_who_may_log_in_and_without_one_nobody_may() {
    let web = Upstream::start("the shop");
    let annotations = [("auth-type", "basic"), ("auth-secret", "passwords"), ("auth-realm", "the shop")];
    let folder = Folder::new(&[
        ("web.yaml", guarded("web.test", &annotations)),
        ("service.yaml", service("web")),
        ("slice.yaml", slice("web", web.address, true)),
    ]);
    let gate = Gate::start(&folder, &[]);
    assert_eq!(get(&gate, "web.test", "/", "").0, 503);
    gate.tells("dangling-reference", "passwords");
    let secret = |hash: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{ name: passwords, namespace: shop }}\n\
             stringData: {{ auth: \"alice:{hash}\\n\" }}\n"
        )
    };
    let secret_password = "Authorization: Basic YWxpY2U6c2VjcmV0\r\n";
    let serves = |status| (get(&gate, "web.test", "/", secret_password).0 == status).then_some(());
    folder.write("secret.yaml", &secret("$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0"));
    eventually("the password is known", || serves(200));
    let (status, head) = get(&gate, "web.test", "/", "");
    assert_eq!(
        (status, field(&head, "www-authenticate").as_deref()),
        (401, Some("Basic realm=\"the shop\""))
    );
    folder.write("secret.yaml", &secret("{PLAIN}another"));
    eventually("it is no longer the password", || serves(401));
    folder.remove("secret.yaml");
    eventually("nobody may", || serves(503));
}
