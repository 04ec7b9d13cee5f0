//! Stands at the path of a handover, between the two processes, and lets each step happen only when a test says so.

use std::fs;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use rustix::cmsg_space;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};

use super::eventually;

/// What either side says first: its name, version, process, network and state.
const GREETING_BYTES: usize = 8 + 2 + 4 + 8 + 1;
/// More than a successor says before it serves, which it says at once.
const WORD_BYTES_MAX: usize = 256;
/// More than any test passes on.
const SOCKETS_MAX: usize = 8;

/// What is about to happen, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The old process's greeting reaches the new one.
    Hello,
    /// The new process's greeting reaches the old one.
    HelloBack,
    /// The new process gets the sockets.
    Sockets,
    /// The old process hears that the new one serves.
    Confirmed,
    /// The new process hears that the old one accepts no more.
    Released,
}

#[derive(Default)]
struct State {
    /// Where the conversation stands.
    at: Option<Step>,
    over: bool,
}

/// One conversation, held up at one step.
pub(crate) struct Between {
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Between {
    /// Takes the place of the process that owns the path, for one successor, until this step is about to happen.
    pub(crate) fn hold(path: &Path, step: Step) -> Between {
        let (owner, new) = (path.with_extension("owner"), path.with_extension("between"));
        // Never without a file at the path: its owner would make it anew.
        fs::hard_link(path, &owner).unwrap();
        let listener = UnixListener::bind(&new).unwrap();
        fs::rename(&new, path).unwrap();
        let state = Arc::<(Mutex<State>, Condvar)>::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            let (new, old) = (listener.accept().unwrap().0, UnixStream::connect(&owner).unwrap());
            // Both ends see the end when this thread drops them.
            let _ = converse(&old, &new, |at| wait(&shared, at, step));
        });
        Between { state }
    }

    /// Waits until it is about to happen.
    pub(crate) fn reached(&self, step: Step) {
        eventually(&format!("{step:?}"), || (self.state.0.lock().unwrap().at? == step).then_some(()));
    }

    /// Ends the conversation for the one that is left.
    pub(crate) fn end(&self) {
        self.state.0.lock().unwrap().over = true;
        self.state.1.notify_all();
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.end();
    }
}

fn wait((state, changed): &(Mutex<State>, Condvar), at: Step, held: Step) -> io::Result<()> {
    let mut state = state.lock().unwrap();
    state.at = Some(at);
    if at < held {
        return Ok(());
    }
    drop(changed.wait_while(state, |state| !state.over).unwrap());
    Err(io::ErrorKind::Interrupted.into())
}

fn converse(
    mut old: &UnixStream,
    mut new: &UnixStream,
    wait: impl Fn(Step) -> io::Result<()>,
) -> io::Result<()> {
    let mut greeting = [0; GREETING_BYTES];
    old.read_exact(&mut greeting)?;
    wait(Step::Hello)?;
    new.write_all(&greeting)?;
    new.read_exact(&mut greeting)?;
    wait(Step::HelloBack)?;
    old.write_all(&greeting)?;
    let (lines, sockets) = receive(old)?;
    wait(Step::Sockets)?;
    send(new, &lines, &sockets)?;
    // On a copy that is not accepted on, clients would wait in vain.
    drop(sockets);
    let (mut end, mut confirmed, mut word) = ([0; 2], [0; WORD_BYTES_MAX], [0; 1]);
    old.read_exact(&mut end)?;
    new.write_all(&end)?;
    let length = new.read(&mut confirmed)?;
    wait(Step::Confirmed)?;
    old.write_all(&confirmed[..length])?;
    old.read_exact(&mut word)?;
    wait(Step::Released)?;
    Ok(())
}

fn receive(stream: &UnixStream) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(SOCKETS_MAX))];
    let (mut control, mut bytes) = (RecvAncillaryBuffer::new(&mut space), vec![0; 4096]);
    // Other tests start processes meanwhile, which must not have them.
    let flags = RecvFlags::CMSG_CLOEXEC;
    let message = recvmsg(stream, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags)?;
    bytes.truncate(message.bytes);
    let mut sockets = Vec::new();
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(more) = part {
            sockets.extend(more);
        }
    }
    Ok((bytes, sockets))
}

fn send(stream: &UnixStream, bytes: &[u8], sockets: &[OwnedFd]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(SOCKETS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let sockets: Vec<BorrowedFd<'_>> = sockets.iter().map(AsFd::as_fd).collect();
    assert!(control.push(SendAncillaryMessage::ScmRights(&sockets)));
    let sent = sendmsg(stream, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?;
    assert_eq!(sent, bytes.len());
    Ok(())
}
