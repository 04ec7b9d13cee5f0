//! HTTP/2 and unary calls of gRPC, as the clients speak them. Heads that are sent use no table that grows, and of those
//! that come only what is constant is read.

use anyhow::{Context, Result, bail, ensure};

use super::Asker;
use crate::frames::{
    DATA, END_HEADERS, END_STREAM, Frame, Frames, GOAWAY, HEADERS, PREFACE, RST_STREAM, WINDOW_UPDATE, add,
    begin,
};
use crate::message::{FILL, HOST, METHOD, SMALL, message};
use crate::wire::{Out, Protocol};

/// What may be sent before the other side says how much (RFC 9113 §6.9.2).
const WINDOW: i64 = 65_535;

/// One connection with many streams.
pub(super) struct Client {
    frames: Frames,
    /// The next stream; the first is 1.
    next: u32,
    head: Vec<u8>,
    /// What is sent after it, if anything.
    message: Option<Vec<u8>>,
    answers: Answers,
}

/// What comes back.
struct Answers {
    body: Vec<u8>,
    /// Whether an answer has to end with a second head.
    trailers: bool,
    /// Streams that are open, whether their head was seen, and how much of their body.
    open: Vec<(u32, bool, usize)>,
    complete: usize,
    /// What may still be sent on this connection.
    window: i64,
}

/// Literals that enter no table (RFC 7541 §6.2.2), their names by number of the static one.
fn literal(name: &[u8], value: &str) -> Vec<u8> {
    [name, &[value.len() as u8], value.as_bytes()].concat()
}

impl Client {
    /// Asks for `/1k`.
    pub(super) fn get() -> Client {
        let head = [vec![0x82, 0x87], literal(b"\x04", "/1k"), literal(b"\x01", HOST)].concat();
        Client::new(head, None, vec![FILL; SMALL])
    }

    /// Calls the method.
    pub(super) fn call() -> Client {
        let fields = [literal(b"\x0f\x10", "application/grpc"), literal(b"\x00\x02te", "trailers")].concat();
        let head = [vec![0x83, 0x87], literal(b"\x04", METHOD), literal(b"\x01", HOST), fields].concat();
        Client::new(head, Some(message()), message())
    }

    fn new(head: Vec<u8>, message: Option<Vec<u8>>, body: Vec<u8>) -> Client {
        let trailers = message.is_some();
        let answers = Answers { body, trailers, open: Vec::new(), complete: 0, window: WINDOW };
        Client { frames: Frames::default(), next: 1, head, message, answers }
    }
}

impl Asker for Client {
    fn ask(&mut self, out: &mut Out) -> Result<()> {
        let (out, id) = (out.tail(), self.next);
        if id == 1 {
            out.extend_from_slice(PREFACE);
            begin(out);
        }
        self.next += 2;
        self.answers.open.push((id, false, 0));
        match &self.message {
            None => add(out, HEADERS, END_HEADERS | END_STREAM, id, &self.head),
            Some(message) => {
                self.answers.window -= message.len() as i64;
                ensure!(self.answers.window >= 0, "the proxy does not make its window wider");
                add(out, HEADERS, END_HEADERS, id, &self.head);
                add(out, DATA, END_STREAM, id, message);
            }
        }
        Ok(())
    }
}

impl Protocol for Client {
    fn receive(&mut self, bytes: &[u8], out: &mut Out) -> Result<usize> {
        let Client { frames, answers, .. } = self;
        answers.complete = 0;
        frames.receive(bytes, out.tail(), |frame, _| answers.take(frame))?;
        Ok(self.answers.complete)
    }
}

impl Answers {
    fn take(&mut self, frame: &Frame<'_>) -> Result<()> {
        match frame.kind {
            WINDOW_UPDATE if frame.stream == 0 => self.window += i64::from(frame.increment()),
            GOAWAY => bail!("the proxy said goodbye: {:?}", frame.payload),
            RST_STREAM => bail!("the proxy has reset a stream: {:?}", frame.payload),
            DATA | HEADERS => self.part(frame)?,
            _ => {}
        }
        Ok(())
    }

    fn part(&mut self, frame: &Frame<'_>) -> Result<()> {
        let place = self.open.iter().position(|(id, ..)| *id == frame.stream);
        let place = place.context("an answer that nothing has asked for")?;
        let (_, answered, seen) = &mut self.open[place];
        if frame.kind == DATA {
            let rest = self.body.get(*seen..).unwrap_or_default();
            ensure!(rest.starts_with(frame.payload), "the body is not the upstream's");
            *seen += frame.payload.len();
        } else if !*answered {
            ensure!(status(frame.payload) == Some(0x88), "the status is not 200: {:?}", frame.payload);
            *answered = true;
        }
        if frame.ends_stream() {
            let whole = *answered && *seen == self.body.len() && (frame.kind == HEADERS) == self.trailers;
            ensure!(whole, "an answer of {seen} bytes ends with a frame of kind {}", frame.kind);
            self.open.swap_remove(place);
            self.complete += 1;
        }
        Ok(())
    }
}

/// The first field of a head, behind changes of the table's size (RFC 7541 §6.3). 0x88 is `:status: 200`.
fn status(head: &[u8]) -> Option<u8> {
    head.iter().copied().find(|byte| byte & 0xe0 != 0x20)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client makes of these frames on its first stream.
    fn answers(mut client: Client, frames: &[(u8, u8, &[u8])]) -> Result<usize> {
        let (mut bytes, mut out) = (Vec::new(), Out::default());
        client.ask(&mut out)?;
        frames.iter().for_each(|(kind, flags, payload)| add(&mut bytes, *kind, *flags, 1, payload));
        client.receive(&bytes, &mut out)
    }

    #[test]
    fn an_answer_counts_when_its_status_its_body_and_its_end_are_right() {
        let body = [FILL; SMALL];
        let (ok, not_found) = ((HEADERS, END_HEADERS, &b"\x88"[..]), (HEADERS, END_HEADERS, &b"\x8d"[..]));
        let whole = (DATA, END_STREAM, &body[..]);
        assert_eq!(answers(Client::get(), &[ok, whole]).unwrap(), 1);
        assert_eq!(answers(Client::get(), &[ok, (DATA, 0, &body)]).unwrap(), 0, "it is not at its end");
        assert!(answers(Client::get(), &[not_found, whole]).is_err());
        assert!(answers(Client::get(), &[ok, (DATA, END_STREAM, &body[1..])]).is_err());
        assert!(answers(Client::get(), &[ok, (DATA, END_STREAM, b"y")]).is_err());
        assert!(answers(Client::get(), &[ok, (RST_STREAM, 0, &[0; 4])]).is_err());
    }

    #[test]
    fn a_call_is_answered_when_its_trailers_are_there() {
        let (head, trailers) = ((HEADERS, END_HEADERS, &b"\x88"[..]), END_HEADERS | END_STREAM);
        let body = message();
        assert_eq!(answers(Client::call(), &[head, (DATA, 0, &body), (HEADERS, trailers, b"")]).unwrap(), 1);
        assert!(answers(Client::call(), &[head, (DATA, END_STREAM, &body)]).is_err());
        assert!(
            answers(Client::call(), &[(HEADERS, trailers, b"\x88")]).is_err(),
            "trailers alone are an error"
        );
    }
}
