//! An endpoint of an application: answers each request with what it got of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use test_support::{Message, Upstream};

/// Starts one that calls itself so, and returns where it is.
pub(crate) fn start(name: String) -> SocketAddr {
    start_at(Ipv4Addr::LOCALHOST.into(), name)
}

/// The same at another address of this machine.
pub(crate) fn start_at(address: IpAddr, name: String) -> SocketAddr {
    let counted = AtomicUsize::new(0);
    let upstream = Upstream::scripted_at(address, move |peer| {
        while let Ok(request) = peer.request() {
            if peer.send(answer(&name, &counted, &request)).is_err() {
                return;
            }
        }
    });
    upstream.address
}

fn answer(name: &str, counted: &AtomicUsize, request: &Message) -> String {
    let (method, target) = (request.start.split(' ').next().unwrap_or_default(), request.target());
    let field = |name: &str| request.field(name).unwrap_or_default();
    let status = match target.starts_with("/basic-auth") {
        true => of_login(&field("authorization")),
        false => status(target, &field("cookie"), request.field("upgrade").as_deref()),
    };
    let got = json!({ "endpoint": name, "method": method, "target": target, "fields": request.fields });
    let body = if status.starts_with("101") || method == "HEAD" { String::new() } else { got.to_string() };
    let more = match status {
        "101 Switching Protocols" => "Connection: upgrade\r\nUpgrade: websocket\r\n".to_owned(),
        _ => format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()),
    };
    let cookie = target.strip_prefix("/cookies/set/").and_then(|rest| rest.split_once('/'));
    let cookie = cookie.map(|(name, value)| format!("Set-Cookie: {name}={value}\r\n")).unwrap_or_default();
    // What it was told, and which of its requests to be counted this is.
    let told = field("my-custom-header");
    let count = if target.starts_with("/count") { counted.fetch_add(1, Ordering::Relaxed) + 1 } else { 0 };
    format!(
        "HTTP/1.1 {status}\r\nX-Endpoint: {name}\r\nX-Target: {target}\r\nX-Auth-Request-User: ada\r\nX-Told: \
         {told}\r\nX-Count: {count}\r\n{cookie}{more}\r\n{body}"
    )
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
fn of_login(authorization: &str) -> &'static str {
    match authorization {
        // user:password
        "Basic dXNlcjpwYXNzd29yZA==" => "200 OK",
        _ => "401 Unauthorized",
    }
}
