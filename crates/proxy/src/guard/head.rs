//! The lines of a head (RFC 9112 §2 to §6).

use memchr::memchr;

use super::State;
use super::chunks::ChunkCost;
use super::start::{METHOD_BYTES_MAX, Start};
use crate::error::Refusal;
use crate::field::{self, is_token};

/// Empty lines that may stand before a request line (RFC 9112 §2.2 asks for at least one).
const LEADING_LINES_MAX: u8 = 2;

/// What is known of the head that is being read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    /// The one before it has said that none follows.
    pub(super) is_behind_last: bool,
    leading_lines: u8,
    pub(super) line_seen: bool,
    pub(super) start: Start,
    fields: usize,
    pub(super) bytes: usize,
    http_10: bool,
    closes: bool,
    keeps: bool,
    upgrade: bool,
    length: Option<u64>,
    chunked: bool,
}

pub(super) enum Line {
    More,
    EndOfHead,
}

impl Head {
    pub(super) fn line(&mut self, line: &[u8], fields_max: usize) -> Result<Line, Refusal> {
        self.bytes += line.len();
        let content = line.strip_suffix(b"\r\n").ok_or(Refusal::BadRequest)?;
        if !self.line_seen {
            if content.is_empty() {
                self.leading_lines += 1;
                self.start = Start::default();
                return if self.leading_lines > LEADING_LINES_MAX {
                    Err(Refusal::BadRequest)
                } else {
                    Ok(Line::More)
                };
            }
            self.line_seen = true;
            self.http_10 = request_line(content)?;
            return Ok(Line::More);
        }
        match content.first() {
            None => self.end(),
            Some(b' ' | b'\t') => Err(Refusal::BadRequest),
            Some(first) => {
                self.fields += 1;
                if self.fields > fields_max {
                    return Err(Refusal::HeadTooLarge);
                }
                match first {
                    b'c' | b'C' => {
                        self.length(content)?;
                        self.connection(content);
                    }
                    b't' | b'T' => self.coding(content)?,
                    b'u' | b'U' => self.upgrade |= value_of(content, b"upgrade").is_some(),
                    _ => {}
                }
                Ok(Line::More)
            }
        }
    }

    /// RFC 9112 §6.3: more than one length, or one that is no plain number, can be read in two ways.
    fn length(&mut self, field: &[u8]) -> Result<(), Refusal> {
        let Some(value) = value_of(field, b"content-length") else { return Ok(()) };
        let digits = !value.is_empty() && value.len() <= 18 && value.iter().all(u8::is_ascii_digit);
        if !digits || self.length.is_some() {
            return Err(Refusal::BadFraming);
        }
        self.length = Some(value.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')));
        Ok(())
    }

    /// RFC 9112 §9.3: whether the connection is kept is for its client to say first.
    fn connection(&mut self, field: &[u8]) {
        for option in value_of(field, b"connection").into_iter().flat_map(field::list) {
            self.closes |= option.eq_ignore_ascii_case(b"close");
            self.keeps |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// The head behind this one, of which nothing has come.
    pub(super) fn next(&self) -> Head {
        Head { is_behind_last: self.closes || (self.http_10 && !self.keeps), ..Head::default() }
    }

    /// RFC 9112 §6.1: `chunked`, once and alone. A coding that we do not know is 501; anything that could hide
    /// `chunked` from one parser and not from another is 400.
    fn coding(&mut self, field: &[u8]) -> Result<(), Refusal> {
        let Some(value) = value_of(field, b"transfer-encoding") else { return Ok(()) };
        if self.chunked {
            return Err(Refusal::BadFraming);
        }
        if value.eq_ignore_ascii_case(b"chunked") {
            self.chunked = true;
            return Ok(());
        }
        let codings: Vec<&[u8]> = field::list(value).collect();
        let malformed =
            codings.iter().any(|coding| coding.is_empty() || !coding.iter().all(|b| is_token(*b)));
        let before_last = &codings[..codings.len() - 1];
        if malformed || before_last.iter().any(|coding| coding.eq_ignore_ascii_case(b"chunked")) {
            return Err(Refusal::BadFraming);
        }
        Err(Refusal::TransferCoding)
    }

    /// RFC 9112 §6.1: both framings at once, and a coding in HTTP/1.0, are signs of smuggling.
    fn end(&self) -> Result<Line, Refusal> {
        if self.chunked && (self.length.is_some() || self.http_10) {
            return Err(Refusal::BadFraming);
        }
        Ok(Line::EndOfHead)
    }

    pub(super) fn framing(&self) -> State {
        match (self.chunked, self.length) {
            (true, _) => State::ChunkSize { cost: ChunkCost::default() },
            (false, None | Some(0)) if self.upgrade && !self.http_10 => State::Held,
            (false, None | Some(0)) => State::Head,
            (false, Some(left)) => State::Body { left },
        }
    }
}

/// Checks `method SP request-target SP HTTP-version` (RFC 9112 §3) and says whether the version is 1.0.
fn request_line(line: &[u8]) -> Result<bool, Refusal> {
    let method = memchr(b' ', line).ok_or(Refusal::NotHttp)?;
    let (target, version) =
        line[method + 1..].split_at(memchr(b' ', &line[method + 1..]).ok_or(Refusal::NotHttp)?);
    if method == 0 || method > METHOD_BYTES_MAX || target.is_empty() {
        return Err(Refusal::BadRequest);
    }
    // A fragment is never sent (RFC 9112 §3.2); hyper would cut it off without a word.
    if memchr(b'#', target).is_some() {
        return Err(Refusal::BadTarget);
    }
    match &version[1..] {
        b"HTTP/1.1" => Ok(false),
        b"HTTP/1.0" => Ok(true),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(Refusal::Version)
        }
        _ => Err(Refusal::NotHttp),
    }
}

/// The value of `field` without the white space around it, if the field has this name.
fn value_of<'a>(field: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (head, tail) = field.split_at_checked(name.len())?;
    let value = tail.strip_prefix(b":")?;
    head.eq_ignore_ascii_case(name).then(|| field::trim(value))
}
