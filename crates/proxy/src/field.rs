//! What the values of fields are made of (RFC 9110 §5.6): tokens, and lists with white space around their elements.
//!
//! White space is spaces and tabs, and nothing else. `trim_ascii` takes form feeds for it, and in the standard library
//! `trim` takes a dozen characters of Unicode: what one parser trims and another does not is how a coding is hidden.

/// Without the white space around it.
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let from = value.iter().position(|b| !matches!(b, b' ' | b'\t')).unwrap_or(value.len());
    let to = value.iter().rposition(|b| !matches!(b, b' ' | b'\t')).map_or(from, |last| last + 1);
    &value[from..to]
}

/// The elements between the commas, empty ones included.
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|b| *b == b',').map(trim)
}

/// Whether a token may have this byte (RFC 9110 §5.6.2).
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_spaces_and_tabs_and_nothing_else() {
        let value = b" a\t,\x0bb ,\x0cc,, \t,\xa0d";
        let elements: Vec<&[u8]> = list(value).collect();
        assert_eq!(elements, [&b"a"[..], b"\x0bb", b"\x0cc", b"", b"", b"\xa0d"]);
    }
}
