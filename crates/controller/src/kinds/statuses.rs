//! The status of objects as it was read. It is kept apart from them: no route depends on it, and we write it ourselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use compile::ObjectKey;
use k8s_openapi::api::networking::v1::{Ingress, IngressLoadBalancerIngress};

/// What the name of our field manager begins with.
pub(crate) const FIELD_MANAGER_PREFIX: &str = "sluicegate";

/// What the status of each object says, a field for each kind whose status is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Statuses {
    pub(crate) ingresses: BTreeMap<ObjectKey, Arc<SeenStatus>>,
}

/// An Ingress' status as read, and which of our installations have a part in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SeenStatus {
    /// Where it says that the Ingress can be reached.
    pub(crate) addresses: Vec<IngressLoadBalancerIngress>,
    /// The field managers of Sluicegates that wrote it, mostly none or one.
    pub(crate) managers: Vec<String>,
}

impl SeenStatus {
    /// Takes the status and its managers out of the Ingress. A Sluicegate writes nothing of an Ingress but its status,
    /// so that the managers need not say what they manage.
    pub(crate) fn take(ingress: &mut Ingress) -> SeenStatus {
        let balancer = ingress.status.take().and_then(|status| status.load_balancer);
        let entries = ingress.metadata.managed_fields.take().unwrap_or_default();
        let managers = entries.into_iter().filter_map(|entry| entry.manager);
        let managers = managers.filter(|manager| manager.starts_with(FIELD_MANAGER_PREFIX)).collect();
        SeenStatus { addresses: balancer.and_then(|balancer| balancer.ingress).unwrap_or_default(), managers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_and_which_of_us_wrote_it_are_taken_out_of_an_ingress() {
        let mut ingress: Ingress = serde_json::from_value(serde_json::json!({
            "metadata": { "name": "shop", "managedFields": [
                { "manager": "kubectl", "operation": "Apply" },
                { "manager": "sluicegate/ingress/public", "operation": "Apply", "subresource": "status" },
            ]},
            "status": { "loadBalancer": { "ingress": [{ "ip": "192.0.2.1" }] } },
        }))
        .expect("an Ingress");
        let seen = SeenStatus::take(&mut ingress);
        assert_eq!(seen.addresses[0].ip.as_deref(), Some("192.0.2.1"));
        assert_eq!(seen.managers, ["sluicegate/ingress/public"]);
        assert_eq!(SeenStatus::take(&mut ingress), SeenStatus::default());
    }
}
