//! As much of HTTP/1.1 as an SDK needs: requests with a length, answers with one, connections that are kept.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::spawn;

pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) fields: String,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Answer {
        Answer { status, body: body.into(), fields: String::new() }
    }
}

/// Answers on a free port. A request that gets no answer hangs.
pub(crate) fn serve(answer: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, answer) = (listener.local_addr().unwrap(), Arc::new(answer));
    spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = Arc::clone(&answer);
            // What ends a connection is the client's business.
            spawn(move || drop(converse(stream, &*answer)));
        }
    });
    address
}

fn converse(stream: TcpStream, answer: &dyn Fn(&Request) -> Option<Answer>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream)? {
        let Some(Answer { status, body, fields }) = answer(&request) else {
            // Until the client gives up.
            stream.read_to_end(&mut Vec::new())?;
            return Ok(());
        };
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} x\r\nContent-Type: text/xml\r\n{fields}Content-Length: {length}\r\n\r\n"
        );
        stream.get_mut().write_all(format!("{head}{body}").as_bytes())?;
    }
    Ok(())
}

fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut fields = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { method, path, fields, body: String::new() };
    let length = request.field("content-length").and_then(|raw| raw.parse().ok()).unwrap_or(0);
    stream.take(length).read_to_string(&mut request.body)?;
    Ok(Some(request))
}
