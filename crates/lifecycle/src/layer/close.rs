//! `Connection: close`: which answers may say it, and how it goes beside what they say already.

use http::header::{CONNECTION, Entry};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// What a request says about the way its answer may ask the client to leave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manners {
    version: Version,
    connect: bool,
}

impl Manners {
    pub(super) fn of<B>(request: &Request<B>) -> Manners {
        Manners { version: request.version(), connect: request.method() == Method::CONNECT }
    }

    /// Makes the answer ask its client to leave, if it is one that can. The version is the request's, since services
    /// answer with the default one, HTTP/1.1, whatever they were asked in.
    pub(super) fn tell_to_leave<B>(self, answer: &mut Response<B>) {
        if self.version > Version::HTTP_11 || self.opens_tunnel(answer.status()) {
            return;
        }
        if self.version < Version::HTTP_11 {
            // To an answer in 1.1, hyper would add the `keep-alive` that old clients ask for.
            *answer.version_mut() = self.version;
        }
        say_close(answer.headers_mut());
    }

    /// A connection that becomes a tunnel serves no further request in any case, and `close` would break the upgrade.
    fn opens_tunnel(self, status: StatusCode) -> bool {
        status == StatusCode::SWITCHING_PROTOCOLS || (self.connect && status.is_success())
    }
}

/// Adds `close` to what is there, in the same line, because some clients read only one; `keep-alive` would contradict it.
fn say_close(headers: &mut HeaderMap) {
    match headers.entry(CONNECTION) {
        Entry::Vacant(entry) => drop(entry.insert(HeaderValue::from_static("close"))),
        Entry::Occupied(mut entry) => {
            let mut value = kept(entry.iter());
            value.extend_from_slice(b"close");
            let value = HeaderValue::from_bytes(&value).expect("it is made of header values");
            entry.insert(value);
        }
    }
    headers.remove(KEEP_ALIVE);
}

/// The options of all lines, less those about closing, with a comma after each.
fn kept<'a>(lines: impl Iterator<Item = &'a HeaderValue>) -> Vec<u8> {
    let mut kept = Vec::new();
    for option in lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii) {
        let about_closing = [&b"close"[..], b"keep-alive", b""];
        if !about_closing.iter().any(|known| option.eq_ignore_ascii_case(known)) {
            kept.extend_from_slice(option);
            kept.extend_from_slice(b", ");
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The `Connection` lines of an answer that had these and was made to ask its client to leave.
    fn told(request: &Request<()>, status: StatusCode, lines: &[&'static str]) -> Vec<HeaderValue> {
        let mut answer = Response::new(());
        *answer.status_mut() = status;
        for line in lines {
            answer.headers_mut().append(CONNECTION, HeaderValue::from_static(line));
        }
        Manners::of(request).tell_to_leave(&mut answer);
        answer.headers().get_all(CONNECTION).into_iter().cloned().collect()
    }

    fn request(method: Method, version: Version) -> Request<()> {
        Request::builder().method(method).version(version).body(()).unwrap()
    }

    #[test]
    fn what_an_answer_says_about_its_connection_stays_beside_close() {
        let get = request(Method::GET, Version::HTTP_11);
        let told = |lines| told(&get, StatusCode::OK, lines);
        assert_eq!(told(&[]), ["close"]);
        assert_eq!(told(&["x-hop"]), ["x-hop, close"]);
        assert_eq!(told(&["x-hop , Keep-Alive", "x-step,"]), ["x-hop, x-step, close"]);
        assert_eq!(told(&["Close"]), ["close"]);
    }

    #[test]
    fn versions_without_a_connection_header_get_none() {
        for version in [Version::HTTP_2, Version::HTTP_3] {
            assert!(told(&request(Method::GET, version), StatusCode::OK, &[]).is_empty(), "{version:?}");
        }
        assert_eq!(told(&request(Method::GET, Version::HTTP_10), StatusCode::OK, &[]), ["close"]);
    }

    #[test]
    fn an_answer_that_opens_a_tunnel_is_left_as_it_is() {
        let told = |method, status, lines| told(&request(method, Version::HTTP_11), status, lines);
        assert_eq!(told(Method::GET, StatusCode::SWITCHING_PROTOCOLS, &["Upgrade"]), ["Upgrade"]);
        assert!(told(Method::CONNECT, StatusCode::OK, &[]).is_empty());
        assert_eq!(told(Method::CONNECT, StatusCode::FORBIDDEN, &[]), ["close"]);
    }

    #[test]
    fn a_keep_alive_time_is_not_offered_beside_close() {
        let mut answer = Response::new(());
        answer.headers_mut().insert(KEEP_ALIVE, HeaderValue::from_static("timeout=5"));
        Manners::of(&request(Method::GET, Version::HTTP_11)).tell_to_leave(&mut answer);
        assert!(!answer.headers().contains_key(KEEP_ALIVE));
    }
}
