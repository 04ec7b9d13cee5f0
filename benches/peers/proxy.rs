//! The proxies that are compared, and one that runs.

use std::fmt;
use std::fs::OpenOptions;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::Result;
use clap::ValueEnum;
use tempfile::TempDir;
use test_support::Process;

use crate::process;
use crate::upstream::Upstream;
use crate::{floor, haproxy, nginx, sluicegate};

/// A loopback address that is free at this moment.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Proxy {
    /// A byte shuttle without HTTP: nothing can be cheaper.
    Floor,
    Nginx,
    Haproxy,
    Sluicegate,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Proxy::Floor => "floor",
            Proxy::Nginx => "nginx",
            Proxy::Haproxy => "haproxy",
            Proxy::Sluicegate => "sluicegate",
        })
    }
}

impl Proxy {
    pub(crate) const ALL: [Proxy; 4] = [Proxy::Floor, Proxy::Nginx, Proxy::Haproxy, Proxy::Sluicegate];

    /// Starts the proxy and waits until it answers for the upstream.
    pub(crate) fn start(self, upstream: &Upstream, access_log: bool) -> Result<Running> {
        let (folder, core, to) = (tempfile::tempdir()?, upstream.cores().proxy, upstream.address());
        let (mut process, address) = match self {
            Proxy::Floor => floor::start(core, to)?,
            Proxy::Sluicegate => sluicegate::start(folder.path(), core, to, access_log)?,
            Proxy::Nginx => {
                let listen = free_address()?;
                (nginx::start(folder.path(), core, listen, to, access_log)?, listen)
            }
            Proxy::Haproxy => {
                let listen = free_address()?;
                (haproxy::start(folder.path(), core, listen, to)?, listen)
            }
        };
        process::wait_for_200(&mut process, address, "/1k")?;
        Ok(Running { proxy: self, address, process, folder })
    }
}

/// A proxy that runs until this value is dropped.
pub(crate) struct Running {
    pub(crate) proxy: Proxy,
    /// Where it serves.
    pub(crate) address: SocketAddr,
    // Dropped in this order: first the process, then its folder.
    process: Process,
    folder: TempDir,
}

impl Running {
    /// The process that has all the others as descendants.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Empties the access log, so that a long series does not fill the disk.
    pub(crate) fn empty_log(&self) -> Result<()> {
        let log = self.folder.path().join("access.log");
        if log.exists() {
            OpenOptions::new().write(true).open(log)?.set_len(0)?;
        }
        Ok(())
    }
}
