//! Whether Secrets may be watched, or only read: asked of the API server, for that is given and taken while we run.
//!
//! To try it would do too, but each refusal is a line in an audit log that is read for signs of theft.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::means::MayWatch;
use super::{ASK_TIME_MAX, around};
use crate::cluster::{Backoff, error};

/// How often it is asked whether watching is allowed now.
const REVIEW_EVERY: Duration = Duration::from_secs(30);

/// Asks for all namespaces together, or for each on its own.
pub(super) struct Rights {
    client: Client,
    each_namespace: bool,
    /// By namespace; under nothing all of them.
    asked: BTreeMap<Option<String>, MayWatch>,
    tasks: JoinSet<()>,
}

impl Rights {
    pub(super) fn new(client: Client, each_namespace: bool) -> Rights {
        let mut rights = Rights { client, each_namespace, asked: BTreeMap::new(), tasks: JoinSet::new() };
        if !each_namespace {
            // The answer is there when the first Secret is wanted.
            rights.of("");
        }
        rights
    }

    /// Whether the Secrets of this namespace may be watched.
    pub(super) fn of(&mut self, namespace: &str) -> MayWatch {
        let scope = self.each_namespace.then(|| namespace.to_owned());
        let (client, tasks) = (&self.client, &mut self.tasks);
        let ask = || {
            let (said, may_watch) = watch::channel(None);
            tasks.spawn(review(client.clone(), scope.clone(), said));
            may_watch
        };
        self.asked.entry(scope.clone()).or_insert_with(ask).clone()
    }
}

/// Asks until dropped.
async fn review(client: Client, namespace: Option<String>, said: watch::Sender<Option<bool>>) {
    let api = Api::<SelfSubjectAccessReview>::all(client);
    let (params, question) = (PostParams::default(), question(namespace.clone()));
    let mut backoff = Backoff::default();
    loop {
        let asked = api.create(&params, &question);
        let allowed = match tokio::time::timeout(ASK_TIME_MAX, asked).await {
            Ok(Ok(review)) => Some(review.status.is_some_and(|status| status.allowed)),
            Ok(Err(error)) if error::is_refused(&error) => Some(false),
            // What was known before is as likely as anything.
            Ok(Err(error)) => {
                tracing::debug!("whether Secrets may be watched is not known: {}", error::text(&error));
                None
            }
            Err(_) => None,
        };
        let pause = match allowed {
            Some(allowed) => {
                backoff.reset();
                learn(&said, allowed, namespace.as_deref());
                around(REVIEW_EVERY)
            }
            None => backoff.next(),
        };
        tokio::time::sleep(pause).await;
    }
}

fn learn(said: &watch::Sender<Option<bool>>, allowed: bool, namespace: Option<&str>) {
    if !said.send_if_modified(|last| last.replace(allowed) != Some(allowed)) {
        return;
    }
    let of = namespace.map(|namespace| format!(" of namespace {namespace}")).unwrap_or_default();
    match allowed {
        true => tracing::info!("the Secrets{of} may be watched: a change of one is live at once"),
        false => tracing::info!(
            "the Secrets{of} may only be read by name: each is read again every --secret-read-interval; with \
             deploy/secret-watch a change of one is live at once"
        ),
    }
}

fn question(namespace: Option<String>) -> SelfSubjectAccessReview {
    let attributes = ResourceAttributes {
        verb: Some("watch".into()),
        resource: Some("secrets".into()),
        namespace,
        ..ResourceAttributes::default()
    };
    let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
    SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() }
}
