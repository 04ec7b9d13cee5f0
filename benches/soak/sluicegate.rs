//! Sluicegate: changes are edits of files, a replacement is a process with the same `--handover`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use test_support::manifests::{self, CLASS, service, slice_of};
use test_support::process::listening;

use crate::brood::{Brood, Process};
use crate::proxy::{Addresses, Part, Proxy, text};
use crate::request::HOST;
use crate::world::World;

pub(crate) struct Sluicegate {
    program: PathBuf,
    log: bool,
    addresses: Addresses,
    present: Process,
    former: Vec<u32>,
}

impl Sluicegate {
    pub(crate) fn start(program: &Path, brood: &mut Brood, world: &World, log: bool) -> Result<Sluicegate> {
        let folder = brood.folder().join("manifests");
        fs::create_dir(&folder)?;
        fs::write(folder.join("class.yaml"), CLASS)?;
        fs::write(folder.join("ingress.yaml"), ingress(world))?;
        fs::write(folder.join("backends.yaml"), backends(world))?;
        fs::write(folder.join("secret.yaml"), secret(world))?;
        let present = process(program, brood, log)?;
        let addresses = brood.wait_for(&present, "a line that says where it listens", addresses)?;
        Ok(Sluicegate { program: program.to_owned(), log, addresses, present, former: Vec::new() })
    }
}

/// Starts one more process, and waits until it serves.
fn process(program: &Path, brood: &mut Brood, log: bool) -> Result<Process> {
    let folder = brood.folder().to_owned();
    let (manifests, handover) = (folder.join("manifests"), folder.join("handover"));
    let access_log = if log { folder.join("access.log") } else { "off".into() };
    let process = brood.start(
        program,
        &[
            "run",
            "--manifests",
            text(&manifests)?,
            "--handover",
            text(&handover)?,
            "--http",
            "127.0.0.1:0",
            "--https",
            "127.0.0.1:0",
            "--admin",
            "127.0.0.1:0",
            "--workers",
            &brood.workers.to_string(),
            "--access-log",
            text(&access_log)?,
        ],
    )?;
    brood.wait_for(&process, "serving", |said| said.contains(" serving").then_some(()))?;
    Ok(process)
}

impl Proxy for Sluicegate {
    fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// As an editor does it: the file itself is written anew.
    fn apply(&mut self, brood: &mut Brood, world: &World, what: Part) -> Result<()> {
        let folder = brood.folder().join("manifests");
        match what {
            Part::Routes => fs::write(folder.join("ingress.yaml"), ingress(world))?,
            Part::Endpoints => fs::write(folder.join("backends.yaml"), backends(world))?,
            Part::Certificate => fs::write(folder.join("secret.yaml"), secret(world))?,
        }
        Ok(())
    }

    fn replace(&mut self, brood: &mut Brood) -> Result<()> {
        let successor = process(&self.program, brood, self.log)?;
        let former = std::mem::replace(&mut self.present, successor);
        // It may have ended already, since there was nothing left to do: then it has said so before.
        brood
            .wait_for(&former, "handed over", |said| said.contains("handed over").then_some(()))
            .context("the former process does not let go")?;
        self.former.push(former.id);
        Ok(())
    }

    fn former(&mut self, brood: &mut Brood) -> usize {
        self.former.iter().filter(|id| brood.ending(**id).is_none()).count()
    }

    fn faults(&mut self, brood: &mut Brood) -> Vec<String> {
        let ended = self.former.iter().filter_map(|id| Some((id, brood.ending(*id)?)));
        let mut faults: Vec<String> = ended
            .filter(|(_, status)| status.exit_status() != Some(0))
            .map(|(id, status)| format!("process {id} has handed over and ended with {status:?}"))
            .collect();
        if let Some(status) = brood.ending(self.present.id) {
            faults.push(format!("the last process has ended with {status:?}"));
        }
        faults
    }
}

/// Where it serves, once it has said so.
fn addresses(said: &str) -> Option<Addresses> {
    Some(Addresses { http: listening(said, "http=")?, https: listening(said, "https=")? })
}

fn ingress(world: &World) -> String {
    let mut text = format!(
        "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{ name: soak, namespace: shop }}
spec:
  ingressClassName: sluicegate
  tls: [{{ hosts: [{HOST}], secretName: soak }}]
  rules:
    - host: {HOST}
      http:
        paths:
"
    );
    for (path, app) in world.paths() {
        text += &format!(
            "          - {{ path: {path}, pathType: Prefix, backend: {{ service: {{ name: {app}, port: {{ number: 80 }} }} }} }}\n"
        );
    }
    text
}

fn secret(world: &World) -> String {
    manifests::secret("name: soak, namespace: shop", &world.certificate.chain, &world.certificate.key)
}

fn backends(world: &World) -> String {
    let backend = |app| [service(app), slice_of(app, &world.addresses(app), true)];
    World::APPS.iter().flat_map(|app| backend(app)).map(|object| format!("---\n{object}")).collect()
}
