//! A client of the example, which keeps its connection, reads each answer to its end and never tries again.

use std::net::SocketAddr;
use std::time::Instant;

use test_support::{End, Message};

use super::PATIENCE;

pub(crate) struct Client(test_support::Client);

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Client {
        let client = test_support::Client::connect(address);
        client.stream().set_read_timeout(Some(PATIENCE)).unwrap();
        Client(client)
    }

    /// One request and its answer, which says 200.
    pub(crate) fn get(&mut self, path: &str) -> Message {
        self.0.request("GET", path);
        let head = self.head();
        self.body(head)
    }

    /// One request after the other, each of which is answered, until an answer asks to leave.
    pub(crate) fn get_until_told_to_leave(&mut self) {
        let begun = Instant::now();
        while !self.get("/").closes() {
            assert!(begun.elapsed() < PATIENCE, "no answer asks to leave");
        }
    }

    pub(crate) fn send(&mut self, path: &str) {
        self.0.request("GET", path);
    }

    pub(crate) fn write(&mut self, request: &str) {
        self.0.send(request);
    }

    /// The head of an answer that says 200.
    pub(crate) fn head(&mut self) -> Message {
        let head = self.0.head().unwrap();
        assert_eq!(head.status(), 200, "{head:?}");
        head
    }

    /// The whole answer with this head.
    pub(crate) fn body(&mut self, mut head: Message) -> Message {
        head.body = self.0.read_body(&head).unwrap();
        head
    }

    /// Waits until the other side closes, and returns what comes before.
    pub(crate) fn rest(mut self) -> String {
        let (rest, end) = self.0.rest();
        assert_eq!(end, End::Clean);
        String::from_utf8(rest).unwrap()
    }
}
