//! Floods: what costs an attacker little and would cost us much. Each one ends or is bounded, and honest clients are
//! served beside it. How fast, and in how much memory, `cargo xtask bench floods` tells.
//!
//! A head without an end, requests taken back at once, empty pieces of a body and streams beyond the limit are in
//! `strictness::excess`; handshakes that are not completed in `secure::handshake`.

mod connections;
mod frames;

use proxy::{Config, Protocol};
use system_tests::{Client, Sluice, Upstream};

/// The longer wait of what is to be seen to pass, in milliseconds.
const SHORT_MS: u64 = 300;
/// An answer that no buffer holds.
const LARGE_BYTES: usize = 64 << 20;

/// A data plane that speaks both versions without TLS, before an upstream with a small answer and a large one.
struct Bench {
    upstream: Upstream,
    sluice: Sluice,
}

impl Bench {
    fn with(change: impl FnOnce(&mut Config)) -> Bench {
        let upstream = Upstream::scripted(|peer| {
            while let Ok(request) = peer.request() {
                let sent = match request.target() {
                    "/large" => peer
                        .send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE_BYTES}\r\n\r\n"))
                        .and_then(|()| (0..LARGE_BYTES >> 16).try_for_each(|_| peer.send([b'x'; 1 << 16]))),
                    _ => peer.respond("hello"),
                };
                if sent.is_err() {
                    return;
                }
            }
        });
        let protocol = Protocol { http2_cleartext: true, ..Protocol::default() };
        let sluice = Sluice::speaking(protocol, change, &[upstream.address]);
        Bench { upstream, sluice }
    }

    /// An honest client that was there before.
    fn visitor(&self) -> Client {
        let mut visitor = Client::connect(self.sluice.address);
        assert_eq!(visitor.get("/").status(), 200);
        visitor
    }

    /// The client that was there before is served, and so is a new one.
    fn serves(&self, visitor: &mut Client) {
        assert_eq!(visitor.get("/").text(), "hello");
        self.visitor();
    }

    fn refusals(&self, reason: &str) -> u64 {
        self.sluice.count(&format!("sluicegate_refusals_total{{reason=\"{reason}\"}}"))
    }
}
