//! What in the spec of our own pod may cost clients a request: told in plain words at the start, since nothing else
//! tells it before the rollout that shows it.

mod check;

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::core::Status;
use kube::{Api, Client};

use crate::wait::{doubled, jittered};
use check::warnings;

/// The pause after the first question without an answer, doubled up to a minute: nothing waits for this.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);

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
    match read(&pods, name, FIRST_PAUSE).await {
        Ok(pod) => {
            for warning in warnings(&pod, &told) {
                tracing::warn!("our own pod {namespace}/{name}: {warning}");
            }
        }
        Err(refusal) => tracing::warn!(
            "our own pod {namespace}/{name} cannot be read ({}), so its spec is not checked; {}",
            refusal.message,
            remedy(&refusal)
        ),
    }
}

/// Asks until there is an answer, since the API server may be away at the start; a refusal is one.
async fn read(pods: &Api<Pod>, name: &str, pause: Duration) -> Result<Pod, Box<Status>> {
    let mut tries: u32 = 0;
    loop {
        match pods.get(name).await {
            Ok(pod) => return Ok(pod),
            Err(kube::Error::Api(status)) if is_refusal(&status) => return Err(status),
            Err(error) => tracing::debug!(%error, "our own pod cannot be read yet"),
        }
        tokio::time::sleep(jittered(doubled(pause, tries, PAUSE_MAX))).await;
        tries = tries.saturating_add(1);
    }
}

/// Whether the API server has understood and will say the same again; 429 is "later".
fn is_refusal(status: &Status) -> bool {
    (400..500).contains(&status.code) && status.code != 429
}

fn remedy(refusal: &Status) -> &'static str {
    match refusal.code {
        404 => "see whether --pod-name and --pod-namespace name this pod",
        _ => "give our ServiceAccount the Role in deploy/base, or leave out --pod-name",
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;

    const NO_PAUSE: Duration = Duration::ZERO;

    /// Pods of an API server that gives these answers, and then the last one for ever.
    fn pods(answers: Vec<(u16, Value)>) -> Api<Pod> {
        let asked = AtomicUsize::new(0);
        let answer = move |_: Request<Body>| {
            let (code, body) = &answers[asked.fetch_add(1, Relaxed).min(answers.len() - 1)];
            let answer = Response::builder().status(*code).body(Body::from(body.to_string().into_bytes()));
            std::future::ready(Ok::<_, Infallible>(answer.unwrap()))
        };
        Api::namespaced(Client::new(tower::service_fn(answer), "ours"), "ours")
    }

    fn refusal(code: u16) -> (u16, Value) {
        (
            code,
            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "no", "code": code}),
        )
    }

    #[tokio::test]
    async fn an_api_server_that_is_away_at_the_start_is_asked_again() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "us"}});
        let pods = pods(vec![refusal(503), refusal(429), (200, pod)]);
        assert_eq!(read(&pods, "us", NO_PAUSE).await.unwrap().metadata.name.as_deref(), Some("us"));
    }

    #[tokio::test]
    async fn a_refusal_is_told_with_its_way_out() {
        for (code, way_out) in [(403, "Role in deploy/base"), (404, "--pod-name and --pod-namespace")] {
            let status = read(&pods(vec![refusal(code)]), "us", NO_PAUSE).await.unwrap_err();
            assert!(remedy(&status).contains(way_out), "{code}");
        }
    }
}
