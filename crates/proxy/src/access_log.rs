//! The access log: one JSON object a line, written by a thread of its own.
//!
//! A request appends to its worker's buffer and never waits. The worker hands full buffers to the writer; when the
//! writer is behind (a full disk, a blocked pipe), buffers are thrown away and their lines counted.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use crate::config::AccessLog;
use crate::metrics::Cells;

/// Bytes at which a worker hands its buffer over, without waiting for the next tick.
const BUFFER_BYTES: usize = 32 << 10;
/// Buffers that may wait for the writer: 8 MiB in all.
const BUFFERS_WAITING_MAX: usize = 256;
/// Bytes of a client's text in one field; the rest is cut off.
const FIELD_BYTES_MAX: usize = 2 << 10;
/// How long the end of a process waits for its last lines, and how often it looks.
const LAST_LINES_TIME_MAX: Duration = Duration::from_secs(1);
const LAST_LINES_LOOK: Duration = Duration::from_millis(5);
/// Drafts kept for later requests, so that a line costs no allocation.
const DRAFTS_KEPT_MAX: usize = 64;

/// Where workers leave their buffers, and what writes them.
type Opened = (SyncSender<Vec<u8>>, JoinHandle<()>);

/// Opens the log and starts its writer. `None` if the log is off.
pub(crate) fn open(target: &AccessLog) -> io::Result<Option<Opened>> {
    let file: Box<dyn Write + Send> = match target {
        AccessLog::Off => return Ok(None),
        AccessLog::Stdout => Box::new(io::stdout()),
        AccessLog::File(path) => Box::new(OpenOptions::new().create(true).append(true).open(path)?),
    };
    let (sender, receiver) = sync_channel(BUFFERS_WAITING_MAX);
    let writer =
        thread::Builder::new().name("access-log".into()).spawn(move || write_all(file, &receiver))?;
    Ok(Some((sender, writer)))
}

/// Waits until the writer has written what the workers have left to it, for a limited time: the lines of the last
/// moments of a drain are worth that, a blocked pipe is not.
pub(crate) async fn written(writer: &JoinHandle<()>) {
    let deadline = tokio::time::Instant::now() + LAST_LINES_TIME_MAX;
    while !writer.is_finished() && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(LAST_LINES_LOOK).await;
    }
}

fn write_all(mut file: Box<dyn Write + Send>, buffers: &Receiver<Vec<u8>>) {
    let mut failing = false;
    while let Ok(buffer) = buffers.recv() {
        match file.write_all(&buffer).and_then(|()| file.flush()) {
            Ok(()) => failing = false,
            Err(_) if failing => {}
            Err(error) => {
                failing = true;
                tracing::warn!(%error, "the access log cannot be written; its lines are lost until it can");
            }
        }
    }
}

/// One worker's end of the log.
pub(crate) struct Logger {
    sender: Option<SyncSender<Vec<u8>>>,
    cells: Arc<Cells>,
    buffer: RefCell<Vec<u8>>,
    time: RefCell<String>,
    drafts: RefCell<Vec<Draft>>,
}

/// The first fields of a line, written while the request's head is at hand.
#[derive(Debug, Default)]
pub(crate) struct Draft(Vec<u8>);

impl Logger {
    pub(crate) fn new(sender: Option<SyncSender<Vec<u8>>>, cells: Arc<Cells>) -> Logger {
        Logger {
            sender,
            cells,
            buffer: RefCell::default(),
            time: RefCell::default(),
            drafts: RefCell::default(),
        }
    }

    /// Whether lines are wanted at all.
    pub(crate) fn is_on(&self) -> bool {
        self.sender.is_some()
    }

    /// Begins a line, if lines are wanted.
    pub(crate) fn draft(&self, write: impl FnOnce(&mut Line<'_>)) -> Option<Draft> {
        self.is_on().then(|| {
            let mut draft = self.drafts.borrow_mut().pop().unwrap_or_default();
            draft.0.clear();
            write(&mut Line { buffer: &mut draft.0 });
            draft
        })
    }

    /// Ends a line and writes it.
    pub(crate) fn finish(&self, draft: Draft, write: impl FnOnce(&mut Line<'_>)) {
        self.line(&draft.0, write);
        let mut drafts = self.drafts.borrow_mut();
        if drafts.len() < DRAFTS_KEPT_MAX {
            drafts.push(draft);
        }
    }

    fn line(&self, draft: &[u8], write: impl FnOnce(&mut Line<'_>)) {
        let mut buffer = self.buffer.borrow_mut();
        buffer.push(b'{');
        let mut line = Line { buffer: &mut buffer };
        line.text("time", &self.time.borrow());
        line.buffer.extend_from_slice(draft);
        write(&mut line);
        // Every field ends in a comma; the last one becomes the end of the object.
        if let Some(last) = buffer.last_mut() {
            *last = b'}';
        }
        buffer.push(b'\n');
        if buffer.len() >= BUFFER_BYTES {
            self.hand_over(&mut buffer);
        }
    }

    /// Hands over what has gathered and looks at the clock: a line's time is exact to one tick.
    pub(crate) fn tick(&self) {
        if !self.is_on() {
            return;
        }
        self.hand_over(&mut self.buffer.borrow_mut());
        let mut time = self.time.borrow_mut();
        time.clear();
        let now = jiff::Timestamp::try_from(SystemTime::now()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let _ = write!(time, "{now:.3}");
    }

    fn hand_over(&self, buffer: &mut Vec<u8>) {
        let Some(sender) = self.sender.as_ref().filter(|_| !buffer.is_empty()) else { return };
        let full = std::mem::replace(buffer, Vec::with_capacity(BUFFER_BYTES + (4 << 10)));
        if let Err(error) = sender.try_send(full) {
            let (std::sync::mpsc::TrySendError::Full(lost)
            | std::sync::mpsc::TrySendError::Disconnected(lost)) = error;
            self.cells.access_lines_dropped.add(memchr::memchr_iter(b'\n', &lost).count() as u64);
        }
    }
}

impl Drop for Logger {
    fn drop(&mut self) {
        let last = self.buffer.take();
        if let Some(sender) = self.sender.as_ref().filter(|_| !last.is_empty()) {
            let _ = sender.try_send(last);
        }
    }
}

/// Bytes that stand in a JSON string as they are. A table, because every byte of every line is looked up.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        plain[byte as usize] = byte != b'"' && byte != b'\\';
        byte += 1;
    }
    plain
};

/// A line that is being written.
pub(crate) struct Line<'a> {
    buffer: &'a mut Vec<u8>,
}

impl Line<'_> {
    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        self.bytes(name, value.as_bytes());
    }

    /// Any bytes: what is not printable ASCII is escaped as if it were Latin-1, so that a line is always valid JSON.
    pub(crate) fn bytes(&mut self, name: &'static str, value: &[u8]) {
        self.name(name);
        self.buffer.push(b'"');
        let mut rest = &value[..value.len().min(FIELD_BYTES_MAX)];
        while let Some(at) = rest.iter().position(|b| !PLAIN[usize::from(*b)]) {
            self.buffer.extend_from_slice(&rest[..at]);
            let _ = write!(self.buffer, "\\u{:04x}", rest[at]);
            rest = &rest[at + 1..];
        }
        self.buffer.extend_from_slice(rest);
        self.buffer.extend_from_slice(b"\",");
    }

    pub(crate) fn number(&mut self, name: &'static str, value: u64) {
        self.name(name);
        self.buffer.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        self.buffer.push(b',');
    }

    fn name(&mut self, name: &'static str) {
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(name.as_bytes());
        self.buffer.extend_from_slice(b"\":");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logger(waiting: usize) -> (Logger, Receiver<Vec<u8>>, Arc<Cells>) {
        let (sender, receiver) = sync_channel(waiting);
        let cells = Arc::new(Cells::default());
        (Logger::new(Some(sender), Arc::clone(&cells)), receiver, cells)
    }

    #[test]
    fn a_line_is_one_json_object_whatever_the_client_sent() {
        let (logger, receiver, _) = logger(1);
        logger.tick();
        logger.line(b"\"a\":1,", |line| {
            line.bytes("path", b"/\"\\\n\x00\xff</script>");
            line.number("status", 200);
        });
        logger.tick();
        let text = String::from_utf8(receiver.recv().expect("a buffer")).expect("text");
        assert!(text.starts_with("{\"time\":\"20"), "{text}");
        assert!(
            text.ends_with(
                "\"a\":1,\"path\":\"/\\u0022\\u005c\\u000a\\u0000\\u00ff</script>\",\"status\":200}\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_writer_that_is_behind_costs_lines_and_never_waits() {
        let (logger, _receiver, cells) = logger(1);
        for _ in 0..3 {
            logger.line(b"", |line| line.number("status", 200));
            logger.tick();
        }
        assert_eq!(cells.access_lines_dropped.get(), 2);
    }
}
