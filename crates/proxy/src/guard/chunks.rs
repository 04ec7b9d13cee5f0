//! The lines between the chunks of a body (RFC 9112 §7.1).

use crate::error::Refusal;
use crate::field::is_token;

/// Bytes of one chunk-size line with its extensions, and of all extensions of one body (RFC 9112 §7.1.1).
pub(super) const CHUNK_EXTENSION_BYTES_MAX: usize = 4 << 10;
/// Bytes by which the framing of one body may outweigh three times its data, each chunk that does better paid back. Only
/// chunks of one byte, or with padded sizes, run into this: they cost far more to read than to send.
const CHUNK_WASTE_BYTES_MAX: usize = 64 << 10;
/// Hexadecimal digits of a chunk size: 2^60 bytes, and no overflow.
pub(super) const CHUNK_SIZE_DIGITS_MAX: usize = 15;

/// What the framing of a body's chunks has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ChunkCost {
    /// Bytes of extensions.
    extensions: u16,
    /// See [`CHUNK_WASTE_BYTES_MAX`].
    waste: u32,
}

impl ChunkCost {
    /// With one chunk more: its size line, the CRLF behind its data, and what that data makes good.
    pub(super) fn with(self, line: usize, size: u64, extensions: usize) -> Result<ChunkCost, Refusal> {
        let extensions = usize::from(self.extensions) + extensions;
        let waste = (self.waste as usize + line + 2)
            .saturating_sub(usize::try_from(size.saturating_mul(3)).unwrap_or(usize::MAX));
        if extensions > CHUNK_EXTENSION_BYTES_MAX || waste > CHUNK_WASTE_BYTES_MAX {
            return Err(Refusal::BadFraming);
        }
        let small = "both limits are smaller than what holds them";
        Ok(ChunkCost {
            extensions: u16::try_from(extensions).expect(small),
            waste: u32::try_from(waste).expect(small),
        })
    }
}

/// Reads `1*HEXDIG [ chunk-ext ] CRLF` (RFC 9112 §7.1): the size, and the bytes that its extensions take.
pub(super) fn chunk_size(line: &[u8]) -> Result<(u64, usize), Refusal> {
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

/// Nothing, or for each extension `;`, a name, and `=` and a value if it has one. The white space that RFC 9112 §7.1.1
/// allows for the sake of old senders is refused: it is what parsers disagree on.
fn are_extensions(mut rest: &[u8]) -> bool {
    while let Some(extension) = rest.strip_prefix(b";") {
        let name = extension.iter().position(|b| !is_token(*b)).unwrap_or(extension.len());
        rest = &extension[name..];
        if let Some(value) = rest.strip_prefix(b"=") {
            let Some(after) = behind_value(value) else { return false };
            rest = after;
        }
        if name == 0 {
            return false;
        }
    }
    rest.is_empty()
}

/// What follows a quoted string, or a run of visible characters. Signatures have `/` and `=` in theirs, which no token has
/// and nothing misreads.
fn behind_value(value: &[u8]) -> Option<&[u8]> {
    let Some(quoted) = value.strip_prefix(b"\"") else {
        let end = value.iter().position(|b| !matches!(b, b'!'..=b'~') || matches!(b, b';' | b'"'));
        let (value, after) = value.split_at(end.unwrap_or(value.len()));
        return (!value.is_empty()).then_some(after);
    };
    let mut escaped = false;
    for (at, byte) in quoted.iter().enumerate() {
        match byte {
            b' '..=b'~' if escaped => escaped = false,
            b'"' => return Some(&quoted[at + 1..]),
            b'\\' => escaped = true,
            b' '..=b'~' => {}
            _ => return None,
        }
    }
    None
}
