//! A client that does exactly as it is told and never tries anything twice.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use crate::PATIENCE;
use crate::message::{Message, Reader};

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With the end of the stream: all that was sent has arrived.
    Clean,
    /// With an error: what was sent may be lost.
    Reset,
}

/// One connection to the proxy.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    reader: Reader,
}

impl Client {
    /// Connects.
    ///
    /// # Panics
    /// If the connection is refused.
    pub fn connect(to: SocketAddr) -> Client {
        Client::on(TcpStream::connect(to).expect("the proxy accepts"))
    }

    /// On a connection that is open already.
    ///
    /// # Panics
    /// If it is closed.
    pub fn on(stream: TcpStream) -> Client {
        stream.set_nodelay(true).expect("an open socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("an open socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("an open socket");
        Client { stream, reader: Reader::default() }
    }

    /// Writes bytes as they are.
    ///
    /// # Panics
    /// If the connection does not take them.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        self.stream.write_all(bytes.as_ref()).expect("the proxy reads");
        self
    }

    /// Writes bytes as they are, and says whether the connection took them.
    ///
    /// # Errors
    /// As the socket says.
    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Writes a request without a body for this path of `host.test`.
    pub fn request(&mut self, method: &str, target: &str) -> &mut Client {
        self.send(format!("{method} {target} HTTP/1.1\r\nHost: host.test\r\n\r\n"))
    }

    /// Asks and reads the answer.
    pub fn get(&mut self, target: &str) -> Message {
        self.request("GET", target).response()
    }

    /// Reads a response.
    ///
    /// # Panics
    /// If none comes, or only a part.
    pub fn response(&mut self) -> Message {
        self.try_response().expect("a whole response")
    }

    /// Reads a response.
    ///
    /// # Errors
    /// If none comes, or only a part.
    pub fn try_response(&mut self) -> io::Result<Message> {
        let mut message = self.head()?;
        self.reader.body(&mut self.stream, &mut message, true)?;
        Ok(message)
    }

    /// Reads a response's head only: the answer to HEAD, or the first half of one that is read piece by piece.
    ///
    /// # Errors
    /// If none comes.
    pub fn head(&mut self) -> io::Result<Message> {
        self.reader.head(&mut self.stream)
    }

    /// Reads the body that belongs to a head.
    ///
    /// # Errors
    /// If it is cut.
    pub fn read_body(&mut self, head: &Message) -> io::Result<Vec<u8>> {
        let mut message = head.clone();
        self.reader.body(&mut self.stream, &mut message, true)?;
        Ok(message.body)
    }

    /// Reads one chunk of a chunked body; the last one is empty.
    ///
    /// # Errors
    /// If it is cut.
    pub fn chunk(&mut self) -> io::Result<Vec<u8>> {
        self.reader.chunk(&mut self.stream)
    }

    /// Reads some bytes, as they are.
    ///
    /// # Errors
    /// As the socket says.
    pub fn read_some(&mut self, most: usize) -> io::Result<Vec<u8>> {
        self.reader.some(&mut self.stream, most)
    }

    /// Whether the proxy closes cleanly without sending anything more.
    pub fn sees_eof(&mut self) -> bool {
        self.reader.is_empty() && matches!(self.stream.read(&mut [0; 1]), Ok(0))
    }

    /// Reads to the end of the connection: everything that still comes, and how it ends.
    ///
    /// # Panics
    /// If it does not end.
    pub fn rest(&mut self) -> (Vec<u8>, End) {
        let mut bytes = self.reader.take();
        loop {
            let mut piece = [0; 16 << 10];
            match self.stream.read(&mut piece) {
                Ok(0) => return (bytes, End::Clean),
                Ok(read) => bytes.extend_from_slice(&piece[..read]),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => panic!("the connection does not end"),
                Err(_) => return (bytes, End::Reset),
            }
        }
    }

    /// Whether nothing comes, and nothing ends, for this long.
    pub fn is_quiet_for(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).expect("an open socket");
        let quiet = matches!(self.stream.peek(&mut [0; 1]), Err(e) if e.kind() == io::ErrorKind::WouldBlock);
        self.stream.set_read_timeout(Some(PATIENCE)).expect("an open socket");
        self.reader.is_empty() && quiet
    }

    /// Closes the sending side.
    pub fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("an open socket");
    }

    /// The socket itself.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }
}
