//! What runs in the pods of tests: a program that does nothing, for a pod's sandbox, or a small HTTP server.
//!
//! As process 1 of a container it has no handler for SIGTERM, so it ignores that: it goes on serving until its grace
//! period is over, which is what a server does that knows how long the news of its end take to get round.
//! Only the standard library: a static program is then one call of rustc.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// More than any test sends.
const BODY_LIMIT: u64 = 1 << 20;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => loop {
            thread::park();
        },
        ["serve", port] => serve(port),
        _ => {
            eprintln!("usage: pod [serve PORT]");
            ExitCode::from(2)
        }
    }
}

fn serve(port: &str) -> ExitCode {
    let listener = port.parse().map_err(|_| "not a port".to_owned()).and_then(|port: u16| {
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).map_err(|why| why.to_string())
    });
    match listener {
        Ok(listener) => {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || answer_all(stream));
            }
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("cannot listen on port {port}: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Until the other side closes, or says nonsense.
fn answer_all(stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    while let Some((path, body)) = request(&mut reader) {
        // `/wait/250` is answered after 250 milliseconds.
        if let Some(milliseconds) =
            path.strip_prefix("/wait/").and_then(|rest| rest.split('/').next()?.parse().ok())
        {
            thread::sleep(Duration::from_millis(milliseconds));
        }
        let text = format!("{path} {body}\n");
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        // All in one: a part that the peer has not seen yet would be a part that can be lost.
        writer.write_all(answer.as_bytes()).ok()?;
    }
    Some(())
}

/// Path and length of the body of the next request; the body itself is read and forgotten.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, u64)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        if line.trim_end().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok().filter(|length| *length <= BODY_LIMIT)?;
        }
    }
    let read = std::io::copy(&mut reader.take(length), &mut std::io::sink()).ok()?;
    (read == length).then_some((path, length))
}
