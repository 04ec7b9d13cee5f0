//! Reads an HTTP/1 answer from the bytes that have come so far. Only as much HTTP as the proxies here speak.

/// A whole answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Whether the connection may not be used again.
    pub(crate) closes: bool,
    pub(crate) body: Vec<u8>,
}

/// What has come is no HTTP, or more than was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Garbled;

/// How the end of a body is known.
enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

impl Answer {
    /// The answer in these bytes; `None` if it is not whole yet. `ended`: no more will come.
    pub(crate) fn parse(bytes: &[u8], ended: bool) -> Result<Option<Answer>, Garbled> {
        let Some(end) = find(bytes, b"\r\n\r\n") else { return Ok(None) };
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| Garbled)?;
        let rest = &bytes[end + 4..];
        let status = status(head)?;
        let (framing, closes) = (framing(head)?, closes(head));
        let body = match framing {
            Framing::Length(length) if rest.len() > length => return Err(Garbled),
            Framing::Length(length) => (rest.len() == length).then(|| rest.to_vec()),
            Framing::Chunked => chunks(rest)?,
            Framing::UntilClose => ended.then(|| rest.to_vec()),
        };
        Ok(body.map(|body| Answer { status, closes, body }))
    }
}

fn status(head: &str) -> Result<u16, Garbled> {
    let words = head.strip_prefix("HTTP/1.").ok_or(Garbled)?;
    words.get(2..5).and_then(|status| status.parse().ok()).ok_or(Garbled)
}

fn framing(head: &str) -> Result<Framing, Garbled> {
    if field(head, "transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        return Ok(Framing::Chunked);
    }
    match field(head, "content-length") {
        Some(length) => length.parse().map(Framing::Length).map_err(|_| Garbled),
        None => Ok(Framing::UntilClose),
    }
}

fn closes(head: &str) -> bool {
    let connection = field(head, "connection").unwrap_or_default().to_ascii_lowercase();
    connection.contains("close") || (head.starts_with("HTTP/1.0") && !connection.contains("keep-alive"))
}

/// The value of the first field of this name.
pub(crate) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    fields.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// The body that these chunks make, if the last one is there.
fn chunks(mut bytes: &[u8]) -> Result<Option<Vec<u8>>, Garbled> {
    let mut body = Vec::new();
    loop {
        let Some(end) = find(bytes, b"\r\n") else { return Ok(None) };
        let size = std::str::from_utf8(&bytes[..end]).map_err(|_| Garbled)?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(|_| Garbled)?;
        let rest = &bytes[end + 2..];
        match (size, rest.get(..size + 2)) {
            (_, None) => return Ok(None),
            (0, Some(_)) if rest.len() > 2 => return Err(Garbled),
            (0, Some(_)) => return Ok(Some(body)),
            (_, Some(chunk)) => body.extend_from_slice(&chunk[..size]),
        }
        bytes = &rest[size + 2..];
    }
}

/// Where `what` begins.
pub(crate) fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str, ended: bool) -> Result<Option<String>, Garbled> {
        let answer = Answer::parse(text.as_bytes(), ended)?;
        Ok(answer.map(|answer| String::from_utf8(answer.body).unwrap()))
    }

    #[test]
    fn a_body_is_whole_when_its_length_has_come() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
        assert_eq!(body(&format!("{head}ab"), false), Ok(None));
        assert_eq!(body(&format!("{head}abc"), false), Ok(Some("abc".into())));
        assert_eq!(body(&format!("{head}abcd"), false), Err(Garbled));
    }

    #[test]
    fn a_chunked_body_is_whole_with_its_last_chunk_and_not_with_the_end_of_the_stream() {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(body(&format!("{head}2\r\nab\r\n"), true), Ok(None));
        assert_eq!(body(&format!("{head}2\r\nab\r\n0\r\n\r\n"), false), Ok(Some("ab".into())));
    }

    #[test]
    fn without_a_length_the_end_of_the_stream_ends_the_body() {
        let text = "HTTP/1.0 503 Service Unavailable\r\n\r\nsorry";
        assert_eq!(body(text, false), Ok(None));
        let answer = Answer { status: 503, closes: true, body: b"sorry".to_vec() };
        assert_eq!(Answer::parse(text.as_bytes(), true), Ok(Some(answer)));
    }
}
