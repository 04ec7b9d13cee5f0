//! Which answers are compressed, and what their heads say then: through us and through nginx as ingress-nginx sets it up with
//! `use-gzip`.

use std::io::{Read, Write};
use std::sync::Arc;

use model::{Compression, Filters, Policy, ResponseFilter};
use system_tests::message::{Message, Reader};
use system_tests::{Upstream, sluice};

use crate::gates::{Folder, Gate, Nginx, Ours};

/// Where we compress less than nginx, on purpose.
const DELIBERATE: &str = "no-transform";

const SERVER: &str = "gzip on; gzip_comp_level 1; gzip_http_version 1.1; gzip_min_length 256;
    gzip_types application/json text/plain; gzip_proxied any; gzip_vary on;";

fn policy() -> Policy {
    let types = ["application/json", "text/plain", "text/html"].map(Box::from).into();
    let compress = ResponseFilter::Compress(Compression { level: 1, length_min: 256, types });
    Policy { filters: Filters::new(Vec::new(), vec![compress]), ..Policy::default() }
}

/// Head and body of an answer.
struct Says {
    status: &'static str,
    fields: &'static str,
    body: usize,
    chunked: bool,
}

fn says(status: &'static str, fields: &'static str, body: usize, chunked: bool) -> Says {
    Says { status, fields, body, chunked }
}

impl Says {
    fn bytes(&self) -> String {
        let Says { status, fields, body, chunked } = self;
        let text = "abc ".repeat(*body / 4);
        if *chunked {
            let half = text.len() / 2;
            let chunk = |part: &str| {
                if part.is_empty() { String::new() } else { format!("{:x}\r\n{part}\r\n", part.len()) }
            };
            let chunks = chunk(&text[..half]) + &chunk(&text[half..]);
            format!("HTTP/1.1 {status}\r\n{fields}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
        } else {
            format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\n\r\n{text}", text.len())
        }
    }
}

/// What a client sees of compression.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    status: u16,
    fields: Vec<(&'static str, Option<String>)>,
    is_sized: bool,
    body: String,
}

/// Fields of one name, in any order.
fn sorted(values: String) -> String {
    let mut values: Vec<&str> = values.split('|').collect();
    values.sort_unstable();
    values.join("|")
}

fn ask(gate: &dyn Gate, head: &str) -> Seen {
    let mut stream = gate.connect();
    stream.write_all(head.as_bytes()).unwrap();
    let mut reader = Reader::default();
    let mut answer: Message = reader.head(&mut stream).unwrap();
    let read = reader.body(&mut stream, &mut answer, !head.starts_with("HEAD"));
    read.unwrap_or_else(|error| panic!("{head} {answer:?}: {error}"));
    let names = ["content-encoding", "vary", "etag", "accept-ranges", "content-type"];
    let is_gzip = answer.field("content-encoding").as_deref() == Some("gzip");
    let body = if is_gzip && !answer.body.is_empty() {
        let mut plain = Vec::new();
        let read = flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut plain);
        read.unwrap_or_else(|error| panic!("{head} {answer:?}: {error}"));
        plain
    } else {
        answer.body.clone()
    };
    Seen {
        status: answer.status(),
        fields: names.map(|name| (name, answer.field(name).map(sorted))).into(),
        is_sized: answer.field("content-length").is_some(),
        // Of one that is compressed as long as it was.
        body: format!("{} bytes, {:?}…", body.len(), String::from_utf8_lossy(&body[..body.len().min(16)])),
    }
}

#[test]
fn what_nginx_compresses_is_compressed_and_says_the_same_of_itself() {
    const JSON: &str = "Content-Type: application/json\r\nETag: \"a\"\r\nAccept-Ranges: bytes\r\n";
    let answers = [
        says("200 OK", JSON, 4096, false),
        says("200 OK", JSON, 4096, true),
        says("200 OK", JSON, 1 << 18, true),
        says("200 OK", JSON, 256, false),
        says("200 OK", JSON, 252, false),
        says("200 OK", JSON, 8, true),
        says("200 OK", "Content-Type: Text/HTML; charset=utf-8\r\nVary: Cookie\r\n", 4096, false),
        says("200 OK", "Content-Type: text/plain\r\nETag: W/\"a\"\r\n", 4096, false),
        says("200 OK", "Content-Type: image/png\r\nETag: \"a\"\r\nAccept-Ranges: bytes\r\n", 4096, false),
        says("200 OK", "ETag: \"a\"\r\n", 4096, false),
        says("200 OK", "Content-Type: text/plain\r\nContent-Encoding: br\r\n", 4096, false),
        says("403 Forbidden", JSON, 4096, false),
        says("404 Not Found", JSON, 4096, true),
        says("500 Internal Server Error", JSON, 4096, false),
        says("201 Created", JSON, 4096, false),
        says(
            "206 Partial Content",
            "Content-Type: text/plain\r\nContent-Range: bytes 0-4095/9999\r\n",
            4096,
            false,
        ),
        says("200 OK", "Content-Type: text/plain\r\nCache-Control: public, no-transform\r\n", 4096, false),
    ];
    let answers = Arc::new(answers);
    let told = Arc::clone(&answers);
    let upstream = Upstream::scripted(move |peer| {
        while let Ok(request) = peer.request() {
            let place: usize = request.target()[1..].parse().unwrap();
            let bytes = told[place].bytes();
            let end = if request.start.starts_with("HEAD") {
                bytes.find("\r\n\r\n").unwrap() + 4
            } else {
                bytes.len()
            };
            if peer.send(&bytes[..end]).is_err() {
                return;
            }
        }
    });
    let folder = Folder::new("gzip");
    let server = format!(
        "{SERVER} server {{ listen unix:nginx.sock; location / {{ proxy_pass http://{}; proxy_http_version 1.1;
        proxy_set_header Connection \"\"; proxy_buffering off; }} }}",
        upstream.address
    );
    let nginx = Nginx::serving(&folder, &server);
    let ours = Ours::routing(sluice::table_with(2, policy(), &[sluice::ready(upstream.address)]));
    let mut compressed = 0;
    for (place, answer) in answers.iter().enumerate() {
        for (method, version, accept) in [
            ("GET", "1.1", "Accept-Encoding: gzip\r\n"),
            ("GET", "1.1", "Accept-Encoding: deflate, gzip;q=0.8, br\r\n"),
            ("GET", "1.1", "Accept-Encoding: gzip;q=0\r\n"),
            ("GET", "1.1", "Accept-Encoding: br\r\n"),
            ("GET", "1.1", "Accept-Encoding: gzip\r\nVia: 1.1 cache\r\n"),
            ("GET", "1.1", ""),
            ("GET", "1.0", "Accept-Encoding: gzip\r\n"),
            ("HEAD", "1.1", "Accept-Encoding: gzip\r\n"),
        ] {
            // Bodies without a length end with the connection there.
            if version == "1.0" && answer.chunked {
                continue;
            }
            let head = format!("{method} /{place} HTTP/{version}\r\nHost: a\r\n{accept}\r\n");
            let (ours, theirs) = (ask(&ours, &head), ask(&nginx, &head));
            if answer.fields.contains(DELIBERATE) {
                assert_eq!((&ours.fields[0].1, ours.is_sized), (&None, true), "{head}");
                continue;
            }
            compressed += usize::from(ours.fields[0].1.as_deref() == Some("gzip"));
            assert_eq!(ours, theirs, "{head} {} {}", answer.status, answer.fields);
        }
    }
    assert!(compressed > 20, "{compressed}");
}
