//! Bytes that a request target must not have and that programs send all the same: curl and scripts escape nothing, and no
//! proxy of note refuses what they send. They are escaped before anything else looks at the target, so that it is the one
//! that a client which escapes would have sent.

use std::borrow::Cow;

/// Whether a byte of a target must be escaped and has but one meaning: as the URL standard has it (its path and query
/// percent-encode sets), and all that is not ASCII.
///
/// Never control characters and white space, on which parsers disagree, nor `#`, behind which nothing is ever sent: a
/// target that has them is refused.
pub fn must_be_escaped(byte: u8, in_query: bool) -> bool {
    match byte {
        b'"' | b'<' | b'>' | 0x80.. => true,
        b'^' | b'`' | b'{' | b'}' => !in_query,
        _ => false,
    }
}

/// A byte as a target may have it.
pub fn escape(byte: u8) -> [u8; 3] {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    [b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]
}

/// A path and its query, with everything escaped that must be.
pub fn escape_target(target: &str) -> Cow<'_, str> {
    let query = target.find('?').unwrap_or(target.len());
    let is_odd = |(at, byte): (usize, u8)| must_be_escaped(byte, at > query);
    if !target.bytes().enumerate().any(is_odd) {
        return Cow::Borrowed(target);
    }
    let mut escaped = String::with_capacity(target.len() + 32);
    for (at, byte) in target.bytes().enumerate() {
        if is_odd((at, byte)) {
            escaped.extend(escape(byte).map(char::from));
        } else {
            escaped.push(char::from(byte));
        }
    }
    Cow::Owned(escaped)
}

/// Bytes as a path of a target may have them: what means something there, or must not be there, is escaped; so nginx does
/// with a path that was rewritten.
pub fn escape_decoded(path: &[u8]) -> String {
    let mut escaped = String::with_capacity(path.len() + 16);
    for &byte in path {
        let is_plain = byte.is_ascii_graphic() && !b"\"#%<>?\\^`{|}".contains(&byte);
        if is_plain { escaped.push(char::from(byte)) } else { escaped.extend(escape(byte).map(char::from)) }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::{PathMatch, RequestPath};
    use super::*;

    #[test]
    fn a_target_becomes_what_a_client_that_escapes_would_have_sent() {
        for (raw, escaped) in [
            ("/a\"b<c>d`e{f}g^h", "/a%22b%3Cc%3Ed%60e%7Bf%7Dg%5Eh"),
            ("/a?b=\"<>\"", "/a?b=%22%3C%3E%22"),
            ("/a?b={c^d`e}?{", "/a?b={c^d`e}?{"),
            ("/caf\u{e9}?\u{e4}", "/caf%C3%A9?%C3%A4"),
            ("/a|b\\c[d]'%22", "/a|b\\c[d]'%22"),
            ("*", "*"),
            ("?{", "?{"),
        ] {
            assert_eq!(escape_target(raw), escaped, "{raw}");
            assert_eq!(escape_target(escaped), escaped, "once is enough");
        }
    }

    #[test]
    fn a_rule_of_odd_characters_matches_however_they_are_sent() {
        let rule = PathMatch::exact("/\"a\" <b>^`{c}\u{e9}").expect("a rule");
        for raw in [
            "/\"a\"%20<b>^`{c}\u{e9}",
            "/%22a%22%20%3Cb%3E%5E%60%7Bc%7D%C3%A9",
            "/%22a\"%20<b%3e%5e`%7bc}%c3%A9",
        ] {
            let target = escape_target(raw);
            assert!(rule.matches(&RequestPath::parse(&target).expect("a path")), "{raw}");
        }
    }

    #[test]
    fn what_was_decoded_is_escaped_as_nginx_escapes_it() {
        let decoded = b"/a b\"#%<>?\\^`{|}\r\n\0\x7f\xc3\xa9~!$&'()*+,;=:@[]";
        let escaped = "/a%20b%22%23%25%3C%3E%3F%5C%5E%60%7B%7C%7D%0D%0A%00%7F%C3%A9~!$&'()*+,;=:@[]";
        assert_eq!(escape_decoded(decoded), escaped);
    }

    #[test]
    fn what_could_mean_two_things_is_left_to_be_refused() {
        for byte in (0..=b' ').chain([b'#', b'%', 0x7f]) {
            assert!(!must_be_escaped(byte, false) && !must_be_escaped(byte, true), "{byte:#x}");
        }
    }
}
