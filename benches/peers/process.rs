//! Starts processes, waits until they answer, and asks them to end.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use test_support::Process;

use crate::manifests::HOST;

/// How long a process may take to start or to stop. Under an instrument such as callgrind that is some ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts it; it is asked to end when it is dropped, and takes its own children along.
pub(crate) fn start(name: &str, mut command: Command) -> Result<Process> {
    let process = Process::start(&mut command).with_context(|| format!("could not start {name}"))?;
    Ok(process.patient_for(PATIENCE).asked_to_end())
}

/// Waits until a GET at this address is answered 200.
pub(crate) fn wait_for_200(process: &mut Process, address: SocketAddr, path: &str) -> Result<()> {
    let what = format!("200 for {path} at {address}");
    Ok(process.wait_for(&what, |_| answers_200(address, path).then_some(()))?)
}

fn answers_200(address: SocketAddr, path: &str) -> bool {
    // The connection may go on: what follows the status is left there.
    const WANTED: &[u8] = b"HTTP/1.1 200 ";
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut begin = [0; WANTED.len()];
        stream.read_exact(&mut begin)?;
        Ok(begin == WANTED)
    };
    ask().unwrap_or(false)
}
