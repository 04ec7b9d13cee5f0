//! What real programs send, as they send it. Where a message has but one meaning and both peers send it on, so do we: a row
//! that says otherwise says why.

mod browsers;
mod libraries;
mod machines;
mod old;

use super::Relation::{self, Laxer, Other, Same, Stricter};
use super::cases::{Case, but, same};

/// All of them.
pub(crate) fn cases() -> impl Iterator<Item = Case> {
    let written = [browsers::CASES, libraries::CASES, machines::CASES, old::CASES];
    written.into_iter().flatten().cloned().chain(large())
}

/// Those that are too long to be written down.
fn large() -> Vec<Case> {
    let head = "GET /x HTTP/1.1\r\nHost: a\r\n";
    let fields = |number: usize| {
        let fields: String = (0..number).map(|place| format!("X-F{place}: v\r\n")).collect();
        format!("{head}{fields}\r\n")
    };
    let url = |kib: usize| format!("GET /x?q={} HTTP/1.1\r\nHost: a\r\n\r\n", "v".repeat(kib << 10));
    let ticket = |kib: usize| format!("{head}Authorization: Negotiate {}\r\n\r\n", "v".repeat(kib << 10));
    let cookies: Vec<String> = (0..64).map(|place| format!("name{place}={}", "v".repeat(40))).collect();
    let trailers: String = (0..60).map(|place| format!("X-T{place}: v\r\n")).collect();
    [
        ("64 cookies", format!("{head}Cookie: {}\r\n\r\n", cookies.join("; ")), (Same, Same), ""),
        ("64 fields of cookies", format!("{head}{}\r\n", "Cookie: a=b\r\n".repeat(64)), (Same, Same), ""),
        ("a URL of 7 KiB", url(7), (Same, Same), ""),
        ("a URL of 12 KiB", url(12), (Laxer, Same), "nginx' limit is 8 KiB"),
        ("a ticket of 7 KiB", ticket(7), (Same, Same), ""),
        ("a ticket of 12 KiB", ticket(12), (Laxer, Same), "nginx' limit is 8 KiB"),
        ("90 fields", fields(90), (Same, Same), ""),
        ("110 fields", fields(110), (Same, Laxer), "haproxy's limit is 101"),
        ("250 fields", fields(250), (Same, Laxer), "as above"),
        ("300 fields", fields(300), (Stricter, Same), "nginx' limit is on their bytes"),
        (
            "60 trailers",
            format!("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{trailers}\r\n"),
            (Same, Same),
            "",
        ),
    ]
    .map(|(name, input, (nginx, haproxy), reason): (_, _, (Relation, Relation), _)| Case {
        name,
        input: input.into_bytes().into(),
        nginx,
        haproxy,
        reason,
    })
    .into()
}
