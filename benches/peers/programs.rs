//! Where the programs of the proxies are, and which versions they have.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cores::pinned;
use crate::proxy::Proxy;

/// Where Debian has its libraries, and what loads them.
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";
const LOADER: &str = "lib64/ld-linux-x86-64.so.2";

/// Programs that are not in the `PATH`.
#[derive(Clone, clap::Args)]
pub(crate) struct Programs {
    /// Another build of sluicegate, such as that of an earlier commit
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Envoy's program
    #[arg(long, value_name = "FILE", env = "PEERS_ENVOY")]
    envoy: Option<PathBuf>,
    /// sozu's program
    #[arg(long, value_name = "FILE", env = "PEERS_SOZU")]
    sozu: Option<PathBuf>,
    /// Take nginx and haproxy from this folder, in which there is another Debian
    #[arg(long, value_name = "FOLDER", env = "PEERS_DEBIAN")]
    debian: Option<PathBuf>,
}

impl Programs {
    /// A command that will run this proxy on that core.
    ///
    /// # Errors
    /// If it is known that it cannot.
    pub(crate) fn pinned(&self, proxy: Proxy, core: usize) -> Result<Command> {
        let given = |file: &Option<PathBuf>| file.clone().with_context(|| format!("no program of {proxy}"));
        let file = match proxy {
            Proxy::Floor => std::env::current_exe()?,
            Proxy::Nginx => return Ok(self.of_debian("nginx", core)),
            Proxy::Haproxy => return Ok(self.of_debian("haproxy", core)),
            Proxy::Envoy => given(&self.envoy)?,
            Proxy::Sozu => given(&self.sozu)?,
            // Cargo puts all programs of the workspace into one folder.
            Proxy::Sluicegate | Proxy::ManyRoutes => {
                let own = std::env::current_exe()?.with_file_name("sluicegate");
                self.program.clone().unwrap_or(own)
            }
        };
        ensure!(file.is_file(), "{} is not there; start me with `cargo xtask bench`", file.display());
        Ok(pinned(core, file))
    }

    /// The other Debian's programs are run with its own libraries; nothing else in its folder is needed.
    fn of_debian(&self, name: &str, core: usize) -> Command {
        let Some(debian) = &self.debian else { return pinned(core, name) };
        let mut command = pinned(core, debian.join(LOADER));
        command.arg("--library-path").arg(debian.join(LIBRARIES)).arg(debian.join("usr/sbin").join(name));
        command
    }

    /// What a proxy says about itself.
    ///
    /// # Errors
    /// If it cannot be started: then it is no peer here.
    pub(crate) fn version(&self, proxy: Proxy, core: usize) -> Result<String> {
        let option = match proxy {
            Proxy::Floor => return Ok("a byte shuttle without HTTP".into()),
            Proxy::Nginx | Proxy::Haproxy => "-v",
            _ => "--version",
        };
        let mut command = self.pinned(proxy, core)?;
        let output = command.arg(option).stdout(std::process::Stdio::piped()).output()?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let line = said.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
        ensure!(output.status.success(), "it does not start: {line}");
        // Some begin with where they are.
        Ok(line.split_once("version:").map_or(line, |(_, version)| version).trim().to_owned())
    }

    /// The folder with another Debian, if that is what nginx and haproxy come from.
    pub(crate) fn debian(&self) -> Option<&Path> {
        self.debian.as_deref()
    }
}
