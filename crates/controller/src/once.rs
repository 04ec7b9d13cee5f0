//! The objects of one moment, read once and not followed: for the commands that say what would be.
//!
//! Owns: where such objects come from, and how a change is laid over them. Never: what an object means.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use compile::{Compiled, ObjectKey, Objects, Settings};
use model::{ObjectRef, Problem};
use tls::Tickets;

use crate::certificates::CertificateStore;
use crate::cluster::Cluster;
use crate::control::{self, ControllerConfig, Error, Source};
use crate::index::Index;
use crate::kinds::{Ingress, Object};
use crate::manifests::{Manifests, ReadError};
use crate::publish;

/// The objects of one moment, and what is wrong with reading them.
#[derive(Debug, Default)]
pub struct Once {
    index: Index,
    problems: Vec<Problem>,
}

impl Once {
    /// Those of manifests, without DNS: see [`apply`](Once::apply).
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn of_manifests(path: &Path) -> Result<Once, ReadError> {
        let mut once = Once::default();
        once.apply(path)?;
        Ok(once)
    }

    /// Lays the objects of a folder, of a file, or (`-`) of standard input over these, as `kubectl apply` does.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn apply(&mut self, path: &Path) -> Result<(), ReadError> {
        let unread = |source| ReadError { path: path.to_owned(), source };
        let mut manifests = if path == Path::new("-") {
            Manifests::of_text("standard input", io::stdin().lock()).map_err(unread)?
        } else if path.is_dir() {
            Manifests::read(path.to_owned())?
        } else {
            let file = std::fs::File::open(path).map_err(unread)?;
            Manifests::of_text(&path.display().to_string(), file).map_err(unread)?
        };
        let before = self.index.objects().ingresses.clone();
        manifests.feed(&mut self.index);
        self.keep_ages(&before);
        self.problems.extend(manifests.problems().cloned());
        Ok(())
    }

    /// An Ingress that was there keeps its age, by which conflicts are decided: manifests do not have it.
    fn keep_ages(&mut self, before: &BTreeMap<ObjectKey, Arc<Ingress>>) {
        for (key, was) in before {
            let Some(is) = self.index.objects().ingresses.get(key) else { continue };
            if was.metadata.creation_timestamp.is_some() && is.metadata.creation_timestamp.is_none() {
                let mut aged = Ingress::clone(is);
                aged.metadata.creation_timestamp.clone_from(&was.metadata.creation_timestamp);
                let file = self.index.file_of(&ObjectRef::new("Ingress", &key.namespace, &key.name)).cloned();
                self.index.apply(Object::Ingress(Arc::new(aged)), file.as_ref());
            }
        }
    }

    /// Those of a cluster, with what can only be asked for by name.
    ///
    /// # Errors
    /// If it is not known which cluster is meant, or not all is read within this time.
    pub async fn of_cluster(cluster: Cluster, settings: Settings, within: Duration) -> Result<Once, Error> {
        let config = ControllerConfig::new(Source::Cluster(Box::new(cluster.clone())), settings);
        let (index, problems) = control::read_cluster(config, cluster, within).await?;
        Ok(Once { index, problems })
    }

    /// The objects.
    pub fn objects(&self) -> &Objects {
        self.index.objects()
    }

    /// What comes of them. The problems are those of the files and of the objects, sorted, each with its file.
    pub fn compile(&self, settings: &Settings) -> Compiled {
        let objects = self.index.objects();
        let mut compiled = compile::compile(objects, settings, 1);
        let mut certificates = CertificateStore::default();
        certificates.update(&compiled, objects);
        certificates.share_keys(settings, objects, &Tickets::default());
        let of_certificates = certificates.problems(SystemTime::now());
        let of_objects = compiled.problems.iter().chain(&of_certificates);
        let problems: BTreeSet<Problem> = publish::merge(self.problems.iter(), of_objects, &self.index);
        compiled.problems = Arc::new(problems.into_iter().collect());
        compiled
    }
}
