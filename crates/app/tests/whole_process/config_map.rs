//! The ConfigMap of ingress-nginx, and those that it and Ingresses name.

use serde_json::{Value, json};

use crate::support::{Client, FakeApi, Folder, Gate, Upstream, eventually, ingress, program, service, slice};

const HOST: &str = "web.example";

fn settings(data: &str) -> String {
    format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: settings}}, data: {{{data}}}}}")
}

/// Asks on this connection until the answer is the one that is meant; the connection is never closed.
fn comes_to(client: &mut Client, status: u16, text: &str) {
    eventually(&format!("{status} {text}"), || {
        let answer = client.get(HOST, "/");
        assert!(!answer.closes(), "{}", answer.head);
        (answer.status == status && (answer.body.contains(text) || answer.head.contains(text))).then_some(())
    });
}

#[test]
fn an_edit_of_the_config_map_is_live_and_no_connection_is_closed() {
    let upstream = Upstream::start("one");
    let folder = Folder::new(&[
        ("web.yaml", ingress("web", HOST, "/", "web")),
        ("service.yaml", service("web")),
        ("slice.yaml", slice("web", upstream.address, true)),
        ("settings.yaml", settings("")),
    ]);
    let gate = Gate::start(&folder, &["--profile", "ingress-nginx", "--configmap", "default/settings"]);
    let mut client = gate.client();
    comes_to(&mut client, 200, "one");
    folder.write("settings.yaml", &settings("whitelist-source-range: 192.0.2.0/24"));
    comes_to(&mut client, 403, "address");
    folder.write("settings.yaml", &settings("add-headers: default/fields, no-such-key: a"));
    comes_to(&mut client, 200, "one");
    gate.tells("unsupported-setting", "no-such-key");
    let fields = "{apiVersion: v1, kind: ConfigMap, metadata: {name: fields}, data: {X-Team: shop}}";
    folder.write("fields.yaml", fields);
    comes_to(&mut client, 200, "x-team: shop");
    folder.remove("settings.yaml");
    gate.tells("dangling-reference", "so the defaults of ingress-nginx hold");
    comes_to(&mut client, 200, "one");
}

fn object(name: &str, more: Value) -> Value {
    let mut object = json!({"metadata": {"name": name, "namespace": "shop"}});
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

#[test]
fn of_a_clusters_config_maps_those_are_followed_that_are_named_and_no_others() {
    let api = FakeApi::start();
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    let rules =
        json!([{"host": HOST, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]);
    let mut web = object("web", json!({"spec": {"ingressClassName": "sluicegate", "rules": rules}}));
    web["metadata"]["annotations"] = json!({"nginx.ingress.kubernetes.io/custom-headers": "shop/fields"});
    api.put("ingresses", web);
    api.put("configmaps", object("settings", json!({"data": {"global-allowed-response-headers": "X-Team"}})));
    let mut command = program(&["run", "--configmap", "shop/settings", "--kubeconfig"]);
    let gate = Gate::run(command.arg(api.kubeconfig())).ready();
    let mut client = gate.client();
    comes_to(&mut client, 503, "denied");
    api.put("configmaps", object("fields", json!({"data": {"X-Team": "shop"}})));
    comes_to(&mut client, 503, "endpoint");
    api.put(
        "configmaps",
        object(
            "settings",
            json!({"data": {
                "global-allowed-response-headers": "X-Team", "denylist-source-range": "127.0.0.0/8"
            }}),
        ),
    );
    comes_to(&mut client, 403, "address");
    api.put("configmaps", object("settings", json!({"data": {}})));
    comes_to(&mut client, 503, "denied");
    let mut asked: Vec<_> = api.all_asked().iter().map(|ask| ask.in_words_of_a_role()).collect();
    asked.retain(|(_, resource)| resource == "configmaps");
    asked.sort();
    asked.dedup();
    assert_eq!(asked, [("get".into(), "configmaps".into()), ("watch".into(), "configmaps".into())]);
}
