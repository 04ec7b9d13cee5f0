//! A client that keeps its connection and shows every byte of what comes back.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::PATIENCE;

/// One connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Whether the client is told to leave.
    pub(crate) fn closes(&self) -> bool {
        self.head.to_ascii_lowercase().contains("\nconnection: close\r\n")
    }
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Client {
        Client::on(TcpStream::connect(address).unwrap())
    }

    /// On a connection that is open already.
    pub(crate) fn on(stream: TcpStream) -> Client {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client { stream: BufReader::new(stream) }
    }

    /// One request and its answer.
    pub(crate) fn get(&mut self, host: &str, path: &str) -> Answer {
        self.send(host, path);
        self.answer()
    }

    pub(crate) fn send(&mut self, host: &str, path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
    }

    pub(crate) fn answer(&mut self) -> Answer {
        self.try_answer().unwrap()
    }

    /// One request and its answer, from a server that may die.
    pub(crate) fn try_get(&mut self, host: &str, path: &str) -> io::Result<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.try_answer()
    }

    fn try_answer(&mut self) -> io::Result<Answer> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head)? == 0 {
                return Err(io::Error::new(ErrorKind::UnexpectedEof, format!("closed after {head:?}")));
            }
        }
        let length = head.to_ascii_lowercase();
        let length =
            length.split("content-length: ").nth(1).expect("a content-length").lines().next().unwrap();
        let mut body = vec![0; length.trim().parse().unwrap()];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status: head[9..12].parse().unwrap(), head, body: String::from_utf8(body).unwrap() })
    }

    /// Waits until the other side closes, and fails if anything else comes. Then closes this side too: until then the
    /// other one lingers.
    pub(crate) fn wait_until_closed(mut self) {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => assert!(rest.is_empty(), "{:?}", String::from_utf8_lossy(&rest)),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
        }
    }
}
