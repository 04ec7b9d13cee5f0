//! A body in chunks (RFC 9112 §7.1), read strictly: whatever another reader could take for another end is refused.

use bytes::{Buf, Bytes};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;

use super::framing::take;
use super::{Broken, Limits};

/// Bytes of the extensions of all chunks of a body, which nothing reads.
const EXTENSION_BYTES_MAX: u16 = 16 << 10;

/// How far the chunks have come.
#[derive(Debug, Default)]
pub(crate) struct Chunked {
    state: State,
    /// Bytes of the current chunk that are to come.
    left: u64,
    extension_bytes: u16,
    trailers: Option<Box<Trailers>>,
}

/// What stands behind the last chunk.
#[derive(Debug, Default)]
struct Trailers {
    bytes: Vec<u8>,
    count: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// The first digit of a size.
    #[default]
    Start,
    Size,
    /// White space behind the size.
    Space,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// The beginning of a line behind the last chunk.
    Line,
    Trailer,
    TrailerLf,
    EndLf,
    Over,
}

impl Chunked {
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// The next frame of what was read.
    pub(super) fn next(&mut self, read: &mut Bytes, limits: &Limits) -> Result<Option<Frame<Bytes>>, Broken> {
        while !read.is_empty() && self.state != State::Over {
            if self.state == State::Data {
                let data = take(read, &mut self.left);
                if self.left == 0 {
                    self.state = State::DataCr;
                }
                return Ok(Some(Frame::data(data)));
            }
            self.state = self.step(read.get_u8(), limits)?;
        }
        match self.trailers.take_if(|_| self.state == State::Over) {
            Some(trailers) => trailers.parse().map(|fields| Some(Frame::trailers(fields))),
            None => Ok(None),
        }
    }

    fn step(&mut self, byte: u8, limits: &Limits) -> Result<State, Broken> {
        match (self.state, byte) {
            (State::Start, _) => self.digit(byte),
            (State::Size, b'\t' | b' ') | (State::Space, b'\t' | b' ') => Ok(State::Space),
            (State::Size | State::Space, b';') => Ok(State::Extension),
            (State::Size | State::Space | State::Extension, b'\r') => Ok(State::SizeLf),
            (State::Size, _) => self.digit(byte),
            (State::Extension, b'\n') => Err(Broken),
            (State::Extension, _) => {
                self.extension_bytes += 1;
                if self.extension_bytes < EXTENSION_BYTES_MAX { Ok(State::Extension) } else { Err(Broken) }
            }
            (State::SizeLf, b'\n') => Ok(if self.left == 0 { State::Line } else { State::Data }),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::Start),
            (State::Line | State::Trailer | State::TrailerLf | State::EndLf, _) => self.behind(byte, limits),
            _ => Err(Broken),
        }
    }

    fn digit(&mut self, byte: u8) -> Result<State, Broken> {
        let digit = char::from(byte).to_digit(16).ok_or(Broken)?;
        let left = self.left.checked_mul(16).ok_or(Broken)?;
        self.left = left + u64::from(digit);
        Ok(State::Size)
    }

    /// What comes behind the last chunk: trailers, if the first line is not empty.
    fn behind(&mut self, byte: u8, limits: &Limits) -> Result<State, Broken> {
        if self.state == State::Line && byte == b'\r' && self.trailers.is_none() {
            return Ok(State::EndLf);
        }
        if self.state == State::EndLf && self.trailers.is_none() {
            return if byte == b'\n' { Ok(State::Over) } else { Err(Broken) };
        }
        let trailers = self.trailers.get_or_insert_default();
        trailers.bytes.push(byte);
        if trailers.bytes.len() >= limits.bytes_max {
            return Err(Broken);
        }
        match (self.state, byte) {
            (State::Line | State::Trailer, b'\n') => Err(Broken),
            (State::Line, b'\r') => Ok(State::EndLf),
            (State::Trailer, b'\r') => Ok(State::TrailerLf),
            (State::Line | State::Trailer, _) => Ok(State::Trailer),
            (State::TrailerLf, b'\n') if trailers.count < limits.fields_max => {
                trailers.count += 1;
                Ok(State::Line)
            }
            (State::EndLf, b'\n') => Ok(State::Over),
            _ => Err(Broken),
        }
    }
}

impl Trailers {
    fn parse(&self) -> Result<HeaderMap, Broken> {
        let mut fields = vec![httparse::EMPTY_HEADER; self.count];
        let Ok(httparse::Status::Complete((_, fields))) = httparse::parse_headers(&self.bytes, &mut fields)
        else {
            return Err(Broken);
        };
        let mut trailers = HeaderMap::with_capacity(fields.len());
        for field in fields {
            let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| Broken)?;
            trailers.append(name, HeaderValue::from_bytes(field.value).map_err(|_| Broken)?);
        }
        Ok(trailers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { bytes_max: 64, fields_max: 2 };

    /// The data and the trailers, if all of it is read as one body, however it is cut.
    fn read(bytes: &str) -> Option<(String, usize)> {
        let of = |size: usize| {
            let (mut chunked, mut data, mut trailers) = (Chunked::default(), Vec::new(), 0);
            for piece in bytes.as_bytes().chunks(size) {
                let mut piece = Bytes::copy_from_slice(piece);
                while let Some(frame) = chunked.next(&mut piece, &LIMITS).ok()? {
                    match frame.into_data() {
                        Ok(more) => data.extend_from_slice(&more),
                        Err(frame) => trailers = frame.into_trailers().map_or(0, |fields| fields.len()),
                    }
                }
            }
            chunked.is_over().then(|| (String::from_utf8_lossy(&data).into_owned(), trailers))
        };
        let whole = of(bytes.len());
        (1..bytes.len()).for_each(|size| assert_eq!(of(size), whole, "{bytes:?} in pieces of {size}"));
        whole
    }

    #[test]
    fn what_is_in_chunks_is_read_in_whatever_pieces_it_comes() {
        let body = |data: &str, trailers| Some((data.to_owned(), trailers));
        assert_eq!(read("0\r\n\r\n"), body("", 0));
        assert_eq!(read("2\r\nhi\r\nA\r\n0123456789\r\n000\r\n\r\n"), body("hi0123456789", 0));
        assert_eq!(read("2 \t;a=\"b\"\r\nhi\r\n0;c\r\n\r\n"), body("hi", 0));
        assert_eq!(read("2\r\nhi\r\n0\r\nA: 1\r\nb:\r\n\r\n"), body("hi", 2));
    }

    #[test]
    fn what_another_reader_could_take_for_another_end_is_refused() {
        let long = format!("1;{}\r\na\r\n0\r\n\r\n", "e".repeat(usize::from(EXTENSION_BYTES_MAX)));
        for broken in [
            "\r\n0\r\n\r\n",
            "2\nhi\r\n0\r\n\r\n",
            "+2\r\nhi\r\n0\r\n\r\n",
            "0x2\r\nhi\r\n0\r\n\r\n",
            "2 2\r\nhi\r\n0\r\n\r\n",
            "2;a\nb\r\nhi\r\n0\r\n\r\n",
            "2\r\nhi0\r\n\r\n",
            "2\r\nhi\n0\r\n\r\n",
            "10000000000000002\r\nhi\r\n0\r\n\r\n",
            "0\r\n\n",
            "0\r\nA: 1\n\r\n\r\n",
            "0\r\nA: 1\rb\r\n\r\n",
            "0\r\nA : 1\r\n\r\n",
            "0\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n",
            "0\r\nA: 0123456789012345678901234567890123456789012345678901234567890\r\n\r\n",
            "2\r\nhi\r\n",
            "0\r\n",
        ] {
            assert_eq!(read(broken), None, "{broken:?}");
        }
        let mut chunked = Chunked::default();
        let all: Result<Vec<_>, _> = std::iter::repeat_with({
            let mut long = Bytes::from(long);
            move || chunked.next(&mut long, &LIMITS).transpose()
        })
        .map_while(|frame| frame)
        .collect();
        assert!(all.is_err(), "of extensions there are only so many bytes");
    }
}
