//! What the clients ask for, and what a right answer to it is.

use bytes::Bytes;
use http_body_util::Full;

use crate::answer::Answer;
use crate::failure::Failure;

/// The host that all requests are for.
pub(crate) const HOST: &str = "soak.example";

/// Every so many requests are a POST: the ones that a proxy may not simply send again.
const POST_EVERY: u64 = 10;
/// Bytes that a POST sends.
const POST_BYTES: usize = 1024;
/// Every so many requests ask for the route that changes.
const SWITCH_EVERY: u64 = 4;
/// Every so many requests are answered slowly, so that some are under way at any moment.
const SLOW_EVERY: u64 = 500;

/// One request, with a number that no other one has.
pub(crate) struct Request {
    pub(crate) id: u64,
    pub(crate) bytes: Vec<u8>,
    path: &'static str,
    /// Backends that may answer.
    apps: &'static [&'static str],
    posted: usize,
    /// Whether it tells the proxy that it is the last one on its connection.
    pub(crate) closes: bool,
}

impl Request {
    /// The request with this number. What it asks for follows from it.
    pub(crate) fn numbered(id: u64, closes: bool) -> Request {
        let slow = id % SLOW_EVERY == 1;
        let (path, apps): (_, &[&str]) = match id % SWITCH_EVERY {
            0 => ("/switch", &["blue", "green"]),
            _ if slow => ("/slow", &["shop"]),
            _ => ("/", &["shop"]),
        };
        let posted = if id % POST_EVERY == 3 { POST_BYTES } else { 0 };
        Request { id, bytes: bytes(id, path, posted, closes), path, apps, posted, closes }
    }

    /// The request with this number, to see which backend this path leads to.
    pub(crate) fn probe(id: u64, path: &'static str) -> Request {
        let apps = &["shop", "blue", "green"];
        Request { id, bytes: bytes(id, path, 0, true), path, apps, posted: 0, closes: true }
    }

    /// The same for HTTP/2.
    pub(crate) fn as_message(&self) -> http::Request<Full<Bytes>> {
        http::Request::builder()
            .method(method(self.posted))
            .uri(format!("https://{HOST}{}?id={}", self.path, self.id))
            .body(Full::new(vec![b'x'; self.posted].into()))
            .expect("its parts are right")
    }

    /// Whether this is the answer to it.
    pub(crate) fn check(&self, answer: &Answer) -> Result<(), Failure> {
        if answer.status != 200 {
            return Err(Failure::Status(answer.status));
        }
        let mut words = answer.body.split(|byte| byte.is_ascii_whitespace());
        let endpoint = words.next().and_then(|word| std::str::from_utf8(word).ok()).unwrap_or_default();
        let app = endpoint.split_once('-').map(|(app, _)| app);
        let right = app.is_some_and(|app| self.apps.contains(&app))
            && words.next() == Some(self.id.to_string().as_bytes())
            && words.next() == Some(self.posted.to_string().as_bytes());
        if right { Ok(()) } else { Err(Failure::Wrong) }
    }
}

fn method(posted: usize) -> &'static str {
    if posted > 0 { "POST" } else { "GET" }
}

fn bytes(id: u64, path: &str, posted: usize, closes: bool) -> Vec<u8> {
    let mut text = format!("{} {path}?id={id} HTTP/1.1\r\nHost: {HOST}\r\n", method(posted));
    if closes {
        text += "Connection: close\r\n";
    }
    if posted > 0 {
        text += &format!("Content-Length: {posted}\r\n");
    }
    text += "\r\n";
    text += &"x".repeat(posted);
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Answer {
        Answer { status: 200, closes: false, body: body.into() }
    }

    #[test]
    fn an_answer_is_right_only_from_the_right_backend_with_the_number_and_the_length() {
        let request = Request::numbered(13, false);
        assert_eq!(request.check(&answer("shop-1 13 1024 xxx")), Ok(()));
        for wrong in ["blue-1 13 1024 xxx", "shop-1 14 1024 xxx", "shop-1 13 0 xxx", ""] {
            assert_eq!(request.check(&answer(wrong)), Err(Failure::Wrong), "{wrong}");
        }
    }

    #[test]
    fn among_the_first_five_hundred_there_is_each_kind() {
        let all: Vec<_> = (0..SLOW_EVERY).map(|id| Request::numbered(id, false).bytes).collect();
        for kind in ["GET / ", "GET /?", "POST /?", "GET /switch?", "GET /slow?"] {
            let any = all.iter().any(|bytes| bytes.starts_with(kind.as_bytes()));
            assert_eq!(any, kind != "GET / ", "{kind}");
        }
    }
}
