//! `sluicegate check`.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::{Folder, ingress, output, program, service, slice};

fn check(folder: &Path, more: &[&str]) -> Output {
    output(program(&["check"]).arg(folder).args(more))
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_example_has_no_problem() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/examples/shop");
    let output = check(&example, &["--strict"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("errors: 0, warnings: 0"), "{}", text(&output));
}

#[test]
fn an_error_fails_the_check_and_names_file_object_field_and_remedy() {
    let folder =
        Folder::new(&[("web.yaml", ingress("web", "a..b", "/", "web")), ("service.yaml", service("web"))]);
    let output = check(&folder.path(), &["--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let shown: Value = serde_json::from_str(&text(&output)).unwrap();
    let problems = shown["problems"].as_array().unwrap();
    let problem = problems.iter().find(|problem| problem["reason"] == "invalid-host").expect("a problem");
    assert_eq!((&problem["severity"], &problem["kind"]), (&"error".into(), &"Ingress".into()));
    assert_eq!((&problem["namespace"], &problem["name"]), (&"shop".into(), &"web".into()));
    assert!(problem["file"].as_str().unwrap().ends_with("web.yaml"), "{problem}");
    assert_eq!(problem["field"], "spec.rules[0].host");
    assert_ne!((&problem["message"], &problem["remedy"]), (&"".into(), &"".into()));
    let as_text = text(&check(&folder.path(), &[]));
    assert!(
        as_text.lines().any(|line| line.contains("web.yaml") && line.contains("spec.rules[0].host")),
        "{as_text}"
    );
}

#[test]
fn a_warning_fails_only_the_strict_check() {
    let second = ingress("web", "a.example.com", "/", "web")
        .replace("metadata: { ", "metadata: { annotations: { sluicegate.io/nonsense: x }, ");
    let address = "10.0.0.1:80".parse().unwrap();
    let folder = Folder::new(&[
        ("web.yaml", second),
        ("service.yaml", service("web")),
        ("s.yaml", slice("web", address, true)),
    ]);
    let lax = check(&folder.path(), &[]);
    assert!(text(&lax).contains("errors: 0, warnings: 1"), "{}", text(&lax));
    assert_eq!(lax.status.code(), Some(0));
    assert_eq!(check(&folder.path(), &["--strict"]).status.code(), Some(1));
}

#[test]
fn a_folder_that_cannot_be_read_is_told_apart_from_a_bad_one() {
    let folder = Folder::new(&[]);
    let output = check(&folder.beside("nothing"), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing"), "{output:?}");
}
