//! What one pass over a folder makes of what it finds: `sluicegate check` and `explain`.

use std::fs;

use compile::{Compiled, Settings};
use controller::Once;
use model::Problem;
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a sub-folder");
        fs::write(path, text).expect("a file");
    }
    dir
}

fn read(dir: &TempDir) -> Compiled {
    Once::of_manifests(dir.path()).expect("the folder can be read").compile(&Settings::default())
}

fn hosts(compiled: &Compiled) -> Vec<String> {
    compiled.table.routes().iter().map(|route| route.host.to_string()).collect()
}

/// The problems of this reason, with the folder's name cut off.
fn told(dir: &TempDir, compiled: &Compiled, reason: &str) -> Vec<String> {
    let shown = |problem: &Problem| problem.to_string().replace(&format!("{}/", dir.path().display()), "");
    compiled.problems.iter().filter(|problem| problem.reason == reason).map(shown).collect()
}

fn ingress(name: &str, host: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}, namespace: shop}}
spec:
  ingressClassName: sluicegate
  rules:
  - host: {host}
    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}]}}
"
    )
}

#[test]
fn documents_lists_json_and_sub_folders_are_all_read() {
    let json = r#"{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "j", "namespace": "shop"},
	"spec": {"ingressClassName": "sluicegate", "rules": [{"host": "json.test", "http": {"paths": [
	{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}}"#;
    let item = |name: &str, host: &str| ingress(name, host).replace('\n', "\n  ").trim_end().to_owned();
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {}\n", item("l", "list.test"));
    let untyped =
        item("t", "typed-list.test").replace("apiVersion: networking.k8s.io/v1\n  kind: Ingress\n  ", "");
    let typed_list = format!("apiVersion: networking.k8s.io/v1\nkind: IngressList\nitems:\n- {untyped}\n");
    let dir = folder(&[
        (
            "many.yaml",
            &format!("---\n{}---\n# nothing\n---\n{}", ingress("a", "a.test"), ingress("b", "b.test")),
        ),
        ("one.json", json),
        ("deep/er/list.yml", &list),
        ("typed.yaml", &typed_list),
        ("notes.txt", "not: a: manifest"),
        (".hidden.yaml", "not: a: manifest"),
        (".git/config.yaml", "not: a: manifest"),
    ]);
    let compiled = read(&dir);
    let mut hosts = hosts(&compiled);
    hosts.sort();
    assert_eq!(
        hosts,
        ["a.test", "b.test", "json.test", "list.test", "typed-list.test"],
        "{:?}",
        compiled.problems
    );
    for reason in controller::reasons::ALL {
        assert_eq!(told(&dir, &compiled, reason), Vec::<String>::new());
    }
}

#[test]
fn a_wrong_type_names_file_object_field_and_remedy_and_the_rest_is_served() {
    let wrong = ingress("bad", "bad.test").replace("number: 80", "number: http");
    let dir = folder(&[("web.yaml", &format!("{wrong}---\n{}", ingress("good", "good.test")))]);
    let compiled = read(&dir);
    assert_eq!(hosts(&compiled), ["good.test"]);
    assert_eq!(
        told(&dir, &compiled, "invalid-value"),
        ["error: web.yaml: Ingress shop/bad: spec.rules[0].http.paths[0].backend.service.port.number: \
          invalid type: string \"http\", expected i32 [invalid-value]; \
          write the field as networking.k8s.io/v1 Ingress defines it"]
    );
}

#[test]
fn a_wrong_type_in_a_list_names_the_item() {
    let item = ingress("bad", "bad.test").replace("number: 80", "number: http").replace('\n', "\n  ");
    let dir =
        folder(&[("list.yaml", &format!("apiVersion: v1\nkind: List\nitems:\n- {}\n", item.trim_end()))]);
    let problems = told(&dir, &read(&dir), "invalid-value");
    assert!(
        problems[0].contains(": items[0].spec.rules[0].http.paths[0].backend.service.port.number: "),
        "{problems:?}"
    );
}

#[test]
fn a_syntax_error_names_file_and_line_and_other_files_are_served() {
    let dir = folder(&[
        ("broken.yaml", &ingress("b", "b.test").replace("  rules:", " rules:\n  - ]")),
        ("broken.json", "{\"apiVersion\": \"v1\",\n \"kind\": ]"),
        ("good.yaml", &ingress("good", "good.test")),
    ]);
    let compiled = read(&dir);
    assert_eq!(hosts(&compiled), ["good.test"]);
    let problems = told(&dir, &compiled, "invalid-syntax");
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0].starts_with("error: broken.json: ") && problems[0].contains("line 2 column 10"),
        "{problems:?}"
    );
    assert!(
        problems[1].starts_with("error: broken.yaml: ") && problems[1].contains("line 6"),
        "{problems:?}"
    );
}

#[test]
fn of_two_files_with_the_same_object_the_first_is_served_and_the_problem_names_both() {
    let dir = folder(&[("a.yaml", &ingress("web", "a.test")), ("b.yaml", &ingress("web", "b.test"))]);
    let compiled = read(&dir);
    assert_eq!(hosts(&compiled), ["a.test"]);
    let problems = told(&dir, &compiled, "duplicate-object");
    assert!(
        problems[0].starts_with("error: b.yaml: Ingress shop/web: a.yaml has the same object"),
        "{problems:?}"
    );
}

#[test]
fn an_object_twice_in_one_file_is_served_once() {
    let dir =
        folder(&[("a.yaml", &format!("{}---\n{}", ingress("web", "a.test"), ingress("web", "b.test")))]);
    let compiled = read(&dir);
    assert_eq!(hosts(&compiled), ["a.test"]);
    let problems = told(&dir, &compiled, "duplicate-object");
    assert!(
        problems[0].starts_with("error: a.yaml: Ingress shop/web: the file has the same object"),
        "{problems:?}"
    );
}

#[test]
fn an_old_version_says_how_to_write_it_and_kinds_of_others_are_ignored() {
    let old = |version: &str| ingress("old", "old.test").replace("networking.k8s.io/v1", version);
    let dir = folder(&[
        ("a.yaml", &old("extensions/v1beta1")),
        ("b.yaml", &old("networking.k8s.io/v1beta1")),
        ("c.yaml", &old("config.openshift.io/v1")),
        ("d.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n"),
        ("e.yaml", "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: e}\n"),
    ]);
    let compiled = read(&dir);
    let problems: Vec<String> = compiled.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems.iter().all(|problem| problem.ends_with("write it as networking.k8s.io/v1")),
        "{problems:?}"
    );
}

#[test]
fn an_object_without_a_name_or_a_kind_is_a_problem() {
    let dir = folder(&[
        ("a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {namespace: shop}\n"),
        ("b.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: 5}\n"),
        ("c.yaml", "metadata: {name: web}\n"),
        ("d.yaml", "just a word\n"),
    ]);
    let compiled = read(&dir);
    let fields: Vec<_> = compiled.problems.iter().map(|p| (p.reason, p.field.as_str())).collect();
    let expected = [
        ("missing-name", "metadata.name"),
        ("invalid-value", "metadata.name"),
        ("not-an-object", ""),
        ("not-an-object", ""),
    ];
    let mut sorted = fields.clone();
    sorted.sort_by_key(|field| expected.iter().position(|known| known == field));
    assert_eq!(sorted, expected, "{:?}", compiled.problems);
}

#[test]
fn a_missing_namespace_is_default_and_a_problem_of_compile_names_the_file() {
    let dir = folder(&[("sub/web.yaml", &ingress("web", "a.test").replace(", namespace: shop", ""))]);
    let problems = told(&dir, &read(&dir), "dangling-reference");
    assert!(problems[0].contains(": sub/web.yaml: Ingress default/web: "), "{problems:?}");
}

#[test]
fn a_file_that_grows_without_end_through_aliases_is_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let alias = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(", ")));
    }
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let dir = folder(&[
        ("bomb.yaml", &bomb),
        ("deep.yaml", &deep),
        ("deep.json", &deep),
        ("large.yaml", &format!("# {}\n", "x".repeat(17 * 1024 * 1024))),
        ("good.yaml", &ingress("good", "good.test")),
    ]);
    let compiled = read(&dir);
    assert_eq!(hosts(&compiled), ["good.test"]);
    assert_eq!(told(&dir, &compiled, "invalid-syntax").len(), 3, "{:?}", compiled.problems);
    assert_eq!(told(&dir, &compiled, "limit-exceeded").len(), 1, "{:?}", compiled.problems);
}

#[test]
fn a_folder_that_does_not_exist_is_an_error_that_names_it() {
    let error = Once::of_manifests("/nowhere/at/all".as_ref()).expect_err("no such folder");
    assert!(error.to_string().starts_with("cannot read the manifests in /nowhere/at/all: "), "{error}");
}

#[test]
fn what_is_wrong_with_a_certificate_names_file_secret_field_and_remedy() {
    let tls = "  tls: [{hosts: [a.test], secretName: s}]\n  rules:\n";
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\n\
                  stringData: {tls.crt: nothing, tls.key: nothing}\n";
    let dir =
        folder(&[("web.yaml", &ingress("web", "a.test").replace("  rules:\n", tls)), ("s.yaml", secret)]);
    assert_eq!(
        told(&dir, &read(&dir), "invalid-certificate"),
        ["error: s.yaml: Secret shop/s: data[tls.crt]: has no certificate in it [invalid-certificate]; \
          give the certificate and then its intermediates as PEM (BEGIN CERTIFICATE)"]
    );
}

#[test]
fn what_is_wrong_with_the_authorities_of_endpoints_is_told_too() {
    let named = "namespace: shop, annotations: {sluicegate.io/backend-tls-secret: s}}";
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\n\
                  stringData: {ca.crt: nothing}\n";
    let ingress = ingress("web", "a.test").replace("namespace: shop}", named);
    let dir = folder(&[("web.yaml", &ingress), ("s.yaml", secret)]);
    assert_eq!(
        told(&dir, &read(&dir), "invalid-certificate"),
        ["error: s.yaml: Secret shop/s: data[ca.crt]: has no CA certificate in it \
          [invalid-certificate]; give the certificates of the CAs that issue those to be verified as PEM (BEGIN \
          CERTIFICATE)"]
    );
}
