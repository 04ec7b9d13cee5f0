//! A client that asks for hosts, and keeps its connection.

use std::io;
use std::net::{SocketAddr, TcpStream};

use test_support::Message;

/// One connection.
pub(crate) struct Client(test_support::Client);

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Its fields, one a line, names in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
    whole: Message,
}

impl Answer {
    /// Whether the client is told to leave.
    pub(crate) fn closes(&self) -> bool {
        self.whole.closes()
    }
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Client {
        Client(test_support::Client::connect(address))
    }

    /// On a connection that is open already.
    pub(crate) fn on(stream: TcpStream) -> Client {
        Client(test_support::Client::on(stream))
    }

    /// One request and its answer.
    pub(crate) fn get(&mut self, host: &str, path: &str) -> Answer {
        self.try_get(host, path).unwrap()
    }

    pub(crate) fn send(&mut self, host: &str, path: &str) {
        self.0.send(request(host, path));
    }

    pub(crate) fn answer(&mut self) -> Answer {
        self.try_answer().unwrap()
    }

    /// One request and its answer, from a server that may die.
    pub(crate) fn try_get(&mut self, host: &str, path: &str) -> io::Result<Answer> {
        self.0.try_send(request(host, path).as_bytes())?;
        self.try_answer()
    }

    fn try_answer(&mut self) -> io::Result<Answer> {
        let whole = self.0.try_response()?;
        let head = whole.fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        Ok(Answer { status: whole.status(), head, body: whole.text(), whole })
    }

    /// Waits until the other side closes, and fails if anything else comes. Then closes this side too: until then the
    /// other one lingers.
    pub(crate) fn wait_until_closed(mut self) {
        let (rest, _) = self.0.rest();
        assert!(rest.is_empty(), "{:?}", String::from_utf8_lossy(&rest));
    }
}

fn request(host: &str, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}
