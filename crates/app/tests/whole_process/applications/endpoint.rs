//! An endpoint of an application: answers each request with what it got of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

/// An endpoint, as long as the process runs.
pub(crate) struct Endpoint {
    address: SocketAddr,
}

impl Endpoint {
    /// Starts one that calls itself so.
    pub(crate) fn start(name: String) -> Endpoint {
        Endpoint::at(Ipv4Addr::LOCALHOST.into(), name)
    }

    /// The same at another address of this machine.
    pub(crate) fn at(address: IpAddr, name: String) -> Endpoint {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let counted = Arc::new(AtomicUsize::new(0));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (name, counted) = (name.clone(), Arc::clone(&counted));
                std::thread::spawn(move || serve(&name, &counted, stream));
            }
        });
        Endpoint { address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Answers until the peer closes.
fn serve(name: &str, counted: &AtomicUsize, stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut writer = stream;
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let (method, target) = lines.first()?.split_once(' ')?;
        let target = target.rsplit_once(' ')?.0;
        let fields: Vec<(String, &str)> = lines[1..]
            .iter()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
            .collect();
        let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
        let length = field("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink()).ok()?;
        let status = match field("authorization") {
            authorization if target.starts_with("/basic-auth") => of_login(authorization),
            _ => status(target, field("cookie").unwrap_or_default(), field("upgrade")),
        };
        let got = json!({ "endpoint": name, "method": method, "target": target, "fields": fields });
        let body =
            if status.starts_with("101") || method == "HEAD" { String::new() } else { got.to_string() };
        let more = match status {
            "101 Switching Protocols" => "Connection: upgrade\r\nUpgrade: websocket\r\n".to_owned(),
            _ => format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()),
        };
        let more = match target.strip_prefix("/cookies/set/").and_then(|rest| rest.split_once('/')) {
            Some((name, value)) => format!("{more}Set-Cookie: {name}={value}\r\n"),
            None => more,
        };
        // What it was told, and which of its requests to be counted this is.
        let told = field("my-custom-header").unwrap_or_default();
        let count = match target.starts_with("/count") {
            true => counted.fetch_add(1, Ordering::Relaxed) + 1,
            false => 0,
        };
        let more = format!("{more}X-Told: {told}\r\nX-Count: {count}\r\n");
        let head = format!(
            "HTTP/1.1 {status}\r\nX-Endpoint: {name}\r\nX-Target: {target}\r\nX-Auth-Request-User: ada\r\n{more}\r\n"
        );
        writer.write_all(head.as_bytes()).ok()?;
        writer.write_all(body.as_bytes()).ok()?;
    }
}

/// Every endpoint would be an oauth2-proxy if it were asked, and fails where the path says so.
fn status(target: &str, cookie: &str, upgrade: Option<&str>) -> &'static str {
    let path = target.split('?').next().unwrap_or_default();
    match path {
        "/oauth2/auth" if cookie.contains("_oauth2_proxy=") => "202 Accepted",
        "/oauth2/auth" => "401 Unauthorized",
        "/status/401" => "401 Unauthorized",
        _ if path.ends_with("/fails-503") => "503 Service Unavailable",
        _ if path.ends_with("/is-missing") => "404 Not Found",
        _ if upgrade == Some("websocket") => "101 Switching Protocols",
        _ => "200 OK",
    }
}

/// The word of a server on whether this is the password of a user called `user`.
fn of_login(authorization: Option<&str>) -> &'static str {
    match authorization {
        // user:password
        Some("Basic dXNlcjpwYXNzd29yZA==") => "200 OK",
        _ => "401 Unauthorized",
    }
}
