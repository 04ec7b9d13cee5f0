//! The good clients: a fixed number of requests a second, whatever becomes of the earlier ones, now and then on a
//! connection of its own. A request that was due while the one before it still waited counts from when it was due.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::attack::tls;
use crate::histogram::Histogram;
use crate::manifests::HOST;

/// Clients, each with a thread and a connection.
const CLIENTS: u32 = 16;
/// The first request of so many is one on a new connection.
const ON_ONE_CONNECTION: u32 = 10;
/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// An answer has no more.
const ANSWER_BYTES_MAX: usize = 4 << 10;

/// Where they ask, and how.
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

/// What came of their requests.
#[derive(Default)]
pub(crate) struct Course {
    pub(crate) latency: Histogram,
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    /// What was due and could no longer be asked, because the answers before it took too long.
    pub(crate) unasked: u64,
    /// The first failure.
    pub(crate) why: Option<String>,
}

/// Asks for this long.
pub(crate) fn run(door: &Door, rate: u32, time: Duration) -> Course {
    let course = Mutex::new(Course::default());
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let course = &course;
            let distance = Duration::from_secs(1) * CLIENTS / rate;
            let begin = Instant::now() + distance * number / CLIENTS;
            scope.spawn(move || one(door, begin, distance, time, course));
        }
    });
    course.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// One client.
fn one(door: &Door, begin: Instant, distance: Duration, time: Duration, course: &Mutex<Course>) {
    let mut stream = None;
    let mut due = begin;
    for number in 0.. {
        let now = Instant::now();
        if due.max(now) > begin + time {
            let left = (begin + time).saturating_duration_since(due).as_nanos() / distance.as_nanos();
            lock(course).unasked += u64::try_from(left).unwrap_or(u64::MAX);
            break;
        }
        // A client that oversleeps is late by itself.
        let since = if now < due {
            std::thread::sleep(due - now);
            Instant::now()
        } else {
            due
        };
        if number % ON_ONE_CONNECTION == 0 {
            stream = None;
        }
        let (asked, took) = (ask(door, &mut stream), since.elapsed());
        let mut course = lock(course);
        match asked {
            Ok(()) => {
                course.answered += 1;
                course.latency.record(took);
            }
            Err(error) => {
                stream = None;
                course.failed += 1;
                course.why.get_or_insert_with(|| format!("request {number} of a client: {error}"));
            }
        }
        due += distance;
    }
}

fn lock(course: &Mutex<Course>) -> MutexGuard<'_, Course> {
    course.lock().unwrap_or_else(PoisonError::into_inner)
}

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

fn ask(door: &Door, kept: &mut Option<Box<dyn Stream>>) -> io::Result<()> {
    let stream = match kept {
        Some(stream) => stream,
        None => kept.insert(open(door)?),
    };
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nhello\n") {
        let mut some = [0; 1024];
        let read = stream.read(&mut some)?;
        answer.extend_from_slice(&some[..read]);
        if read == 0 || answer.len() > ANSWER_BYTES_MAX {
            let text = String::from_utf8_lossy(&answer);
            return Err(io::Error::other(format!("it ends with {:?}", text.lines().next())));
        }
    }
    Ok(())
}

fn open(door: &Door) -> io::Result<Box<dyn Stream>> {
    let socket = TcpStream::connect_timeout(&door.address, PATIENCE)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let Some(config) = &door.tls else { return Ok(Box::new(socket)) };
    let session = ClientConnection::new(Arc::clone(config), tls::name()).map_err(io::Error::other)?;
    Ok(Box::new(StreamOwned::new(session, socket)))
}
