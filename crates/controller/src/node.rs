//! The node we run on, as the cluster sees it.

use k8s_openapi::api::core::v1;

/// What of our node bears on traffic: whether the cluster is about to take it away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Whether new pods are kept away (`kubectl cordon`).
    pub unschedulable: bool,
    /// Its taints, as `key:effect`, sorted.
    pub taints: Vec<String>,
}

impl From<&v1::Node> for Node {
    fn from(node: &v1::Node) -> Node {
        let name = node.metadata.name.clone().unwrap_or_default();
        let spec = node.spec.as_ref();
        let unschedulable = spec.and_then(|spec| spec.unschedulable).unwrap_or_default();
        let taints = spec.iter().flat_map(|spec| spec.taints.iter().flatten());
        let mut taints: Vec<String> = taints.map(|taint| format!("{}:{}", taint.key, taint.effect)).collect();
        taints.sort();
        Node { name, unschedulable, taints }
    }
}
