//! A unix socket's path: which process has it, and taking it without a moment in which none does.
//!
//! It is taken by renaming onto it, so there is always a process to connect to, and never unlinked: the file of a
//! process that is gone is told from a live one by connecting to it.

use std::fs::{self, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;

/// What a unix socket's address has room for, less the final zero and the name it is bound by at first.
const BYTES_MAX: usize = 107 - ".4294967295.99".len();
/// Names tried for the new file: processes in containers of their own often share an id, and a killed one may leave
/// its file behind.
const NAMES_MAX: u32 = 100;
/// Only we and root may connect.
const MODE: u32 = 0o600;

/// Why a path cannot be had, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder is missing.
    #[error("{} cannot be made: its folder is missing; make the folder, or name a path in another one", .0.display())]
    NoFolder(PathBuf),
    /// Something else is there.
    #[error("{} is no socket and is left alone; name another path, or remove it", .0.display())]
    NotASocket(PathBuf),
    /// A unix socket's path has little room.
    #[error("{} is longer than the {BYTES_MAX} bytes that a socket's path may have here; name a shorter one", .0.display())]
    TooLong(PathBuf),
    /// The file cannot be made or reached.
    #[error("{} cannot be used ({source}); see that this user may write into its folder and owns what is there", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// The path, checked as far as that is possible without taking it.
///
/// # Errors
/// If nothing can be bound there.
pub(crate) fn check(path: &Path) -> Result<(), Error> {
    if path.as_os_str().len() > BYTES_MAX {
        return Err(Error::TooLong(path.into()));
    }
    if !folder(path).is_dir() {
        return Err(Error::NoFolder(path.into()));
    }
    match fs::symlink_metadata(path) {
        Ok(file) if !file.file_type().is_socket() => Err(Error::NotASocket(path.into())),
        _ => Ok(()),
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    }
}

/// The file that we put there. Its inode cannot be given to another file while our socket is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// What is at `path`; `None` if nothing is.
    pub fn of(path: &Path) -> Option<Identity> {
        let file = fs::symlink_metadata(path).ok()?;
        Some(Identity { device: file.dev(), inode: file.ino() })
    }
}

/// Keeps every other process from taking a path of the same folder as long as it lives. The kernel ends it with the
/// process.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "it is there to be closed")] OwnedFd);

impl Lock {
    /// `None` while another process has it.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Lock>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = open(folder(path), flags, Mode::empty())?;
        match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock(folder))),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Takes the path, whatever process has it: the new socket listens before it replaces the old one.
///
/// # Errors
/// If the file cannot be made.
pub fn claim(path: &Path) -> Result<(UnixListener, Identity), Error> {
    check(path)?;
    let fail = |source| Error::Io { path: path.into(), source };
    let (listener, new) = bind_beside(path).map_err(fail)?;
    let renamed = || -> io::Result<Identity> {
        fs::set_permissions(&new, Permissions::from_mode(MODE))?;
        let identity = Identity::of(&new).ok_or(io::ErrorKind::NotFound)?;
        listener.set_nonblocking(true)?;
        fs::rename(&new, path)?;
        Ok(identity)
    };
    match renamed() {
        Ok(identity) => Ok((listener, identity)),
        Err(error) => {
            let _ = fs::remove_file(&new);
            Err(fail(error))
        }
    }
}

fn bind_beside(path: &Path) -> io::Result<(UnixListener, PathBuf)> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for n in 0..NAMES_MAX {
        let mut new = path.as_os_str().to_owned();
        new.push(format!(".{}.{n}", std::process::id()));
        match UnixListener::bind(&new) {
            Ok(listener) => return Ok((listener, new.into())),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}
