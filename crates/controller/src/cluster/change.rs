//! What the watches tell of, and how.

use std::fmt;
use std::sync::Arc;

use compile::ObjectKey;
use k8s_openapi::api::core::v1::{ConfigMap, Node, Secret};
use k8s_openapi::api::networking::v1::IngressLoadBalancerIngress;
use tokio::sync::mpsc;

use super::named::Answer;
use crate::kinds::{Id, Object};
use crate::stats::Stats;

/// What was learned.
#[derive(Debug)]
pub(crate) enum Change {
    /// An object is as it is now.
    Apply(Object),
    /// An object is proven to be gone.
    Delete(Id),
    /// An object is there, and cannot be read.
    Unreadable(Id, String),
    /// A namespace's Ingresses are ours to serve, or no longer.
    Namespace(String, bool),
    /// What is to be known of a ConfigMap that was asked for.
    ConfigMap(ObjectKey, Answer<ConfigMap>),
    /// What is to be known of a Secret that was asked for.
    Secret(ObjectKey, Answer<Secret>),
    /// The addresses of the Service that status is to show.
    PublishService(Part, Vec<IngressLoadBalancerIngress>),
    /// The node we run on.
    Node(Part, Arc<Node>),
    /// All objects of a part have been told once.
    Synced(Part),
    /// A part cannot be followed: why, and what to do.
    Failing(Part, String, &'static str),
    /// It can again.
    Working(Part),
}

/// What one watch sees: a kind, in all namespaces or one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    pub(super) kind: &'static str,
    pub(super) namespace: Option<String>,
}

impl Part {
    /// All objects of a kind.
    pub(crate) fn of_cluster(kind: &'static str) -> Part {
        Part { kind, namespace: None }
    }

    /// The ConfigMap without which nothing is published.
    pub(crate) fn of_config_map(key: &ObjectKey) -> Part {
        Part { kind: "ConfigMap", namespace: Some(key.namespace.clone()) }
    }

    /// The word in the objects' `kind` field.
    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    /// The namespace, or nothing for all.
    pub(crate) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} of namespace {namespace}", self.kind),
            None => f.write_str(self.kind),
        }
    }
}

/// Where the watches tell of changes.
#[derive(Clone)]
pub(crate) struct Changes {
    pub(super) sender: mpsc::Sender<Change>,
    pub(super) stats: Arc<Stats>,
}

impl Changes {
    /// Waits for room. The receiver is gone only when the controller ends, and this task with it.
    pub(super) async fn send(&self, change: Change) {
        let _ = self.sender.send(change).await;
    }

    pub(super) fn stats(&self) -> &Stats {
        &self.stats
    }
}
