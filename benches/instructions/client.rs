//! What clients send: fixed bytes, one request after the other, each when the gate has nothing else to do.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Result, ensure};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use test_support::frames::{
    ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PREFACE, SETTINGS, WINDOW_UPDATE, put, take,
};

use crate::gate::Gate;
use crate::manifests::HOST;
use crate::upstream::BODY;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// A connection that is still open when all is done.
pub(crate) type Open = Option<TcpStream>;

/// Requests on one connection of HTTP/1.
pub(crate) fn keepalive(gate: &mut Gate, times: u32) -> Result<Open> {
    let mut stream = connect(gate.http)?;
    (0..times).try_for_each(|_| ask(gate, &mut stream, ""))?;
    Ok(Some(stream))
}

/// Requests of a page of the same origin, by a client that stays with its endpoint: what filters look at in each request.
pub(crate) fn with_origin_and_cookie(gate: &mut Gate, times: u32) -> Result<Open> {
    let fields = format!(
        "Origin: https://{HOST}\r\nCookie: INGRESSCOOKIE=1732800000.123.45.678901|0123456789abcdef\r\n"
    );
    let mut stream = connect(gate.http)?;
    (0..times).try_for_each(|_| ask(gate, &mut stream, &fields))?;
    Ok(Some(stream))
}

/// A connection for each request.
pub(crate) fn connections(gate: &mut Gate, times: u32) -> Result<Open> {
    for _ in 0..times {
        gate.worker.wait_until_idle()?;
        let mut stream = connect(gate.http)?;
        ask(gate, &mut stream, "Connection: close\r\n")?;
        ensure!(stream.read(&mut [0])? == 0, "the connection goes on");
    }
    Ok(None)
}

/// Requests on one connection of HTTP/1 over TLS.
pub(crate) fn tls(gate: &mut Gate, times: u32) -> Result<Open> {
    let session = ClientConnection::new(gate.tls()?, ServerName::try_from(HOST)?)?;
    let mut stream = StreamOwned::new(session, connect(gate.https()?)?);
    (0..times).try_for_each(|_| ask(gate, &mut stream, ""))?;
    Ok(Some(stream.sock))
}

/// Requests on one connection of HTTP/2 without TLS.
pub(crate) fn http2(gate: &mut Gate, times: u32) -> Result<Open> {
    let mut stream = connect(gate.http)?;
    let mut begin = PREFACE.to_vec();
    put(&mut begin, SETTINGS, 0, 0, &[]);
    // All that will come fits into this window, so that nothing has to be acknowledged.
    put(&mut begin, WINDOW_UPDATE, 0, 0, &0x7000_0000_u32.to_be_bytes());
    stream.write_all(&begin)?;
    let request = [b"\x82\x86\x04\x03/1k\x01", &[u8::try_from(HOST.len())?][..], HOST.as_bytes()].concat();
    for id in (1..).step_by(2).take(times as usize) {
        gate.worker.wait_until_idle()?;
        let mut message = Vec::new();
        put(&mut message, HEADERS, END_HEADERS | END_STREAM, id, &request);
        stream.write_all(&message)?;
        let bytes = read_stream(&mut stream, id)?;
        ensure!(bytes == BODY, "an answer of {bytes} bytes");
    }
    Ok(Some(stream))
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Sends one request and reads its answer.
fn ask(gate: &Gate, stream: &mut (impl Read + Write), field: &str) -> Result<()> {
    gate.worker.wait_until_idle()?;
    stream.write_all(format!("GET /1k HTTP/1.1\r\nHost: {HOST}\r\n{field}\r\n").as_bytes())?;
    let (mut answer, mut some) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut some)?;
        answer.extend_from_slice(&some[..read]);
        let text = String::from_utf8_lossy(&answer);
        ensure!(read > 0, "the answer ends early: {text:?}");
        match text.split_once("\r\n\r\n") {
            Some((head, body)) if body.len() >= BODY => {
                ensure!(head.starts_with("HTTP/1.1 200 "), "the answer is {head:?}");
                return Ok(());
            }
            _ => {}
        }
    }
}

/// Reads frames up to the end of this stream, and acknowledges settings. Returns how many bytes its body had.
fn read_stream(stream: &mut TcpStream, of: u32) -> Result<usize> {
    let mut body = 0;
    loop {
        let (kind, flags, id, payload) = take(stream)?;
        match kind {
            SETTINGS if flags & ACK == 0 => {
                let mut answer = Vec::new();
                put(&mut answer, SETTINGS, ACK, 0, &[]);
                stream.write_all(&answer)?;
            }
            DATA => body += payload.len(),
            HEADERS | SETTINGS | WINDOW_UPDATE => {}
            GOAWAY => anyhow::bail!("the gate said goodbye: {payload:?}"),
            other => anyhow::bail!("a frame of kind {other}"),
        }
        if matches!(kind, DATA | HEADERS) && flags & END_STREAM > 0 && id == of {
            return Ok(body);
        }
    }
}
