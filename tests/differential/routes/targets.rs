//! Random spellings of a path.

use std::fmt::Write as _;

use fastrand::Rng;

/// What may stand for a slash behind the first one; the plain one is there more often.
const SLASHES: &[&str] = &[
    "//",
    "///",
    "%2F",
    "%2f",
    "/%2F",
    "%2f/",
    "/./",
    "/%2e/",
    "/x/../",
    "/x/%2E./",
    "/x/%2e%2E/",
    "/x/y/../../",
    "/x//../",
    "%2fx/../",
    "/..%2f",
    "/.%2F",
    "/../",
    "\\..\\",
    "%5C",
    "/..;/",
    "/x/..;y=1/",
    "/;v=1/",
];

/// What may stand behind the path.
const ENDS: &[&str] = &[
    "/",
    "//",
    "/.",
    "/..",
    "/x/..",
    "/%2e",
    "/%2e%2E",
    "/x/%2e.",
    "%2F",
    "%2F..",
    "%2f.",
    "..",
    ".",
    "/...",
    "/../..",
    "/..;",
    "/.;x",
    "%00",
    "%0",
    "%",
    "%zz",
    "%25",
    "%252e",
    "%3Fx",
    "%23x",
    "%20",
    "%c3%A9",
    "%7f",
    "%0a",
    "\\",
    "%5c..",
    ";v=1",
    "%3B",
    "+",
    "%2B",
    "%2E",
    "/.git",
    "/../../../../..",
];

const QUERIES: &[&str] = &["?", "?q=/../x%2F", "?a?b", "?/a"];

/// A request target that means this path, or, by what is put into it, another or none.
pub(super) fn random_spelling(random: &mut Rng, path: &str) -> String {
    let mut out = String::from("/");
    let one_of = |random: &mut Rng, from: &[&str], of: usize| match random.usize(..of) {
        0 => from[random.usize(..from.len())].to_owned(),
        _ => String::new(),
    };
    for byte in path.bytes().skip(1) {
        let must = matches!(byte, b' ' | b'?' | b'%' | b'#' | 0x7f..);
        if byte == b'/' {
            let slash = one_of(random, SLASHES, 6);
            out += if slash.is_empty() { "/" } else { &slash };
        } else if must || random.u8(..10) == 0 {
            let _ = if random.bool() { write!(out, "%{byte:02X}") } else { write!(out, "%{byte:02x}") };
        } else {
            out.push(char::from(byte));
        }
    }
    if random.u8(..12) == 0 {
        out.insert_str(0, ["/", "/.", "/x/..", "//"][random.usize(..4)]);
    }
    out += &one_of(random, ENDS, 4);
    out += &one_of(random, QUERIES, 8);
    out
}

/// A path in which every escaped dot, slash and semicolon is a plain one; an escaped slash is a backslash.
pub(super) fn folded(path: &str) -> String {
    let path = path.to_ascii_lowercase().replace("%2e", ".").replace("%3b", ";");
    path.replace("%2f", "\\").replace("%5c", "\\")
}
