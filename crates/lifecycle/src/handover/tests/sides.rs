//! The two sides of a handover, and what can be seen of a socket.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::super::{GivenUp, Offer, Owner, Received, Successor, connect};

/// A process that serves, as far as a handover is concerned.
pub(super) struct Old {
    pub(super) folder: TempDir,
    pub(super) listeners: Vec<Arc<TcpListener>>,
    pub(super) handed_over: JoinHandle<Successor>,
}

impl Old {
    /// Must be called within a runtime.
    pub(super) fn with(sockets: usize) -> Old {
        let bind = || Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let listeners: Vec<_> = (0..sockets).map(|_| bind()).collect();
        let folder = tempfile::tempdir().unwrap();
        let mut owner = Owner::claim(folder.path().join("handover"), offers(&listeners)).unwrap();
        Old { folder, listeners, handed_over: tokio::spawn(async move { owner.handed_over().await }) }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("handover")
    }

    pub(super) async fn successor(&self) -> Received {
        connect(&self.path()).await.unwrap().expect("a process is there")
    }
}

pub(super) fn offers(listeners: &[Arc<TcpListener>]) -> Vec<Offer> {
    let configured = "127.0.0.1:0".parse().unwrap();
    let offer =
        |it| Offer { role: "http", configured, listener: Arc::downgrade(it), given_up: GivenUp::default() };
    listeners.iter().map(offer).collect()
}

pub(super) fn take(received: &mut Received) -> Option<TcpListener> {
    received.take("http", "127.0.0.1:0".parse().unwrap())
}

/// Whether a client that connects now is accepted from this copy of the socket.
pub(super) fn accepts(listener: &TcpListener) -> bool {
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    listener.accept().unwrap().1 == client.local_addr().unwrap()
}

/// The flags that both processes share.
pub(super) fn flags(listener: &TcpListener) -> u32 {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", listener.as_raw_fd())).unwrap();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).expect("flags");
    // Whether a copy is closed on exec is its own.
    u32::from_str_radix(flags.trim(), 8).unwrap() & !0o2_000_000
}

/// Asks again and again until something is there.
pub(super) async fn eventually<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking).await.expect("soon")
}
