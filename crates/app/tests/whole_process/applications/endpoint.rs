//! An endpoint of an application: answers each request with what it got of it.

use serde_json::json;
use test_support::{Message, Upstream};

/// Starts one that calls itself so, and returns its port.
pub(crate) fn start(name: String) -> u16 {
    let upstream = Upstream::scripted(move |peer| {
        while let Ok(request) = peer.request() {
            if peer.send(answer(&name, &request)).is_err() {
                return;
            }
        }
    });
    upstream.address.port()
}

fn answer(name: &str, request: &Message) -> String {
    let (method, target) = (request.start.split(' ').next().unwrap_or_default(), request.target());
    let (cookie, upgrade) = (request.field("cookie").unwrap_or_default(), request.field("upgrade"));
    let status = status(target, &cookie, upgrade.as_deref());
    let got = json!({ "endpoint": name, "method": method, "target": target, "fields": request.fields });
    let body = if status.starts_with("101") || method == "HEAD" { String::new() } else { got.to_string() };
    let more = match status {
        "101 Switching Protocols" => "Connection: upgrade\r\nUpgrade: websocket\r\n".to_owned(),
        _ => format!("Content-Length: {}\r\n", body.len()),
    };
    format!(
        "HTTP/1.1 {status}\r\nX-Endpoint: {name}\r\nX-Target: {target}\r\nX-Auth-Request-User: ada\r\n{more}\r\n{body}"
    )
}

/// Every endpoint would be an oauth2-proxy if it were asked, and fails where the path says so.
fn status(target: &str, cookie: &str, upgrade: Option<&str>) -> &'static str {
    let path = target.split('?').next().unwrap_or_default();
    match path {
        "/oauth2/auth" if cookie.contains("_oauth2_proxy=") => "202 Accepted",
        "/oauth2/auth" => "401 Unauthorized",
        _ if path.ends_with("/fails-503") => "503 Service Unavailable",
        _ if path.ends_with("/is-missing") => "404 Not Found",
        _ if upgrade == Some("websocket") => "101 Switching Protocols",
        _ => "200 OK",
    }
}
