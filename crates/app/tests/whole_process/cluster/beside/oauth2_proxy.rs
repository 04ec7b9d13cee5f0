//! A stand-in for oauth2-proxy, which speaks what its documentation says: `/oauth2/auth` says 202 with the user, or 401;
//! `/oauth2/start` sends to the provider with a nonce that is kept in a cookie; `/oauth2/callback` takes what the provider sends
//! back, sets the session and sends to where the user wanted to go; `/oauth2/sign_out` ends it.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

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
        let listener = TcpListener::bind((at, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let questions = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&questions);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let questions = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &questions));
            }
        });
        StandIn { address, questions }
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

/// Answers until the peer closes.
fn serve(stream: TcpStream, questions: &Mutex<Vec<Question>>) -> Option<()> {
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
        let target = lines.first()?.split(' ').nth(1)?.to_owned();
        let field = |name: &str| {
            let fields = lines[1..].iter().filter_map(|line| line.split_once(':'));
            let mut named = fields.filter(|(known, _)| known.eq_ignore_ascii_case(name));
            named.next().map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        if target == "/oauth2/auth" {
            questions.lock().unwrap().push(Question {
                method: field("x-original-method"),
                target: field("x-auth-request-redirect"),
                host: field("host"),
            });
        }
        let head = answer(&target, &field("cookie"));
        writer.write_all(format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n").as_bytes()).ok()?;
    }
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
