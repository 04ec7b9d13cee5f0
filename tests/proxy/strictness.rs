//! What is refused of what a client may send: one entry for each way in which two parsers are known to have disagreed.
//! `roll` counts them, and says where each is proven.
//!
//! Behind every entry stands a second request. It must never be answered, and what is refused must not reach the
//! upstream: not one byte of a bad head, and never the end of a message whose body is bad.

mod excess;
mod framing;
mod http2;
mod pipelined;
mod roll;
mod syntax;

use proxy::Protocol;
use system_tests::{Client, End, Message, Sluice, Upstream};

/// What stands behind every refused request.
const SMUGGLED: &[u8] = b"GET /smuggled HTTP/1.1\r\nHost: host.test\r\n\r\n";

/// A data plane and an upstream that answers each request with its first line and its body.
struct Bench {
    upstream: Upstream,
    sluice: Sluice,
    /// Bytes that one plain request costs on its way to the upstream.
    plain: usize,
}

impl Bench {
    fn new() -> Bench {
        Bench::speaking(Protocol::default())
    }

    fn speaking(protocol: Protocol) -> Bench {
        let mut bench = Bench::of(protocol);
        bench.plain_request().expect("a plain request is answered");
        bench.plain = bench.upstream.received();
        bench
    }

    /// One that is not asked in plain HTTP/1 first.
    fn of(protocol: Protocol) -> Bench {
        let upstream = Upstream::scripted(|peer| {
            while let Ok(request) = peer.request() {
                if peer.respond(&format!("{}|{}", request.start, request.text())).is_err() {
                    return;
                }
            }
        });
        let sluice = Sluice::speaking(protocol, |_| {}, &[upstream.address]);
        Bench { upstream, sluice, plain: 0 }
    }

    fn plain_request(&self) -> Result<(), String> {
        match Client::connect(self.sluice.address).request("GET", "/plain").try_response() {
            Ok(answer) if answer.text() == "GET /plain HTTP/1.1|" => Ok(()),
            other => Err(format!("then a plain request got {other:?}")),
        }
    }

    /// Sends bytes and wants this status, the end of the connection, and no second answer.
    fn ends_with(&self, bytes: &[u8], statuses: &[u16]) -> Result<Message, String> {
        let mut client = Client::connect(self.sluice.address);
        // What is too long may be refused before all of it is written.
        let _ = client.try_send(bytes);
        let answer = client.try_response().map_err(|error| format!("no answer: {error}"))?;
        if !statuses.contains(&answer.status()) || !answer.closes() {
            return Err(format!("{}, closes: {}, {:?}", answer.start, answer.closes(), answer.text()));
        }
        match client.rest() {
            (after, End::Clean) if after.is_empty() => Ok(answer),
            (after, end) => Err(format!("{}, then {end:?} after {:?}", answer.start, show(&after))),
        }
    }

    /// A request that is refused before the upstream hears of it.
    fn refuses(&self, bytes: &[u8], statuses: &[u16]) -> Result<(), String> {
        let before = self.upstream.received();
        self.ends_with(bytes, statuses)?;
        self.plain_request()?;
        let heard = self.upstream.received() - before;
        if heard == self.plain {
            Ok(())
        } else {
            Err(format!("{} bytes reached the upstream", heard - self.plain))
        }
    }

    /// A request whose body turns out to be bad: its upstream may have the beginning, and never the whole.
    fn breaks(&self, bytes: &[u8]) -> Result<(), String> {
        let before = self.upstream.requests();
        self.ends_with(bytes, &[400])?;
        self.plain_request()?;
        let whole = self.upstream.requests() - before;
        if whole == 1 { Ok(()) } else { Err(format!("{} whole requests reached the upstream", whole - 1)) }
    }

    /// A request that its upstream gets like this, on a connection that is kept.
    fn passes(&self, bytes: &[u8], seen: &str) -> Result<(), String> {
        let mut client = Client::connect(self.sluice.address);
        let first = client.send(bytes).try_response().map_err(|error| error.to_string())?;
        if first.text() != seen {
            return Err(format!("{} {:?}", first.start, first.text()));
        }
        match client.request("GET", "/next").try_response() {
            Ok(next) if next.text() == "GET /next HTTP/1.1|" => Ok(()),
            other => Err(format!("and the next request got {other:?}")),
        }
    }
}

/// The failures of one table.
#[derive(Default)]
struct Failures(Vec<String>);

impl Failures {
    fn note(&mut self, row: u32, bytes: &[u8], result: Result<(), String>) {
        if let Err(why) = result {
            self.0.push(format!("row {row}: {}\n    {why}", show(bytes)));
        }
    }

    fn none(self) {
        assert!(self.0.is_empty(), "\n{}\n", self.0.join("\n"));
    }
}

fn show(bytes: &[u8]) -> String {
    let text = bytes.escape_ascii().to_string();
    if text.len() <= 200 { text } else { format!("{}… ({} bytes)", &text[..200], bytes.len()) }
}
