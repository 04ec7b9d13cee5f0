//! A response's body that is compressed on its way.

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;

use bytes::Bytes;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http_body::Frame;

use crate::worker::Worker;

/// Bodies that one worker compresses at a time; others are passed on as they are. Each takes a quarter of a megabyte.
const BODIES_MAX: u32 = 256;

/// What compresses one body. What goes in comes out at once: a client waits for no byte of an endpoint that falls silent.
pub(crate) struct Gzip {
    encoder: GzEncoder<Vec<u8>>,
    is_over: bool,
    /// What is to come behind the last byte.
    trailers: Option<HeaderMap>,
    _counted: Counted,
}

impl Gzip {
    /// At this level; none if there are as many as may be.
    pub(crate) fn new(level: u8, worker: &Rc<Worker>) -> Option<Box<Gzip>> {
        let counted = Counted::one(&worker.bodies_compressed)?;
        let encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(u32::from(level.clamp(1, 9))));
        Some(Box::new(Gzip { encoder, is_over: false, trailers: None, _counted: counted }))
    }

    /// What becomes of a frame. With the last one comes the end.
    pub(super) fn frame(&mut self, frame: Frame<Bytes>, is_last: bool) -> io::Result<Frame<Bytes>> {
        match frame.into_data() {
            Ok(data) => {
                self.encoder.write_all(&data)?;
                if is_last { self.end() } else { self.flush() }
            }
            Err(frame) => {
                self.trailers = frame.into_trailers().ok();
                self.end()
            }
        }
    }

    fn flush(&mut self) -> io::Result<Frame<Bytes>> {
        self.encoder.flush()?;
        Ok(self.take())
    }

    fn end(&mut self) -> io::Result<Frame<Bytes>> {
        self.is_over = true;
        self.encoder.try_finish()?;
        Ok(self.take())
    }

    /// The body has ended: what is still to come.
    pub(super) fn rest(&mut self) -> io::Result<Option<Frame<Bytes>>> {
        if self.is_over { Ok(self.trailers.take().map(Frame::trailers)) } else { self.end().map(Some) }
    }

    /// Whether anything is still to come behind the end of the body.
    pub(super) fn has_more(&self) -> bool {
        !self.is_over || self.trailers.is_some()
    }

    fn take(&mut self) -> Frame<Bytes> {
        Frame::data(std::mem::take(self.encoder.get_mut()).into())
    }
}

/// One of those that may be.
struct Counted(Rc<Cell<u32>>);

impl Counted {
    fn one(count: &Rc<Cell<u32>>) -> Option<Counted> {
        if count.get() >= BODIES_MAX {
            return None;
        }
        count.set(count.get() + 1);
        Some(Counted(Rc::clone(count)))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_bodies_are_compressed_at_a_time() {
        let count = Rc::default();
        let mut all: Vec<_> = (0..BODIES_MAX).map_while(|_| Counted::one(&count)).collect();
        assert!(all.len() == BODIES_MAX as usize && Counted::one(&count).is_none());
        all.pop();
        assert!(Counted::one(&count).is_some());
    }
}
