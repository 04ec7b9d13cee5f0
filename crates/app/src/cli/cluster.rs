//! Which cluster the process follows, how much of it, and what it writes there.

use std::path::PathBuf;

use clap::Args;
use controller::{Address, Cluster, LeaseName, Namespaces, ObjectKey, OwnPod, Publish, Report, Secrets};

use super::names;
use crate::units::{Span, SpanOrNone};

/// A cluster as the source of the objects.
#[derive(Debug, Args)]
#[command(next_help_heading = "The cluster")]
pub(crate) struct ClusterArgs {
    /// Follow the cluster of this kubeconfig. Without it and without --manifests: the one that this pod runs in
    #[arg(long, value_name = "FILE", env = "SLUICEGATE_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,

    /// Read only these namespaces, for which Roles suffice. By default all
    #[arg(long, value_name = "NAME", env = "SLUICEGATE_WATCH_NAMESPACE", value_delimiter = ',', value_parser = names::namespace)]
    watch_namespace: Vec<String>,

    /// Serve only the Ingresses of namespaces with these labels, such as team=shop,stage!=test
    #[arg(
        long,
        value_name = "LABELS",
        env = "SLUICEGATE_WATCH_NAMESPACE_SELECTOR",
        value_parser = controller::labels,
        conflicts_with = "watch_namespace"
    )]
    watch_namespace_selector: Option<String>,

    /// How often, roughly, each named Secret is read again where this process may not watch Secrets (deploy/secret-watch
    /// grants that): a renewed certificate is served only after that. A missing Secret is read sooner. With more than 100
    /// Secrets for each second of this time they are read less often
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_SECRET_READ_INTERVAL", default_value_t = Span(Secrets::default().read_interval))]
    secret_read_interval: Span,

    /// How long a deleted Secret may be missing before that is a problem: one that is replaced by delete-and-create is back
    /// in a moment. Its last good content stays in use in any case, while an Ingress names it
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_SECRET_GRACE_PERIOD", default_value_t = SpanOrNone(Secrets::default().grace_period))]
    secret_grace_period: SpanOrNone,

    /// The node that this process runs on (the pod's spec.nodeName), to notice when the cluster is about to remove it
    #[arg(long, value_name = "NAME", env = "SLUICEGATE_NODE_NAME", value_parser = names::object)]
    node_name: Option<String>,

    /// The pod that this process runs in (metadata.name), to check its spec at the start for what may cost requests
    #[arg(long, value_name = "NAME", env = "SLUICEGATE_POD_NAME", value_parser = names::object, requires = "pod_namespace")]
    pod_name: Option<String>,

    /// The namespace of that pod (metadata.namespace)
    #[arg(long, value_name = "NAME", env = "SLUICEGATE_POD_NAMESPACE", value_parser = names::namespace)]
    pod_namespace: Option<String>,

    /// Write these addresses or host names into the status of our Ingresses
    #[arg(long, value_name = "ADDR", env = "SLUICEGATE_PUBLISH_ADDRESS", value_delimiter = ',')]
    publish_address: Vec<Address>,

    /// Write the addresses of this Service of type LoadBalancer into the status of our Ingresses
    #[arg(
        long,
        value_name = "NAMESPACE/NAME",
        env = "SLUICEGATE_PUBLISH_SERVICE",
        value_parser = names::namespaced,
        conflicts_with = "publish_address"
    )]
    publish_service: Option<ObjectKey>,

    /// Write no status, whatever other flags say: for a while beside another controller of the same class
    #[arg(long, env = "SLUICEGATE_NO_STATUS")]
    no_status: bool,

    /// Write no Events about problems of objects
    #[arg(long, env = "SLUICEGATE_NO_EVENTS")]
    no_events: bool,

    /// The Lease whose holder alone writes status and Events; by default sluicegate-CLASS in our own namespace.
    /// Installations that serve different Ingresses of one class need one each
    #[arg(long, value_name = "[NAMESPACE/]NAME", env = "SLUICEGATE_LEASE", value_parser = names::lease)]
    lease: Option<LeaseName>,
}

impl ClusterArgs {
    /// The cluster that is meant, with what is known of our own pod.
    pub(crate) fn cluster(self, class: &str, own_pod: impl FnOnce(String, String) -> OwnPod) -> Cluster {
        let publish = match self.publish_service {
            Some(service) => Some(Publish::Service(service)),
            None if self.publish_address.is_empty() => None,
            None => Some(Publish::Addresses(self.publish_address)),
        };
        let lease = LeaseName { namespace: None, name: format!("sluicegate-{class}") };
        let lease = self.lease.unwrap_or(lease);
        let namespaces = match self.watch_namespace_selector {
            Some(labels) => Namespaces::Labelled(labels),
            None if self.watch_namespace.is_empty() => Namespaces::All,
            None => Namespaces::Named(self.watch_namespace),
        };
        let status = publish.filter(|_| !self.no_status);
        let report = Report { status, events: !self.no_events, others_write: false, lease };
        let pod = self.pod_namespace.zip(self.pod_name).map(|(namespace, name)| own_pod(namespace, name));
        let secrets =
            Secrets { read_interval: self.secret_read_interval.0, grace_period: self.secret_grace_period.0 };
        Cluster { kubeconfig: self.kubeconfig, namespaces, node: self.node_name, pod, secrets, report }
    }
}
