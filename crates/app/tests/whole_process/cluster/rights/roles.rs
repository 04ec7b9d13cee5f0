//! The roles in `deploy` beside what is asked of the API server.

use std::collections::BTreeSet;

use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use serde_json::json;

use super::{IN_HASTE, deployed};
use crate::support::{FakeApi, Gate, eventually, program};

/// What the rules of a role allow, as verbs and resources.
fn allowed(role: &str) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for document in role.split("\n---\n").filter(|document| document.contains("\nrules:")) {
        // Roles have the same rules as those of the cluster.
        let role: ClusterRole =
            serde_saphyr::from_str(&document.replace("kind: Role\n", "kind: ClusterRole\n")).unwrap();
        for PolicyRule { verbs, resources, .. } in role.rules.unwrap() {
            let of = |resource: &String| {
                verbs.iter().map(|verb| (verb.clone(), resource.clone())).collect::<Vec<_>>()
            };
            all.extend(resources.iter().flatten().flat_map(of));
        }
    }
    all
}

#[test]
fn what_is_asked_of_the_api_server_is_what_the_roles_allow() {
    let base = allowed(&deployed("base/rbac.yaml"));
    let overlay = allowed(&deployed("secret-watch/rbac.yaml"));
    for (may_watch, roles) in [(false, base.clone()), (true, base.union(&overlay).cloned().collect())] {
        let api = FakeApi::start();
        api.let_watch_secrets(may_watch);
        let tls = json!([{"secretName": "web"}]);
        let spec = json!({"ingressClassName": "sluicegate", "tls": tls, "rules": [{"host": "a.example"}]});
        api.put("ingresses", json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": spec}));
        api.put("secrets", json!({"metadata": {"name": "web", "namespace": "shop"}, "data": {}}));
        let mut command =
            program(&["run", "--node-name", "node-1", "--publish-address", "192.0.2.10", "--kubeconfig"]);
        let gate = Gate::run(command.arg(api.kubeconfig()).args(IN_HASTE)).ready();
        let verb = if may_watch { "watch" } else { "get" };
        let asked = || -> BTreeSet<(String, String)> {
            let review = |ask: &(String, String)| ask.1 == "selfsubjectaccessreviews";
            // A process without the right to ask for its rights has no right to watch Secrets either.
            api.all_asked().iter().map(|ask| ask.in_words_of_a_role()).filter(|ask| !review(ask)).collect()
        };
        for ask in [(verb, "secrets"), ("watch", "nodes"), ("watch", "ingresses"), ("get", "leases")] {
            eventually(&format!("{ask:?}"), || asked().contains(&(ask.0.into(), ask.1.into())).then_some(()));
        }
        api.delete("secrets", "shop", "web");
        gate.tells("dangling-reference", "shop/web");
        let asked = asked();
        assert!(asked.is_subset(&roles), "{:?}", asked.difference(&roles));
        let of_secrets = |all: &BTreeSet<(String, String)>| -> Vec<(String, String)> {
            all.iter().filter(|(_, resource)| resource == "secrets").cloned().collect()
        };
        assert_eq!(of_secrets(&asked), of_secrets(&roles), "no right that is not used");
    }
}
