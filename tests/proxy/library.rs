//! What hyper, h2 and http do to messages by themselves, and a user can see: one row for each habit, so that another
//! version of theirs which has other habits is noticed here. Where a row is about what is refused it stands in
//! `strictness`; what we do ourselves stands in `forwarding`.

mod http2;
mod requests;
mod responses;

use std::io::Read;
use std::sync::mpsc::{self, Receiver};

use system_tests::{Client, PATIENCE, Peer, Sluice, Upstream};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A row: what it shows, what one side sends, and what comes of it.
type Row = (&'static str, &'static str, &'static str);

/// What each row comes to; all that differ are told at once.
fn check(rows: &[Row], mut come_to: impl FnMut(&str) -> String) {
    let mut wrong = Vec::new();
    for (what, sent, expected) in rows {
        let got = come_to(sent);
        if got != *expected {
            wrong.push(format!("{what}: {sent:?}\n    expected {expected:?}\n    got      {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The bytes up to an empty line.
fn raw_head(peer: &mut Peer) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Some((lossy(&bytes), rest));
        }
        let more = peer.read_some(16 << 10).ok().filter(|more| !more.is_empty())?;
        bytes.extend(more);
    }
}

fn lossy(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// An upstream that tells each head as it comes, and answers without waiting for more.
fn telling() -> (Upstream, Receiver<String>) {
    let (tell, told) = mpsc::channel();
    let upstream = Upstream::scripted(move |peer| {
        while let Some((head, _)) = raw_head(peer) {
            if tell.send(head).is_err() || peer.send(OK).is_err() {
                return;
            }
        }
    });
    (upstream, told)
}

/// Lines without what differs from time to time, or is said by us: the first, and the fields by name. Those of one name stay
/// in their order.
fn lines(head: &str) -> String {
    const OURS: [&str; 4] = ["x-forwarded-", "x-real-ip", "x-request-id", "forwarded"];
    let mut lines = head.trim_end().split("\r\n");
    let start = lines.next().unwrap_or_default();
    let mut fields: Vec<_> = lines
        .filter(|line| !OURS.iter().any(|ours| line.starts_with(ours)))
        .map(|line| if is_todays(line) { "date: now" } else { line })
        .collect();
    fields.sort_by_key(|line| line.split(':').next().map(str::to_owned));
    [&[start], &fields[..]].concat().join(" | ")
}

fn is_todays(line: &str) -> bool {
    line.starts_with("date: ") && line.ends_with(" GMT") && !line.contains("1994")
}

/// What an endpoint is sent where a client sends this.
fn forwarded(request: &str) -> String {
    let (upstream, told) = telling();
    let sluice = Sluice::start(&[upstream.address]);
    let bytes: Vec<u8> = request.chars().map(|c| u8::try_from(u32::from(c)).expect("a byte")).collect();
    let mut client = Client::connect(sluice.address);
    let status = client.send(bytes).response().status();
    told.recv_timeout(if status == 200 { PATIENCE } else { std::time::Duration::ZERO }).map_or_else(
        |_| status.to_string(),
        |head| lines(&head).replace(&sluice.address.to_string(), "LISTENER"),
    )
}

/// All that a client of HTTP/1 is sent to its last byte, where its endpoint answers this.
fn relayed(request: &str, answer: &str) -> String {
    let bytes: Vec<u8> = answer.chars().map(|c| u8::try_from(u32::from(c)).expect("a byte")).collect();
    let upstream = Upstream::scripted(move |peer| {
        let _ = raw_head(peer).map(|_| peer.send(&bytes));
    });
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    let mut got = Vec::new();
    client.send(request).finish();
    client.stream().read_to_end(&mut got).expect("a clean end");
    let got = lossy(&got);
    let (head, body) = got.split_once("\r\n\r\n").unwrap_or((&got, ""));
    format!("{} || {body}", lines(head))
}
