//! What in the spec of our own pod may cost clients a request: told in plain words at the start, since nothing else tells it
//! before the rollout that shows it.

mod check;

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client};

use check::warnings;

/// What the process was told, to be held against its pod's spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPod {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub name: String,
    /// The longest time from SIGTERM to the end of the process.
    pub stop_time: Duration,
    /// How long load balancers have to notice that the process leaves.
    pub lame_duck_time: Duration,
    /// The path of the handover, if there is one.
    pub handover: Option<String>,
}

/// Looks at our own pod and logs what is wrong with its spec. That is advice, and no reason not to serve.
pub(crate) async fn check(client: Client, told: OwnPod) {
    let pods: Api<Pod> = Api::namespaced(client, &told.namespace);
    let OwnPod { namespace, name, .. } = &told;
    match pods.get(name).await {
        Ok(pod) => {
            for warning in warnings(&pod, &told) {
                tracing::warn!("our own pod {namespace}/{name}: {warning}");
            }
        }
        Err(error) => tracing::warn!(
            "our own pod {namespace}/{name} cannot be read ({error}), so its spec is not checked; allow `get` on pods, or \
             leave out --pod-name"
        ),
    }
}
