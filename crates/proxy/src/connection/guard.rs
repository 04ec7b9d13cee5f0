//! The strict reading of what a client sends, beside hyper's own.
//!
//! hyper accepts some messages that RFC 9112 wants refused, and tells nobody: lines that end in a bare LF, a
//! `Content-Length` beside `Transfer-Encoding`, a fragment in the target, sloppy chunk lines. What two parsers read
//! differently is how requests are smuggled, so this one follows the framing of every byte before hyper sees it and
//! lets none pass after the last valid one. hyper cannot begin a request before the end of its head has passed, so a
//! bad head is never seen by anybody.
//!
//! Pure: bytes in, a count out. No IO and no clock.

use memchr::memchr;

use crate::error::Refusal;

/// Empty lines that may stand before a request line (RFC 9112 §2.2 asks for at least one).
const LEADING_LINES_MAX: u8 = 2;
/// Fields of one head; hyper has the same limit.
const FIELDS_MAX: u16 = 100;
/// Bytes of a method: the longest registered one has 17.
const METHOD_BYTES_MAX: usize = 32;
/// Bytes of one chunk-size line with its extensions, and of all extensions of one body (RFC 9112 §7.1.1).
const CHUNK_EXTENSION_BYTES_MAX: usize = 4 << 10;
/// Bytes of a trailer section; hyper has the same limit.
const TRAILER_BYTES_MAX: usize = 16 << 10;
/// Hexadecimal digits of a chunk size: 2^60 bytes, and no overflow.
const CHUNK_SIZE_DIGITS_MAX: usize = 15;

/// Follows the framing of one connection's requests.
#[derive(Debug)]
pub(crate) struct Guard {
    state: State,
    /// The beginning of a line that came in an earlier read.
    carry: Vec<u8>,
    head: Head,
    limits: Limits,
}

/// What a head may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) line_bytes_max: usize,
    pub(crate) head_bytes_max: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Body {
        left: u64,
    },
    ChunkSize {
        extensions: usize,
    },
    ChunkData {
        left: u64,
        extensions: usize,
    },
    /// The CRLF after a chunk's data: how many of its two bytes are still to come.
    ChunkEnd {
        left: u8,
        extensions: usize,
    },
    Trailers {
        bytes: usize,
    },
    Refused {
        why: Refusal,
        in_body: bool,
    },
}

/// What is known of the head that is being read.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    leading_lines: u8,
    line_seen: bool,
    fields: u16,
    bytes: usize,
    http_10: bool,
    length: Option<u64>,
    chunked: bool,
}

enum Line {
    More,
    EndOfHead,
}

impl Guard {
    pub(crate) fn new(limits: Limits) -> Guard {
        Guard { state: State::Head, carry: Vec::new(), head: Head::default(), limits }
    }

    /// Follows `bytes` and returns how many of them may pass. If not all may, [`refused`](Guard::refused) says why, and
    /// nothing passes ever after.
    pub(crate) fn follow(&mut self, bytes: &[u8]) -> Followed {
        let (mut at, mut heads) = (0, 0);
        while at < bytes.len() {
            let rest = &bytes[at..];
            let step = match self.state {
                State::Head | State::ChunkSize { .. } | State::Trailers { .. } => self.line(rest, &mut heads),
                State::Body { left } => {
                    let (taken, left) = take(rest, left);
                    self.state = if left == 0 { State::Head } else { State::Body { left } };
                    Ok(taken)
                }
                State::ChunkData { left, extensions } => {
                    let (taken, left) = take(rest, left);
                    self.state = match left {
                        0 => State::ChunkEnd { left: 2, extensions },
                        left => State::ChunkData { left, extensions },
                    };
                    Ok(taken)
                }
                State::ChunkEnd { left, extensions } => self.chunk_end(rest[0], left, extensions),
                State::Refused { .. } => break,
            };
            match step {
                Ok(taken) => at += taken,
                Err(why) => {
                    self.state = State::Refused { why, in_body: self.state != State::Head };
                    self.carry = Vec::new();
                }
            }
        }
        Followed { passed: at, heads }
    }

    /// Why nothing passes any more.
    pub(crate) fn refused(&self) -> Option<Refusal> {
        match self.state {
            State::Refused { why, .. } => Some(why),
            _ => None,
        }
    }

    /// Whether what was refused belongs to a request whose head has passed.
    pub(crate) fn refused_in_body(&self) -> bool {
        matches!(self.state, State::Refused { in_body: true, .. })
    }

    /// Whether no byte of a next request has come.
    pub(crate) fn at_boundary(&self) -> bool {
        self.state == State::Head && self.head.bytes == 0 && self.carry.is_empty()
    }

    /// Whether a body is under way.
    pub(crate) fn in_body(&self) -> bool {
        !matches!(self.state, State::Head | State::Refused { .. })
    }

    /// Takes bytes up to the end of a line, and the line if it is complete.
    fn line(&mut self, rest: &[u8], heads: &mut u32) -> Result<usize, Refusal> {
        let Some(end) = memchr(b'\n', rest) else {
            self.check_partial(self.carry.len() + rest.len())?;
            self.carry.extend_from_slice(rest);
            return Ok(rest.len());
        };
        let taken = end + 1;
        if self.carry.is_empty() {
            self.complete_line(&rest[..taken], heads)?;
        } else {
            let mut line = std::mem::take(&mut self.carry);
            line.extend_from_slice(&rest[..taken]);
            self.complete_line(&line, heads)?;
            line.clear();
            self.carry = line;
        }
        Ok(taken)
    }

    fn check_partial(&self, length: usize) -> Result<(), Refusal> {
        match self.state {
            State::ChunkSize { .. } if length > CHUNK_EXTENSION_BYTES_MAX => Err(Refusal::BadFraming),
            State::Trailers { bytes } if bytes + length > TRAILER_BYTES_MAX => Err(Refusal::BadFraming),
            State::Head => self.check_head_size(length),
            _ => Ok(()),
        }
    }

    fn check_head_size(&self, length: usize) -> Result<(), Refusal> {
        if !self.head.line_seen && length > self.limits.line_bytes_max {
            return Err(Refusal::LineTooLong);
        }
        if self.head.bytes + length > self.limits.head_bytes_max {
            return Err(Refusal::HeadTooLarge);
        }
        Ok(())
    }

    fn complete_line(&mut self, line: &[u8], heads: &mut u32) -> Result<(), Refusal> {
        match self.state {
            State::ChunkSize { extensions } => {
                let (size, more) = chunk_size(line)?;
                let extensions = extensions + more;
                if extensions > CHUNK_EXTENSION_BYTES_MAX {
                    return Err(Refusal::BadFraming);
                }
                self.state = match size {
                    0 => State::Trailers { bytes: 0 },
                    left => State::ChunkData { left, extensions },
                };
                Ok(())
            }
            State::Trailers { bytes } => {
                let content = line.strip_suffix(b"\r\n").ok_or(Refusal::BadFraming)?;
                let bytes = bytes + line.len();
                if bytes > TRAILER_BYTES_MAX {
                    return Err(Refusal::BadFraming);
                }
                self.state = if content.is_empty() { State::Head } else { State::Trailers { bytes } };
                Ok(())
            }
            _ => {
                self.check_head_size(line.len())?;
                if let Line::EndOfHead = self.head.line(line)? {
                    *heads += 1;
                    self.state = self.head.framing();
                    self.head = Head::default();
                }
                Ok(())
            }
        }
    }

    fn chunk_end(&mut self, byte: u8, left: u8, extensions: usize) -> Result<usize, Refusal> {
        self.state = match (left, byte) {
            (2, b'\r') => State::ChunkEnd { left: 1, extensions },
            (1, b'\n') => State::ChunkSize { extensions },
            _ => return Err(Refusal::BadFraming),
        };
        Ok(1)
    }
}

/// What became of one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Followed {
    /// Bytes that may pass.
    pub(crate) passed: usize,
    /// Heads that ended among them.
    pub(crate) heads: u32,
}

fn take(rest: &[u8], left: u64) -> (usize, u64) {
    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
    (taken, left - taken as u64)
}

impl Head {
    fn line(&mut self, line: &[u8]) -> Result<Line, Refusal> {
        self.bytes += line.len();
        let content = line.strip_suffix(b"\r\n").ok_or(Refusal::BadRequest)?;
        if !self.line_seen {
            if content.is_empty() {
                self.leading_lines += 1;
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
                if self.fields > FIELDS_MAX {
                    return Err(Refusal::HeadTooLarge);
                }
                match first {
                    b'c' | b'C' => self.length(content)?,
                    b't' | b'T' => self.coding(content)?,
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
        let codings: Vec<&[u8]> = value.split(|b| *b == b',').map(<[u8]>::trim_ascii).collect();
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

    fn framing(&self) -> State {
        match (self.chunked, self.length) {
            (true, _) => State::ChunkSize { extensions: 0 },
            (false, None | Some(0)) => State::Head,
            (false, Some(left)) => State::Body { left },
        }
    }
}

/// Checks `method SP request-target SP HTTP-version` (RFC 9112 §3) and says whether the version is 1.0.
fn request_line(line: &[u8]) -> Result<bool, Refusal> {
    let method = memchr(b' ', line).ok_or(Refusal::BadRequest)?;
    let (target, version) =
        line[method + 1..].split_at(memchr(b' ', &line[method + 1..]).ok_or(Refusal::BadRequest)?);
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
        _ => Err(Refusal::BadRequest),
    }
}

/// The value of `field` without the white space around it, if the field has this name.
fn value_of<'a>(field: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (head, tail) = field.split_at_checked(name.len())?;
    let value = tail.strip_prefix(b":")?;
    // Not `trim_ascii`: it also takes vertical tabs and form feeds for white space (RFC 9110 §5.6.3 does not).
    let from = value.iter().position(|b| !matches!(b, b' ' | b'\t')).unwrap_or(value.len());
    let to = value.iter().rposition(|b| !matches!(b, b' ' | b'\t')).map_or(from, |last| last + 1);
    head.eq_ignore_ascii_case(name).then(|| &value[from..to])
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Reads `1*HEXDIG [ chunk-ext ] CRLF` (RFC 9112 §7.1): the size, and the bytes that its extensions take.
fn chunk_size(line: &[u8]) -> Result<(u64, usize), Refusal> {
    let content = line.strip_suffix(b"\r\n").ok_or(Refusal::BadFraming)?;
    let digits = content.iter().position(|b| !b.is_ascii_hexdigit()).unwrap_or(content.len());
    let (digits, extensions) = content.split_at(digits);
    if digits.is_empty() || digits.len() > CHUNK_SIZE_DIGITS_MAX || !are_extensions(extensions) {
        return Err(Refusal::BadFraming);
    }
    let value = |digit: u8| u64::from(char::from(digit).to_digit(16).unwrap_or(0));
    let size = digits.iter().fold(0, |size, digit| size * 16 + value(*digit));
    Ok((size, extensions.len()))
}

/// Nothing, or `;` and a name for each extension, without control characters. The white space that RFC 9112 §7.1.1
/// allows for the sake of old senders is refused: it is what parsers disagree on.
fn are_extensions(extensions: &[u8]) -> bool {
    let Some(list) = extensions.strip_prefix(b";") else { return extensions.is_empty() };
    let visible = list.iter().all(|b| matches!(b, b' '..=b'~'));
    visible && list.split(|b| *b == b';').all(|one| one.first().is_some_and(|b| is_token(*b)))
}

#[cfg(test)]
#[path = "guard/tests.rs"]
mod tests;
