//! A stand-in for oauth2-proxy, which speaks what its documentation says: `/oauth2/auth` says 202 with the user, or 401;
//! `/oauth2/start` sends to the provider with a nonce that is kept in a cookie; `/oauth2/callback` takes what the provider sends
//! back, sets the session and sends to where the user wanted to go; `/oauth2/sign_out` ends it.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use test_support::{Message, Upstream};

/// What it was asked about a request.
#[derive(Clone, Debug)]
pub(super) struct Question {
    method: String,
    target: String,
    host: String,
}

/// As long as the process runs.
pub(super) struct StandIn {
    pub(super) address: SocketAddr,
    questions: Arc<Mutex<Vec<Question>>>,
}

impl StandIn {
    pub(super) fn start(at: IpAddr) -> StandIn {
        let questions = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&questions);
        let upstream = Upstream::scripted_at(at, move |peer| {
            while let Ok(request) = peer.request() {
                let head = respond(&request, &asked);
                if peer.send(format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n")).is_err() {
                    return;
                }
            }
        });
        StandIn { address: upstream.address, questions }
    }

    /// Whether it was asked about this request.
    pub(super) fn was_told(&self, method: &str, target: &str, host: &str) -> bool {
        let is = |one: &Question| one.method == method && one.target == target && one.host == host;
        self.questions.lock().unwrap().iter().any(is)
    }

    pub(super) fn questions(&self) -> Vec<Question> {
        self.questions.lock().unwrap().clone()
    }
}

/// Notes what it is asked about a request, and answers.
fn respond(request: &Message, asked: &Mutex<Vec<Question>>) -> String {
    let field = |name: &str| request.field(name).unwrap_or_default();
    if request.target() == "/oauth2/auth" {
        asked.lock().unwrap().push(Question {
            method: field("x-original-method"),
            target: field("x-auth-request-redirect"),
            host: field("host"),
        });
    }
    answer(request.target(), &field("cookie"))
}

/// Status and fields.
fn answer(target: &str, cookies: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let argument = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.find(|(known, _)| *known == name).map(|(_, value)| value);
        value
            .unwrap_or_default()
            .replace("%2F", "/")
            .replace("%3F", "?")
            .replace("%3D", "=")
            .replace("%3A", ":")
    };
    let cookie = |name: &str| {
        let mut pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
    };
    let redirect = |to: &str, cookie: &str| {
        format!("302 Found\r\nLocation: {to}\r\nSet-Cookie: {cookie}; Path=/; HttpOnly; Secure")
    };
    match path {
        "/oauth2/auth" if cookie("_oauth2_proxy").is_some_and(|session| session.starts_with("session-")) => {
            "202 Accepted\r\nX-Auth-Request-User: ada\r\nX-Auth-Request-Email: ada@example.org\r\nSet-Cookie: \
             _oauth2_proxy=session-2; Path=/; HttpOnly; Secure"
                .into()
        }
        "/oauth2/auth" => "401 Unauthorized".into(),
        "/oauth2/start" => {
            let state = format!("n0nce:{}", argument("rd"));
            redirect(&format!("https://idp.example/authorize?state={state}"), "_oauth2_proxy_csrf=n0nce")
        }
        "/oauth2/callback" => match argument("state").split_once(':') {
            Some((nonce, to)) if cookie("_oauth2_proxy_csrf") == Some(nonce) && argument("code") == "c0de" => {
                redirect(to, "_oauth2_proxy=session-1")
            }
            _ => "403 Forbidden".into(),
        },
        "/oauth2/sign_out" => redirect(&argument("rd"), "_oauth2_proxy="),
        _ => "404 Not Found".into(),
    }
}
