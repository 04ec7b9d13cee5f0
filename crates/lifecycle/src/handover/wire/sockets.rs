//! The sockets on their way from one process to the other, in batches that the kernel takes (SCM_RIGHTS).

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::cmsg_space;
use rustix::net::sockopt::socket_acceptconn;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;

use super::super::Offer;
use super::{SOCKETS_MAX, invalid};

/// The kernel takes no more descriptors in one message (its SCM_MAX_FD).
const BATCH_MAX: usize = 253;
/// The longest line: a role, a space, an IPv6 address with scope and port, a line's end.
const LINE_BYTES_MAX: usize = Offer::ROLE_BYTES_MAX + 1 + 64 + 1;

/// A socket on its way to the successor; as long as this lives, it is open.
pub(in crate::handover) struct Outgoing {
    pub(in crate::handover) role: &'static str,
    pub(in crate::handover) configured: SocketAddr,
    pub(in crate::handover) listener: Arc<TcpListener>,
}

/// A socket that came from the predecessor.
#[derive(Debug)]
pub(in crate::handover) struct Incoming {
    pub(in crate::handover) role: String,
    pub(in crate::handover) configured: SocketAddr,
    pub(in crate::handover) listener: TcpListener,
}

/// Sends all sockets, in batches that the kernel takes.
pub(in crate::handover) async fn send_sockets(
    stream: &mut UnixStream,
    sockets: &[Outgoing],
) -> io::Result<()> {
    for batch in sockets.chunks(BATCH_MAX) {
        let lines: String = batch.iter().map(|it| format!("{} {}\n", it.role, it.configured)).collect();
        let length = u16::try_from(lines.len()).map_err(|_| invalid("a role is too long"))?;
        let bytes = [&length.to_be_bytes(), lines.as_bytes()].concat();
        let fds: Vec<BorrowedFd<'_>> = batch.iter().map(|it| it.listener.as_fd()).collect();
        let sent = stream.async_io(Interest::WRITABLE, || send(stream, &bytes, &fds)).await?;
        stream.write_all(&bytes[sent..]).await?;
    }
    stream.write_all(&[0, 0]).await
}

fn send(stream: &UnixStream, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(BATCH_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(invalid("too many sockets for one message"));
    }
    Ok(sendmsg(stream, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?)
}

/// Receives all sockets; none of them is changed in any way.
pub(in crate::handover) async fn receive_sockets(stream: &mut UnixStream) -> io::Result<Vec<Incoming>> {
    let mut sockets = Vec::new();
    loop {
        let (length, fds) = receive_batch_start(stream).await?;
        if length == 0 {
            return Ok(sockets);
        }
        if length > BATCH_MAX * LINE_BYTES_MAX || sockets.len() + fds.len() > SOCKETS_MAX {
            return Err(invalid("it offers too much"));
        }
        let mut lines = vec![0; length];
        stream.read_exact(&mut lines).await?;
        let lines = String::from_utf8(lines).map_err(|_| invalid("its list of sockets is no text"))?;
        if lines.lines().count() != fds.len() {
            return Err(invalid("its list of sockets does not fit the sockets"));
        }
        for (line, fd) in lines.lines().zip(fds) {
            sockets.push(incoming(line, fd)?);
        }
    }
}

/// A batch's length, with which all its descriptors come.
async fn receive_batch_start(stream: &mut UnixStream) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut length = [0; 2];
    let (read, fds) = stream.async_io(Interest::READABLE, || receive(stream, &mut length)).await?;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    stream.read_exact(&mut length[read..]).await?;
    Ok((usize::from(u16::from_be_bytes(length)), fds))
}

fn receive(stream: &UnixStream, bytes: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(BATCH_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let message = recvmsg(stream, &mut [IoSliceMut::new(bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut fds = Vec::new();
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(more) = part {
            fds.extend(more);
        }
    }
    if message.flags.contains(ReturnFlags::CTRUNC) {
        return Err(invalid("not all sockets could be taken; raise the limit of open files (ulimit -n)"));
    }
    Ok((message.bytes, fds))
}

fn incoming(line: &str, fd: OwnedFd) -> io::Result<Incoming> {
    let parts = line.split_once(' ').and_then(|(role, address)| Some((role, address.parse().ok()?)));
    let (role, configured) = parts.ok_or_else(|| invalid("its list of sockets makes no sense"))?;
    let listener = TcpListener::from(fd);
    if !socket_acceptconn(&listener)? || listener.local_addr().is_err() {
        return Err(invalid("one of its sockets does not listen"));
    }
    Ok(Incoming { role: role.into(), configured, listener })
}
