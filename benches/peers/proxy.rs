//! The proxies that are compared, and one that runs.

use std::fmt;
use std::fs::OpenOptions;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;
use tempfile::TempDir;
use test_support::Process;

use crate::client::Trust;
use crate::process;
use crate::programs::Programs;
use crate::{envoy, floor, haproxy, nginx, sluicegate, sozu};

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
    Envoy,
    Sozu,
    Sluicegate,
    /// Sluicegate with many routes, beside itself with one.
    #[value(skip)]
    ManyRoutes,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Proxy::Floor => "floor",
            Proxy::Nginx => "nginx",
            Proxy::Haproxy => "haproxy",
            Proxy::Envoy => "envoy",
            Proxy::Sozu => "sozu",
            Proxy::Sluicegate => "sluicegate",
            Proxy::ManyRoutes => "50k routes",
        })
    }
}

/// What all proxies have in common.
pub(crate) struct Setup {
    pub(crate) upstream: SocketAddr,
    /// The proxy's core.
    pub(crate) core: usize,
    pub(crate) trust: Trust,
    pub(crate) programs: Programs,
    /// Whether nginx and sluicegate write one.
    pub(crate) access_log: bool,
}

/// A proxy that was started, and where it serves.
pub(crate) struct Started {
    pub(crate) process: Process,
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
}

impl Setup {
    /// A command that will run this proxy.
    pub(crate) fn command(&self, proxy: Proxy) -> Result<Command> {
        self.programs.pinned(proxy, self.core)
    }
}

impl Proxy {
    pub(crate) const ALL: [Proxy; 6] =
        [Proxy::Floor, Proxy::Nginx, Proxy::Haproxy, Proxy::Envoy, Proxy::Sozu, Proxy::Sluicegate];

    /// Starts the proxy and waits until it answers for the upstream.
    pub(crate) fn start(self, setup: &Setup) -> Result<Running> {
        let folder = tempfile::tempdir()?;
        let start: fn(&Path, &Setup) -> Result<Started> = match self {
            Proxy::Floor => floor::start,
            Proxy::Nginx => nginx::start,
            Proxy::Haproxy => haproxy::start,
            Proxy::Envoy => envoy::start,
            Proxy::Sozu => sozu::start,
            Proxy::Sluicegate => sluicegate::start,
            Proxy::ManyRoutes => sluicegate::start_with_many_routes,
        };
        let Started { mut process, http, https } = start(folder.path(), setup)?;
        process::wait_for_200(&mut process, http, "/1k")?;
        Ok(Running { proxy: self, http, https, process, folder })
    }
}

/// A proxy that runs until this value is dropped.
pub(crate) struct Running {
    pub(crate) proxy: Proxy,
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
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
