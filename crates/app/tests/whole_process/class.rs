//! Which Ingresses are ours, and that it is never silent that none is.

use crate::support::{Folder, Gate, Upstream, eventually, ingress, output, program, service, slice};

const INGRESS_NGINX: &str = "{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: nginx}, spec: \
                             {controller: k8s.io/ingress-nginx}}";

/// What is left of a cluster that had ingress-nginx.
fn folder(upstream: &Upstream) -> Folder {
    Folder::new(&[
        ("class.yaml", INGRESS_NGINX.to_owned()),
        ("web.yaml", ingress("web", "web.example", "/", "web").replace("sluicegate", "nginx")),
        ("service.yaml", service("web")),
        ("slice.yaml", slice("web", upstream.address, true)),
    ])
}

#[test]
fn a_class_that_is_asked_for_is_served_and_that_it_belongs_to_another_controller_is_told_once() {
    let upstream = Upstream::start("one");
    let folder = folder(&upstream);
    let gate = Gate::start(&folder, &["--class", "nginx"]);
    assert!(gate.gives("web.example", 200, "one"));
    let problems = gate.json("/problems")["problems"].as_array().unwrap().clone();
    let told: Vec<_> = problems.iter().map(|problem| (&problem["reason"], &problem["name"])).collect();
    assert_eq!(told, [(&"foreign-class".into(), &"nginx".into())], "{problems:?}");
    assert!(gate.json("/ready")["no_routes"].is_null());
    assert!(!gate.log().contains("no routes"), "{}", gate.log());
}

#[test]
fn without_being_asked_for_nothing_is_served_and_log_page_and_problem_say_why() {
    let upstream = Upstream::start("one");
    let folder = folder(&upstream);
    let gate = Gate::start(&folder, &[]);
    assert!(gate.gives("web.example", 404, ""));
    assert!(gate.has_problem("no-routes", "--class"));
    let (status, page) = gate.page("/ready");
    let why = "\\\"nginx\\\" (controller k8s.io/ingress-nginx, 1 Ingress)";
    assert_eq!((status, page.contains(why)), (200, true), "{page}");
    // Others' edits, that give the same reason, are no news.
    folder.write("service.yaml", &service("web").replace("http", "https"));
    folder.write("other.yaml", &ingress("other", "other.example", "/", "web").replace("sluicegate", "nginx"));
    eventually("two of another class", || gate.page("/ready").1.contains("2 Ingresses").then_some(()));
    assert_eq!(gate.log().matches("no routes: ").count(), 1, "{}", gate.log());
    assert_eq!(gate.log().matches("[no-routes]").count(), 1, "{}", gate.log());

    folder.write("ours.yaml", &ingress("ours", "ours.example", "/", "web"));
    eventually("no complaint", || gate.json("/ready")["no_routes"].is_null().then_some(()));
    gate.tells_no_more("no-routes", "");
    eventually("the log says so", || gate.log().contains("there are routes now").then_some(()));
}

#[test]
fn check_says_in_one_line_why_there_are_no_routes() {
    let upstream = Upstream::start("one");
    let folder = folder(&upstream);
    let check = |more: &[&str]| {
        let output = output(program(&["check"]).arg(folder.path()).args(more));
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = check(&[]);
    let lines = text.lines().filter(|line| line.starts_with("no routes: ")).collect::<Vec<_>>();
    assert_eq!((code, lines.len()), (Some(0), 1), "{text}");
    assert!(lines[0].contains("\"nginx\" (controller k8s.io/ingress-nginx, 1 Ingress)"), "{text}");
    let (_, json) = check(&["--format", "json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["no_routes"], lines[0]);
    let (code, text) = check(&["--class", "nginx"]);
    assert!(code == Some(0) && text.contains("routes: 1") && !text.contains("no routes"), "{text}");
}
