//! haproxy: changes and replacements are the same thing, a new process that takes the listeners over (-x) and tells the
//! former one to leave (-sf).

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::brood::{Brood, Process};
use crate::proxy::{Addresses, Part, Proxy, text};
use crate::world::World;

/// Idle connections stay until their client speaks.
pub(crate) const GENTLE: &str = "option idle-close-on-response";
/// Connections that are closed by a process that leaves are closed one by one over this time.
pub(crate) const SPREAD: &str = "close-spread-time 20s";

pub(crate) struct Haproxy {
    program: PathBuf,
    addresses: Addresses,
    global: &'static str,
    defaults: &'static str,
    present: Process,
    former: Vec<u32>,
}

impl Haproxy {
    pub(crate) fn start(
        program: &Path,
        brood: &mut Brood,
        world: &World,
        global: &'static str,
        defaults: &'static str,
    ) -> Result<Haproxy> {
        let (addresses, folder) = (Addresses::free()?, brood.folder().to_owned());
        let (file, socket) = (folder.join("haproxy.cfg"), folder.join("stats"));
        certify(&folder, world)?;
        fs::write(&file, config(brood.workers, addresses, &folder, world, global, defaults))?;
        let present = brood.start(program, &["-db", "-f", text(&file)?])?;
        wait(brood, &present, &socket)?;
        Ok(Haproxy { program: program.to_owned(), addresses, global, defaults, present, former: Vec::new() })
    }
}

/// Certificate and key in one file.
fn certify(folder: &Path, world: &World) -> Result<()> {
    let certificate = &world.certificate;
    Ok(fs::write(folder.join("tls.pem"), format!("{}{}", certificate.chain, certificate.key))?)
}

/// Waits until this process answers at the socket.
fn wait(brood: &mut Brood, process: &Process, socket: &Path) -> Result<()> {
    let id = format!("Pid: {}\n", process.id);
    let asked = || -> std::io::Result<String> {
        let mut stream = UnixStream::connect(socket)?;
        stream.write_all(b"show info\n")?;
        let mut said = String::new();
        stream.read_to_string(&mut said)?;
        Ok(said)
    };
    brood.wait_for(process, "an answer at its socket", |_| {
        asked().is_ok_and(|said| said.contains(&id)).then_some(())
    })
}

impl Proxy for Haproxy {
    fn addresses(&self) -> Addresses {
        self.addresses
    }

    fn apply(&mut self, brood: &mut Brood, world: &World, _: Part) -> Result<()> {
        let folder = brood.folder();
        certify(folder, world)?;
        let config = config(brood.workers, self.addresses, folder, world, self.global, self.defaults);
        fs::write(folder.join("haproxy.cfg"), config)?;
        self.replace(brood)
    }

    fn replace(&mut self, brood: &mut Brood) -> Result<()> {
        let folder = brood.folder().to_owned();
        let (file, socket) = (folder.join("haproxy.cfg"), folder.join("stats"));
        let former = self.present.id.to_string();
        let args = ["-db", "-f", text(&file)?, "-x", text(&socket)?, "-sf", &former];
        let successor = brood.start(&self.program, &args)?;
        wait(brood, &successor, &socket)?;
        self.former.push(std::mem::replace(&mut self.present, successor).id);
        Ok(())
    }

    fn former(&mut self, brood: &mut Brood) -> usize {
        self.former.iter().filter(|id| brood.ending(**id).is_none()).count()
    }

    fn faults(&mut self, brood: &mut Brood) -> Vec<String> {
        let ended = brood.ending(self.present.id);
        ended.map(|status| format!("the last haproxy has ended with {status:?}")).into_iter().collect()
    }
}

fn config(
    workers: u32,
    addresses: Addresses,
    folder: &Path,
    world: &World,
    global: &str,
    defaults: &str,
) -> String {
    let rules: String = world
        .paths()
        .iter()
        .map(|(path, app)| format!("    use_backend {app} if {{ path_beg {path} }}\n"))
        .collect();
    let backends = World::APPS.map(|app| {
        let server = |(at, address)| format!("    server s{at} {address} pool-purge-delay 60s\n");
        let servers: String = world.addresses(app).iter().enumerate().map(server).collect();
        format!("backend {app}\n{servers}")
    });
    let (folder, Addresses { http, https }) = (folder.display(), addresses);
    format!(
        "global
    nbthread {workers}
    maxconn 8000
    no strict-limits
    stats socket {folder}/stats mode 600 level admin expose-fd listeners
    {global}
defaults
    mode http
    no log
    option http-keep-alive
    option redispatch 1
    retries 3
    http-reuse safe
    timeout connect 5s
    timeout client 75s
    timeout server 75s
    timeout http-request 75s
    timeout http-keep-alive 75s
    {defaults}
frontend front
    bind {http} backlog 4096
    bind {https} backlog 4096 ssl crt {folder}/tls.pem alpn h2,http/1.1
{rules}{}",
        backends.concat()
    )
}
