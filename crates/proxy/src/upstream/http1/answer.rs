//! The head of an answer (RFC 9112 §4–6), read strictly, into a map that has room for it. Pure: bytes in, a head out.

use std::mem::MaybeUninit;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, Version};
use httparse::{Error, Header, ParserConfig, Status};
use hyper::ext::ReasonPhrase;
use memchr::memmem;

use super::chunked::Chunked;
use super::framing::Framing;
use super::head::digits;
use super::{Broken, Limits};
use crate::field;

/// Fields for which there is room without asking for memory.
const FEW: usize = 64;

/// The head of an answer, or of an interim response.
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) fields: HeaderMap,
    /// If it is not the usual one.
    pub(super) reason: Option<ReasonPhrase>,
    /// How the body behind it is framed.
    pub(crate) framing: Framing,
    /// Whether the connection may carry another request behind it.
    pub(crate) keeps: bool,
    /// How long it was.
    pub(super) length: usize,
}

impl Head {
    /// Whether the answer itself comes behind it. A switch of protocols is one.
    pub(crate) fn is_interim(&self) -> bool {
        self.status.is_informational() && self.status != StatusCode::SWITCHING_PROTOCOLS
    }
}

/// Reads heads out of what comes in pieces.
#[derive(Default)]
pub(crate) struct HeadReader {
    /// Bytes of what was read that are known to hold no end of a head.
    looked_at: usize,
}

impl HeadReader {
    /// Takes a head out of what was read; none if it is not whole. What was looked at in vain is not looked at again.
    ///
    /// # Errors
    /// [`Broken`]: it is none, or too long, or its body could end in two places.
    pub(crate) fn parse(
        &mut self,
        read: &mut Bytes,
        limits: &Limits,
        asks_for_head: bool,
        room: &mut HeaderMap,
    ) -> Result<Option<Head>, Broken> {
        if read.is_empty() || (self.looked_at > 0 && !may_be_whole(read, self.looked_at)) {
            self.looked_at = read.len();
            return if read.len() > limits.bytes_max { Err(Broken) } else { Ok(None) };
        }
        let parsed = parse(read, limits, asks_for_head, room);
        self.looked_at = if matches!(parsed, Ok(None)) { read.len() } else { 0 };
        parsed
    }
}

/// Takes a head out of what was read; none if it is not whole. `room` is a map without fields.
///
/// # Errors
/// [`Broken`]: it is none, or too long, or its body could end in two places.
fn parse(
    read: &mut Bytes,
    limits: &Limits,
    asks_for_head: bool,
    room: &mut HeaderMap,
) -> Result<Option<Head>, Broken> {
    let most = limits.fields_max.min(FEW);
    let mut few = [const { MaybeUninit::uninit() }; FEW];
    let parsed = match parse_into(read, limits, asks_for_head, room, &mut few[..most]) {
        Err(Error::TooManyHeaders) if limits.fields_max > FEW => {
            let mut many = vec![MaybeUninit::uninit(); limits.fields_max];
            parse_into(read, limits, asks_for_head, room, &mut many)
        }
        parsed => parsed,
    };
    match parsed {
        Ok(Some(head)) => {
            read.advance(head.length);
            Ok(Some(head))
        }
        Ok(None) if read.len() <= limits.bytes_max => Ok(None),
        Ok(None) | Err(_) => Err(Broken),
    }
}

fn parse_into<'b>(
    read: &'b Bytes,
    limits: &Limits,
    asks_for_head: bool,
    room: &mut HeaderMap,
    headers: &mut [MaybeUninit<Header<'b>>],
) -> Result<Option<Head>, Error> {
    let mut response = httparse::Response::new(&mut []);
    let parsed = ParserConfig::default().parse_response_with_uninit_headers(&mut response, read, headers)?;
    let Status::Complete(length) = parsed else { return Ok(None) };
    if length > limits.bytes_max {
        return Err(Error::TooManyHeaders);
    }
    let status = response.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(Error::Status)?;
    let reason = response.reason.filter(|reason| Some(*reason) != status.canonical_reason());
    let reason = reason.map(|reason| ReasonPhrase::try_from(reason.as_bytes())).transpose();
    let is_old = response.version == Some(0);
    let mut told = Told::default();
    let mut fields = std::mem::take(room);
    fields.reserve(response.headers.len());
    for field in response.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| Error::HeaderName)?;
        let value = HeaderValue::from_maybe_shared(read.slice_ref(field.value));
        let value = value.map_err(|_| Error::HeaderValue)?;
        told.look_at(&name, field.value);
        fields.append(name, value);
    }
    let mut head = Head {
        status,
        version: if is_old { Version::HTTP_10 } else { Version::HTTP_11 },
        fields,
        reason: reason.map_err(|_| Error::Status)?,
        framing: Framing::NONE,
        keeps: !told.closes && (!is_old || told.keeps),
        length,
    };
    if !head.is_interim() {
        head.framing = told.framing(status, is_old, asks_for_head).ok_or(Error::HeaderValue)?;
        head.keeps &= status != StatusCode::SWITCHING_PROTOCOLS;
    }
    Ok(Some(head))
}

/// What the fields of a head tell of its connection and of its body.
#[derive(Default)]
struct Told<'b> {
    length: Option<&'b [u8]>,
    coding: Option<&'b [u8]>,
    /// One of the two stands there twice.
    is_doubled: bool,
    closes: bool,
    keeps: bool,
}

impl<'b> Told<'b> {
    fn look_at(&mut self, name: &HeaderName, value: &'b [u8]) {
        if *name == header::CONTENT_LENGTH {
            self.is_doubled |= self.length.replace(value).is_some();
        } else if *name == header::TRANSFER_ENCODING {
            self.is_doubled |= self.coding.replace(value).is_some();
        } else if *name == header::CONNECTION {
            for option in field::list(value) {
                self.closes |= option.eq_ignore_ascii_case(b"close");
                self.keeps |= option.eq_ignore_ascii_case(b"keep-alive");
            }
        }
    }

    /// Where the body ends, if every reader would say that it ends there (RFC 9112 §6.3): there is one plain length, or one
    /// coding that we know and no length beside it, or neither.
    fn framing(&self, status: StatusCode, is_old: bool, asks_for_head: bool) -> Option<Framing> {
        let is_coded_well = self.coding.is_none_or(|coding| coding.eq_ignore_ascii_case(b"chunked"));
        let is_long_well = self.length.is_none_or(|length| length.iter().all(u8::is_ascii_digit));
        let is_ambiguous = self.is_doubled || (self.coding.is_some() && self.length.is_some());
        if is_ambiguous || !is_coded_well || !is_long_well {
            return None;
        }
        let has_none = matches!(
            status,
            StatusCode::SWITCHING_PROTOCOLS | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        );
        match (self.coding, self.length) {
            _ if has_none || asks_for_head => Some(Framing::NONE),
            (Some(_), _) => (!is_old).then(|| Framing::Chunked(Chunked::default())),
            (None, Some(length)) => digits(length).map(Framing::Length),
            (None, None) => Some(Framing::UntilEnd),
        }
    }
}

/// Puts a piece behind what was read and is not whole, without a copy of that for each of them.
pub(crate) fn append(read: &mut Bytes, piece: Bytes) {
    if read.is_empty() {
        *read = piece;
        return;
    }
    let mut all = std::mem::take(read).try_into_mut().unwrap_or_else(|all| BytesMut::from(&all[..]));
    all.extend_from_slice(&piece);
    *read = all.freeze();
}

/// Whether the end of a head may be in what came behind these bytes, which have none. Whether it is one is for the parser to say.
fn may_be_whole(read: &[u8], looked_at: usize) -> bool {
    let new = &read[looked_at.saturating_sub(3)..];
    memmem::find(new, b"\n\n").is_some() || memmem::find(new, b"\n\r\n").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { bytes_max: 512, fields_max: 4 };

    fn read(bytes: &str, asks_for_head: bool) -> Result<Option<Head>, Broken> {
        parse(&mut Bytes::copy_from_slice(bytes.as_bytes()), &LIMITS, asks_for_head, &mut HeaderMap::new())
    }

    /// How the body of an answer with these lines is framed.
    fn framing(lines: &str, asks_for_head: bool) -> Option<String> {
        let head = read(&format!("{lines}\r\n\r\n"), asks_for_head).ok()??;
        Some(format!("{:?}", head.framing).split_whitespace().next()?.to_owned())
    }

    #[test]
    fn a_body_ends_where_every_reader_would_say() {
        let of = |lines: &str| framing(lines, false);
        let is = |framing: &str| Some(framing.to_owned());
        assert_eq!(of("HTTP/1.1 200 OK"), is("UntilEnd"));
        assert_eq!(of("HTTP/1.1 200 OK\r\nContent-Length: 005"), is("Length(5)"));
        assert_eq!(of("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked"), is("Chunked(Chunked"));
        for none in ["HTTP/1.1 204 No", "HTTP/1.1 304 No", "HTTP/1.1 101 Yes"] {
            assert_eq!(of(&format!("{none}\r\nContent-Length: 5")), is("Length(0)"), "{none}");
        }
        assert_eq!(framing("HTTP/1.1 200 OK\r\nContent-Length: 5", true), is("Length(0)"));
        for odd in [
            "Content-Length: 5\r\nContent-Length: 5",
            "Content-Length: 5, 5",
            "Content-Length: +5",
            "Content-Length:",
            "Content-Length: 99999999999999999999",
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: \x0bchunked",
            "Transfer-Encoding : chunked",
            "Content-Length: 5\r\n ,6",
        ] {
            assert_eq!(of(&format!("HTTP/1.1 200 OK\r\n{odd}")), None, "{odd:?}");
        }
        assert_eq!(
            of("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked"),
            None,
            "of HTTP/1.0 no coding is known"
        );
    }

    #[test]
    fn a_connection_is_kept_as_its_version_and_its_options_say() {
        let of = |lines: &str| read(&format!("{lines}\r\n\r\n"), true).ok().flatten().map(|head| head.keeps);
        assert_eq!(of("HTTP/1.1 200 OK"), Some(true));
        assert_eq!(of("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nConnection: keep-alive"), Some(false));
        assert_eq!(of("HTTP/1.0 200 OK"), Some(false));
        assert_eq!(of("HTTP/1.0 200 OK\r\nConnection: Keep-Alive"), Some(true));
        assert_eq!(of("HTTP/1.1 101 Yes"), Some(false));
    }

    #[test]
    fn what_is_too_long_or_no_head_is_refused() {
        let fields = |count: usize| format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(count));
        assert!(read(&fields(4), false).is_ok_and(|head| head.is_some()));
        assert!(read(&fields(5), false).is_err());
        let long = |bytes: usize| format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(bytes));
        assert!(read(&long(400), false).is_ok_and(|head| head.is_none()), "more may come");
        assert!(read(&long(500), false).is_err());
        for junk in ["SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 99 No\r\n\r\n", "HTTP/2 200\r\n\r\n"] {
            assert!(read(junk, false).is_err(), "{junk:?}");
        }
    }
}
