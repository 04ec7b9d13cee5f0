//! nginx: changes are reloads, a replacement is its binary upgrade.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::brood::{Brood, PATIENCE, pause, send};
use crate::proxy::{Addresses, Part, Proxy, text};
use crate::request::HOST;
use crate::world::World;

/// Until the former master has ended nginx refuses another upgrade. Its workers may take as long as idle connections are
/// kept.
const UPGRADE_PATIENCE: Duration = Duration::from_secs(120);

/// Whether workers that leave keep their idle connections for a while.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    No,
    AMinute,
}

pub(crate) struct Nginx {
    addresses: Addresses,
    keep: Keep,
    master: u32,
}

/// Whether this nginx has the setting that spares idle connections.
pub(crate) fn knows_min_timeout(program: &Path) -> bool {
    let Ok(folder) = tempfile::tempdir() else { return false };
    let config = folder.path().join("nginx.conf");
    let text = "events {} http { keepalive_min_timeout 60s; }";
    let asked = fs::write(&config, text).and_then(|()| {
        Command::new(program)
            .arg("-t")
            .arg("-e")
            .arg("stderr")
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(config)
            .output()
    });
    asked.is_ok_and(|output| !String::from_utf8_lossy(&output.stderr).contains("unknown directive"))
}

impl Nginx {
    pub(crate) fn start(program: &Path, brood: &mut Brood, world: &World, keep: Keep) -> Result<Nginx> {
        let (addresses, folder) = (Addresses::free()?, brood.folder().to_owned());
        certify(&folder, world)?;
        fs::write(folder.join("nginx.conf"), config(brood.workers, addresses, world, keep))?;
        let args = ["-e", "stderr", "-p", text(&folder)?, "-c", "nginx.conf"];
        brood.start(program, &args)?;
        let master = new_master(brood, None).context("nginx does not start")?;
        Ok(Nginx { addresses, keep, master })
    }
}

fn certify(folder: &Path, world: &World) -> Result<()> {
    fs::write(folder.join("tls.crt"), &world.certificate.chain)?;
    Ok(fs::write(folder.join("tls.key"), &world.certificate.key)?)
}

/// Waits until there is another master, with workers.
fn new_master(brood: &Brood, former: Option<u32>) -> Result<u32> {
    let file = brood.folder().join("nginx.pid");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let workers = |id: &u32| {
            let ids = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
            ids.is_ok_and(|ids| !ids.trim().is_empty())
        };
        match read_id(&file).filter(|id| Some(*id) != former).filter(workers) {
            Some(id) => return Ok(id),
            None => pause()?,
        }
        ensure!(Instant::now() < deadline, "no new master; it said:\n{}", brood.said());
    }
}

fn read_id(file: &Path) -> Option<u32> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

impl Proxy for Nginx {
    fn addresses(&self) -> Addresses {
        self.addresses
    }

    fn apply(&mut self, brood: &mut Brood, world: &World, _: Part) -> Result<()> {
        certify(brood.folder(), world)?;
        let config = config(brood.workers, self.addresses, world, self.keep);
        fs::write(brood.folder().join("nginx.conf"), config)?;
        send(self.master, Signal::HUP)
    }

    /// As its manual says: USR2, WINCH, QUIT.
    fn replace(&mut self, brood: &mut Brood) -> Result<()> {
        send(self.master, Signal::USR2)?;
        let new = new_master(brood, Some(self.master))?;
        send(self.master, Signal::WINCH)?;
        send(self.master, Signal::QUIT)?;
        let former = std::mem::replace(&mut self.master, new);
        let ended = brood.wait_until_ended(former, UPGRADE_PATIENCE)?;
        ensure!(ended, "nginx's former master {former} does not end");
        Ok(())
    }

    fn former(&mut self, brood: &mut Brood) -> usize {
        brood.alive().iter().filter(|(_, line)| line.contains("shutting down")).count()
    }

    fn faults(&mut self, brood: &mut Brood) -> Vec<String> {
        let ended =
            brood.ending(self.master).map(|status| format!("nginx's master has ended with {status:?}"));
        ended.into_iter().collect()
    }
}

fn config(workers: u32, addresses: Addresses, world: &World, keep: Keep) -> String {
    let gentle = if keep == Keep::AMinute { "keepalive_min_timeout 60s;" } else { "" };
    let upstreams = World::APPS.map(|app| {
        let servers: String = world.addresses(app).iter().map(|address| format!(" server {address};")).collect();
        format!("    upstream {app} {{{servers} keepalive 512; keepalive_requests 1000000000; keepalive_timeout 60s; }}\n")
    });
    let locations: String = world
        .paths()
        .iter()
        .map(|(path, app)| format!("        location {path} {{ proxy_pass http://{app}; }}\n"))
        .collect();
    let Addresses { http, https } = addresses;
    format!(
        // A daemon, since the first process refuses to be upgraded while the one that has started it lives.
        r#"user root;
worker_processes {workers};
pid nginx.pid;
error_log stderr;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    tcp_nodelay on;
    keepalive_timeout 75s;
    keepalive_requests 1000000000;
    # A connection that was opened ahead of need has not sent a head yet, and is no less idle.
    client_header_timeout 75s;
    {gentle}
    client_body_temp_path body;
    proxy_temp_path proxy;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
{}    server {{
        listen {http} backlog=4096;
        listen {https} ssl http2 backlog=4096;
        ssl_certificate tls.crt;
        ssl_certificate_key tls.key;
        server_name {HOST};
{locations}    }}
}}
"#,
        upstreams.concat()
    )
}
