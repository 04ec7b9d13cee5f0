//! A client that keeps its connection, reads each answer to its end and never tries again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use super::PATIENCE;

pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Whether the client is asked to leave.
    pub(crate) fn closes(&self) -> bool {
        self.head.contains("connection: close\r\n")
    }
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client { stream: BufReader::new(stream) }
    }

    /// One request and its answer.
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send(path);
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
        self.write(&format!("GET {path} HTTP/1.1\r\nHost: example.com\r\n\r\n"));
    }

    pub(crate) fn write(&mut self, request: &str) {
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
    }

    /// The head of an answer that says 200.
    pub(crate) fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.stream.read_line(&mut head).unwrap(), 0, "closed after {head:?}");
        }
        assert!(head.contains(" 200 OK\r\n"), "{head}");
        head
    }

    /// What follows this head.
    pub(crate) fn body(&mut self, head: String) -> Answer {
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let mut body = vec![0; length.expect("a content-length").parse().unwrap()];
        self.stream.read_exact(&mut body).unwrap();
        Answer { head, body }
    }

    /// Waits until the other side closes, and returns what comes before.
    pub(crate) fn rest(mut self) -> String {
        let mut rest = String::new();
        self.stream.read_to_string(&mut rest).unwrap();
        rest
    }
}
