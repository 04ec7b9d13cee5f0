//! Two readers of a request that know nothing of ours: the strictest, which takes what RFC 9112 says and no more, and the
//! laxest, which makes sense of whatever it gets, as old servers do. Where they differ, requests are smuggled.

/// Fields that the strict reader has room for; the guard takes fewer.
const FIELDS_MAX: usize = 128;

/// What the strict reader makes of the bytes of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// A request: its body, and where the next one begins.
    Whole { body: Vec<u8>, end: usize },
    /// The beginning of one.
    Partial,
    /// A head or trailers that hyper's parser refuses by itself.
    Malformed,
    /// A head that hyper's parser takes, and that must not reach it; or a body that ends nowhere.
    Refused,
}

/// Reads strictly.
pub(crate) fn strict(bytes: &[u8]) -> Reading {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    let end = match request.parse(bytes) {
        Ok(httparse::Status::Complete(end)) => end,
        Ok(httparse::Status::Partial) => return Reading::Partial,
        Err(_) => return Reading::Malformed,
    };
    let head = &bytes[..end];
    let is_crlf = |at: usize| at > 0 && head[at - 1] == b'\r';
    let lines = head.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let fragment = request.path.is_none_or(|path| path.contains('#'));
    let method = request.method.is_none_or(|method| method.len() > 32);
    let leading = head.chunks(2).take_while(|pair| pair == b"\r\n").count() > 2;
    let many = request.headers.len() > proxy::fuzzing::FIELDS_MAX;
    if fragment || method || leading || many || !lines.map(|(at, _)| at).all(is_crlf) {
        return Reading::Refused;
    }
    match framing(&request) {
        Some(Framing::Length(length)) => {
            match usize::try_from(length).ok().and_then(|it| end.checked_add(it)) {
                Some(last) if last <= bytes.len() => {
                    Reading::Whole { body: bytes[end..last].to_vec(), end: last }
                }
                _ => Reading::Partial,
            }
        }
        Some(Framing::Chunked) => strict_chunks(bytes, end),
        None => Reading::Refused,
    }
}

enum Framing {
    Length(u64),
    Chunked,
}

fn framing(request: &httparse::Request<'_, '_>) -> Option<Framing> {
    let all = |name: &str| -> Vec<&[u8]> {
        let named = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
        named.map(|field| field.value).collect()
    };
    match (&all("content-length")[..], &all("transfer-encoding")[..]) {
        ([], []) => Some(Framing::Length(0)),
        ([length], []) if length.len() <= 18 && length.iter().all(u8::is_ascii_digit) => {
            str::from_utf8(length).ok()?.parse().ok().map(Framing::Length)
        }
        ([], [coding]) if request.version == Some(1) && coding.eq_ignore_ascii_case(b"chunked") => {
            Some(Framing::Chunked)
        }
        _ => None,
    }
}

/// Chunks from `at` on, each as RFC 9112 §7.1 has it, without the white space that it tolerates.
fn strict_chunks(bytes: &[u8], mut at: usize) -> Reading {
    let mut body = Vec::new();
    loop {
        let Some((line, next)) = crlf_line(bytes, at) else { return Reading::Partial };
        let Some(size) = strict_size(line) else { return Reading::Refused };
        at = next;
        if size == 0 {
            break;
        }
        let Some(data) = bytes.get(at..at.saturating_add(size)) else { return Reading::Partial };
        body.extend_from_slice(data);
        at += size;
        match &bytes[at..] {
            [b'\r', b'\n', ..] => at += 2,
            [] | [b'\r'] => return Reading::Partial,
            _ => return Reading::Refused,
        }
    }
    let (trailers, mut fields) = (at, 0);
    loop {
        let Some((line, next)) = crlf_line(bytes, at) else { return Reading::Partial };
        at = next;
        fields += 1;
        match line {
            b"\r\n" => break,
            line if line.ends_with(b"\r\n") && fields <= proxy::fuzzing::FIELDS_MAX => {}
            _ => return Reading::Refused,
        }
    }
    match httparse::parse_headers(&bytes[trailers..at], &mut [httparse::EMPTY_HEADER; FIELDS_MAX]) {
        Ok(httparse::Status::Complete((length, _))) if trailers + length == at => {
            Reading::Whole { body, end: at }
        }
        _ => Reading::Malformed,
    }
}

/// The line at `at` with its end, whatever that is, and what follows it.
fn crlf_line(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let length = bytes[at..].iter().position(|byte| *byte == b'\n')? + 1;
    Some((&bytes[at..at + length], at + length))
}

fn strict_size(line: &[u8]) -> Option<usize> {
    let line = str::from_utf8(line.strip_suffix(b"\r\n")?).ok()?;
    let (size, extensions) = line.split_once(';').map_or((line, None), |(size, rest)| (size, Some(rest)));
    let digits = (1..=15).contains(&size.len()) && size.chars().all(|it| it.is_ascii_hexdigit());
    let fine = digits && extensions.is_none_or(are_extensions);
    fine.then(|| usize::from_str_radix(size, 16).ok()).flatten()
}

/// Names, of tokens alone, and values, of which those in quotes may have anything visible.
fn are_extensions(extensions: &str) -> bool {
    let name = extensions
        .trim_start_matches(|it: char| it.is_ascii_graphic() && !r#""(),/:;<=>?@[\]{}"#.contains(it));
    let rest = match name.strip_prefix('=') {
        _ if name.len() == extensions.len() => return false,
        None => name,
        Some(quoted) if quoted.starts_with('"') => match behind_quotes(&quoted[1..]) {
            Some(rest) => rest,
            None => return false,
        },
        Some(value) => {
            let rest = value.trim_start_matches(|it: char| it.is_ascii_graphic() && !";\"".contains(it));
            if rest.len() == value.len() {
                return false;
            }
            rest
        }
    };
    rest.is_empty() || rest.strip_prefix(';').is_some_and(are_extensions)
}

fn behind_quotes(quoted: &str) -> Option<&str> {
    let mut rest = quoted.chars();
    loop {
        match rest.next()? {
            '"' => return Some(rest.as_str()),
            '\\' => rest.next().filter(|it| matches!(it, ' '..='~')).map(|_| ())?,
            ' '..='~' => {}
            _ => return None,
        }
    }
}

/// Reads what can be read: lines end at LF, white space is anywhere, and a coding counts as soon as it is named.
pub(crate) fn lax(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut at, mut seen, mut length, mut chunked) = (0, false, None, false);
    loop {
        let (line, next) = lax_line(bytes, at)?;
        at = next;
        match line {
            [] if seen => break,
            [] => continue,
            _ if !seen => seen = true,
            line => {
                let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':').unwrap_or(0));
                let value = String::from_utf8_lossy(value).to_ascii_lowercase();
                match name.trim_ascii().to_ascii_lowercase().as_slice() {
                    b"content-length" => length = length.or(Some(number(&value[1..], 10))),
                    b"transfer-encoding" => chunked |= value.contains("chunked"),
                    _ => {}
                }
            }
        }
    }
    if chunked {
        return lax_chunks(bytes, at);
    }
    let end = at.checked_add(length.unwrap_or(0))?;
    Some((bytes.get(at..end)?.to_vec(), end))
}

fn lax_chunks(bytes: &[u8], mut at: usize) -> Option<(Vec<u8>, usize)> {
    let mut body = Vec::new();
    loop {
        let (line, next) = lax_line(bytes, at)?;
        let size = number(&String::from_utf8_lossy(line), 16);
        at = next;
        if size == 0 {
            break;
        }
        body.extend_from_slice(bytes.get(at..at.checked_add(size)?)?);
        // Whatever stands there is the rest of the chunk's line.
        at = lax_line(bytes, at + size)?.1;
    }
    loop {
        let (line, next) = lax_line(bytes, at)?;
        at = next;
        if line.is_empty() {
            return Some((body, at));
        }
    }
}

fn lax_line(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let (line, next) = crlf_line(bytes, at)?;
    Some((line.trim_ascii_end(), next))
}

/// The digits that a number begins with, as C's `strtoul` reads them.
fn number(text: &str, radix: u32) -> usize {
    let text = text.trim_start().trim_start_matches('+');
    let text = if radix == 16 { text.trim_start_matches("0x") } else { text };
    let end = text.find(|it: char| !it.is_digit(radix)).unwrap_or(text.len());
    usize::from_str_radix(&text[..end], radix).unwrap_or(0)
}
