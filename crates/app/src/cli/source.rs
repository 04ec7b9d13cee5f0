//! Where the objects come from that a command asks about, without following them.

use std::path::PathBuf;

use clap::Args;
use controller::{Cluster, Namespaces};

use super::names;
use crate::units::Span;

/// Manifests or a cluster.
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// Read the objects from this folder and its sub-folders, from this file, or (-) from standard input
    #[arg(long, value_name = "PATH", env = "SLUICEGATE_MANIFESTS", conflicts_with = "kubeconfig")]
    pub(crate) manifests: Option<PathBuf>,

    /// Read the cluster of this kubeconfig. Without it and without --manifests: that of $KUBECONFIG, of ~/.kube/config,
    /// or the one that this pod runs in
    #[arg(long, value_name = "FILE", env = "SLUICEGATE_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,

    /// Read only these namespaces of the cluster
    #[arg(long, value_name = "NAME", env = "SLUICEGATE_WATCH_NAMESPACE", value_delimiter = ',', value_parser = names::namespace)]
    watch_namespace: Vec<String>,

    /// How long the cluster may take to say what there is
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub(crate) within: Span,
}

impl SourceArgs {
    /// The cluster that is meant where no manifests are.
    pub(crate) fn cluster(&self) -> Cluster {
        let namespaces = match &*self.watch_namespace {
            [] => Namespaces::All,
            names => Namespaces::Named(names.to_vec()),
        };
        let kubeconfig = self.kubeconfig.clone().or_else(usual_kubeconfig);
        Cluster { kubeconfig, namespaces, ..Cluster::default() }
    }
}

/// The file that kubectl would take.
fn usual_kubeconfig() -> Option<PathBuf> {
    let named = std::env::var_os("KUBECONFIG").filter(|path| !path.is_empty());
    let first = named.and_then(|paths| std::env::split_paths(&paths).next());
    let at_home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".kube/config"));
    first.or_else(|| at_home().filter(|path| path.is_file()))
}
