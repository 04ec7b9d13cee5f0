//! Just enough HTTP/1 to read what comes, and to see every byte of it.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A request or a response as it came over the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Request line or status line.
    pub start: String,
    /// Fields in their order, names in lower case.
    pub fields: Vec<(String, String)>,
    /// The body, without its framing.
    pub body: Vec<u8>,
    /// Trailer fields, names in lower case.
    pub trailers: Vec<(String, String)>,
}

impl Message {
    /// The status of a response.
    pub fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0)
    }

    /// The target of a request.
    pub fn target(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or("")
    }

    /// The value of a field, if it is there once; several are joined by `|`, so that a test sees that.
    pub fn field(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self.fields.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect();
        (!values.is_empty()).then(|| values.join("|"))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether the connection ends with this message.
    pub fn closes(&self) -> bool {
        self.field("connection").is_some_and(|c| c.to_ascii_lowercase().contains("close"))
    }
}

/// Reads messages from a socket and keeps what comes after them.
#[derive(Debug, Default)]
pub struct Reader {
    buffer: Vec<u8>,
    received: Arc<AtomicUsize>,
}

impl Reader {
    /// A reader that adds the bytes it gets to this count.
    pub fn counting(received: &Arc<AtomicUsize>) -> Reader {
        Reader { buffer: Vec::new(), received: Arc::clone(received) }
    }

    /// Reads a message's head.
    ///
    /// # Errors
    /// `UnexpectedEof` if the peer closes first; with [`Reader::is_empty`], it closed between two messages.
    pub fn head(&mut self, stream: &mut impl Read) -> io::Result<Message> {
        let lines = self.until_blank_line(stream)?;
        let mut lines = lines.lines();
        let start = lines.next().unwrap_or_default().to_owned();
        Ok(Message { start, fields: lines.filter_map(field).collect(), ..Message::default() })
    }

    /// Reads the body that belongs to a head. `may_have_one` is false for an answer to HEAD.
    ///
    /// # Errors
    /// `UnexpectedEof` if the body is cut.
    pub fn body(
        &mut self,
        stream: &mut impl Read,
        message: &mut Message,
        may_have_one: bool,
    ) -> io::Result<()> {
        let is_response = message.start.starts_with("HTTP/");
        let bodiless = is_response && matches!(message.status(), 100..=199 | 204 | 304);
        if !may_have_one || bodiless {
            return Ok(());
        }
        if message.field("transfer-encoding").is_some() {
            return self.chunks(stream, message);
        }
        match message.field("content-length") {
            Some(length) => {
                let length =
                    length.parse().map_err(|_| io::Error::other(format!("content-length: {length}")))?;
                message.body = self.exactly(stream, length)?;
            }
            None if is_response => {
                while self.fill(stream)? > 0 {}
                message.body = std::mem::take(&mut self.buffer);
            }
            None => {}
        }
        Ok(())
    }

    /// Whether nothing has come that was not yet read as part of a message.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// What has come and was not yet read as part of a message; else what one read brings, which is nothing at the end.
    ///
    /// # Errors
    /// As the socket says.
    pub fn some(&mut self, stream: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
        let early = self.take();
        if !early.is_empty() {
            return Ok(early);
        }
        let mut bytes = vec![0; most];
        let read = stream.read(&mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Gives away what has come and was not yet read as part of a message.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Reads one chunk of a chunked body; the last one is empty, and its trailers are still to come.
    ///
    /// # Errors
    /// `UnexpectedEof` if it is cut.
    pub fn chunk(&mut self, stream: &mut impl Read) -> io::Result<Vec<u8>> {
        let line = self.line(stream)?;
        let size =
            usize::from_str_radix(&line, 16).map_err(|_| io::Error::other(format!("chunk size {line:?}")))?;
        if size == 0 {
            return Ok(Vec::new());
        }
        let data = self.exactly(stream, size)?;
        self.exactly(stream, 2)?;
        Ok(data)
    }

    fn chunks(&mut self, stream: &mut impl Read, message: &mut Message) -> io::Result<()> {
        loop {
            let data = self.chunk(stream)?;
            if data.is_empty() {
                let trailers = self.until_blank_line(stream)?;
                message.trailers = trailers.lines().filter_map(field).collect();
                return Ok(());
            }
            message.body.extend(data);
        }
    }

    fn until_blank_line(&mut self, stream: &mut impl Read) -> io::Result<String> {
        let mut text = String::new();
        loop {
            let line = self.line(stream)?;
            if line.is_empty() {
                return Ok(text);
            }
            text.push_str(&line);
            text.push('\n');
        }
    }

    fn line(&mut self, stream: &mut impl Read) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line = self.buffer.drain(..end + 2).take(end).collect::<Vec<u8>>();
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            if self.fill(stream)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            // The hello of TLS, say, to which no end of a line would come.
            if self.buffer.first().is_some_and(|first| *first < b' ' && *first != b'\r') {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }

    fn exactly(&mut self, stream: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            if self.fill(stream)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.buffer.drain(..length).collect())
    }

    fn fill(&mut self, stream: &mut impl Read) -> io::Result<usize> {
        let mut piece = [0; 64 << 10];
        let read = stream.read(&mut piece)?;
        self.received.fetch_add(read, Ordering::SeqCst);
        self.buffer.extend_from_slice(&piece[..read]);
        Ok(read)
    }
}

fn field(line: &str) -> Option<(String, String)> {
    line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
}
