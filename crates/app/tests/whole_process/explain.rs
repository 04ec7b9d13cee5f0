//! `sluicegate explain`.

use std::path::Path;

use serde_json::Value;

use crate::support::{Folder, Gate, Upstream, ingress, output, program, service, slice};

/// Exit code and output for the shop of the examples.
fn explain(request: &[&str]) -> (i32, String) {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/examples/shop");
    explain_in(&examples, request)
}

fn explain_in(folder: &Path, request: &[&str]) -> (i32, String) {
    let output = output(program(&["explain", "--manifests"]).arg(folder).args(request));
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_winner_its_endpoints_and_every_loser_with_its_reason_are_told() {
    let (code, shown) = explain(&["http://shop.example.com/cart/items?page=2"]);
    assert_eq!(code, 0, "{shown}");
    for line in [
        "route:     shop/shop spec.rules[0].http.paths[1]: shop.example.com Prefix /cart",
        "  127.0.0.1:9003 ready: takes requests",
        "  shop/shop spec.rules[0].http.paths[0]: shop.example.com Prefix / (matches, but a rule with a longer path does too)",
        "forwarded: /cart/items?page=2",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\nis not in\n{shown}");
    }
}

#[test]
fn the_normal_form_of_the_path_decides_and_is_shown() {
    let (code, shown) = explain(&["POST", "shop.example.com/x/../%63heckout", "--format", "json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((code, &shown["route"]["pathType"]), (0, &"Exact".into()), "{shown}");
    assert_eq!(shown["request"]["forwarded"], "/x/../%63heckout");
    assert_eq!(shown["request"]["matched"], "/checkout");
    assert_eq!(shown["rulesOf"], "shop.example.com");
    let (_, shown) = explain(&["shop.example.com/{caf\u{e9}}?q=\"x\""]);
    assert!(shown.lines().any(|line| line == "forwarded: /%7Bcaf%C3%A9%7D?q=%22x%22"), "{shown}");
}

#[test]
fn the_host_is_chosen_first_and_what_that_passes_over_is_told() {
    let folder = Folder::new(&[
        ("exact.yaml", ingress("exact", "a.example.com", "/x", "web")),
        ("wild.yaml", ingress("wild", "'*.example.com'", "/", "web")),
    ]);
    let (code, shown) = explain_in(&folder.path(), &["a.example.com//y"]);
    assert_eq!(code, 1, "{shown}");
    for line in [
        "host:      a.example.com",
        "rules of:  a.example.com",
        "matched:   /y",
        "forwarded: //y",
        "  shop/wild spec.rules[0].http.paths[0]: *.example.com Prefix / (is passed over: the rules of a more specific host decide alone)",
        "  shop/exact spec.rules[0].http.paths[0]: a.example.com Prefix /x (is for this host, but its path does not match)",
        "answer:    404, no rule of a.example.com matches the path, and there is no default backend",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\nis not in\n{shown}");
    }
}

#[test]
fn the_live_process_does_what_explain_says() {
    let (exact, wild) = (Upstream::start("exact"), Upstream::start("wild"));
    let folder = Folder::new(&[
        ("exact.yaml", ingress("exact", "a.example.com", "/app", "exact")),
        ("wild.yaml", ingress("wild", "'*.example.com'", "/", "wild")),
        ("services.yaml", format!("{}---\n{}", service("exact"), service("wild"))),
        ("exact-slice.yaml", slice("exact", exact.address, true)),
        ("wild-slice.yaml", slice("wild", wild.address, true)),
    ]);
    let gate = Gate::start(&folder, &[]);
    let hosts =
        ["a.example.com", "A.Example.com.:8080", "b.example.com", "b.a.example.com", "a..example.com"];
    let of_hosts = hosts.map(|host| (host, "/app/x"));
    let of_paths = [
        "//app",
        "/app%2Fx",
        "/%61pp",
        "/x/../app",
        "/other",
        "/apple",
        "/..",
        "/a//../app",
        "/app/..%2fx",
        "/%00",
        "/%zz",
        "/app?q=/..",
    ];
    let of_paths = of_paths.map(|path| ("a.example.com", path));
    for (host, path) in of_hosts.into_iter().chain(of_paths) {
        let live = gate.client().get(host, path);
        let (_, shown) = explain_in(&folder.path(), &[&format!("{host}{path}"), "--format", "json"]);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        let said = shown["status"].as_u64().map_or(200, |status| u16::try_from(status).unwrap());
        assert_eq!(live.status, said, "{host}{path}: {shown}");
        let service = shown["route"]["backend"]["service"].as_str();
        assert!(said != 200 || service == Some(&live.body), "{host}{path}: {} {shown}", live.body);
    }
}

#[test]
fn a_host_of_patterns_is_told_with_what_asked_for_it_and_the_target_that_endpoints_get() {
    let annotated = ingress("api", "a.example.com", "'/api(/|$)(.*)'", "api").replace(
        "metadata: {",
        "metadata: {annotations: {nginx.ingress.kubernetes.io/rewrite-target: /$2}, ",
    );
    let folder = Folder::new(&[("api.yaml", annotated), ("service.yaml", service("api"))]);
    let (_, shown) = explain_in(&folder.path(), &["a.example.com/API/x%20y?q=1"]);
    let patterns = "patterns:  all paths of this host are regular expressions, because of Ingress shop/api";
    let rewrite = "  rewrite: /$2 (Ingress shop/api nginx.ingress.kubernetes.io/rewrite-target)";
    for line in [patterns, "forwarded: /x%20y?q=1", rewrite] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\nis not in\n{shown}");
    }
}

#[test]
fn a_host_field_goes_before_the_host_of_the_url() {
    let (_, shown) = explain(&["http://127.0.0.1:8080/", "--header", "Host: SALE.example.com:80"]);
    assert!(shown.contains("route:     shop/sale "), "{shown}");
}

#[test]
fn a_request_that_would_be_refused_is_told_why() {
    for (request, status) in [
        (&["http://shop.example.com/%zz"][..], "400"),
        (&["http://user@shop.example.com/"], "400"),
        (&["shop.example.com/a#b"], "400"),
        (&["TRACE", "shop.example.com/"], "405"),
    ] {
        let (code, shown) = explain(request);
        assert!(
            code == 1 && shown.starts_with(&format!("refused: {status}, ")),
            "{request:?}: {code} {shown}"
        );
    }
}

#[test]
fn an_unknown_host_is_404_and_a_backend_without_endpoints_503() {
    let folder =
        Folder::new(&[("web.yaml", ingress("web", "a.example.com", "/", "web")), ("s.yaml", service("web"))]);
    let (code, shown) = explain_in(&folder.path(), &["b.example.com/"]);
    assert!(code == 1 && shown.contains("answer:    404"), "{shown}");
    let (code, shown) = explain_in(&folder.path(), &["a.example.com/"]);
    assert!(code == 1 && shown.contains("answer:    503, no-endpoint"), "{shown}");
}

#[test]
fn a_route_whose_guard_cannot_be_honoured_refuses_though_its_endpoints_are_ready() {
    let guard = "metadata: { annotations: { nginx.ingress.kubernetes.io/enable-modsecurity: \"true\" }, ";
    let guarded = ingress("web", "a.example.com", "/", "web").replacen("metadata: { ", guard, 1);
    let slice = slice("web", "127.0.0.1:9001".parse().unwrap(), true);
    let folder = Folder::new(&[("web.yaml", guarded), ("s.yaml", service("web")), ("e.yaml", slice)]);
    let (code, shown) = explain_in(&folder.path(), &["a.example.com/"]);
    let told = shown.contains(
        "filters:\n  deny, answers 503 to all (Ingress shop/web nginx.ingress.kubernetes.io/enable-modsecurity)\n",
    ) && shown.contains("answer:    503, denied: ");
    assert!(code == 1 && told, "{shown}");
    let (code, shown) = explain_in(&folder.path(), &["a.example.com/", "--format", "json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let route = &shown["route"];
    assert_eq!((code, &shown["status"], &route["selection"]), (1, &503.into(), &"refused".into()), "{shown}");
    assert_eq!(route["policy"]["filters"][0], "deny");
}

#[test]
fn a_route_for_clients_of_some_addresses_says_so() {
    let guard = "metadata: { annotations: { sluicegate.io/allow-addresses: 192.0.2.0/24 }, ";
    let guarded = ingress("web", "a.example.com", "/", "web").replacen("metadata: { ", guard, 1);
    let slice = slice("web", "127.0.0.1:9001".parse().unwrap(), true);
    let folder = Folder::new(&[("web.yaml", guarded), ("s.yaml", service("web")), ("e.yaml", slice)]);
    let (code, shown) = explain_in(&folder.path(), &["a.example.com/"]);
    let from = "answers 403 to clients of other addresses (Ingress shop/web sluicegate.io/allow-addresses)\n";
    let told = shown.contains("filters:\n  addresses: ") && shown.contains(from);
    assert!(code == 0 && told && shown.contains("if the client is let in"), "{shown}");
}

#[test]
fn each_filter_is_told_in_order_with_the_annotation_that_it_comes_from() {
    let said = "metadata: { annotations: { sluicegate.io/response-headers: set X-A: b, \
                nginx.ingress.kubernetes.io/force-ssl-redirect: \"true\", \
                nginx.ingress.kubernetes.io/denylist-source-range: 192.0.2.1, \
                nginx.ingress.kubernetes.io/proxy-read-timeout: \"5\" }, ";
    let said = said.replace("set X-A: b", "\"set X-A: b\"");
    let own = ingress("web", "a.example.com", "/", "web").replacen("metadata: { ", &said, 1);
    let slice = slice("web", "127.0.0.1:9001".parse().unwrap(), true);
    let folder = Folder::new(&[("web.yaml", own), ("s.yaml", service("web")), ("e.yaml", slice)]);
    let (code, shown) = explain_in(&folder.path(), &["https://a.example.com/", "--format", "json"]);
    let json: Value = serde_json::from_str(&shown).unwrap();
    let filters = json["filters"].as_array().unwrap();
    let found: Vec<_> = filters.iter().map(|filter| (&filter["filter"], &filter["from"])).collect();
    let from = |name: &str| serde_json::json!([format!("Ingress shop/web {name}")]);
    for (word, name) in [
        ("https-redirect", "nginx.ingress.kubernetes.io/force-ssl-redirect"),
        ("addresses", "nginx.ingress.kubernetes.io/denylist-source-range"),
        ("response-headers", "sluicegate.io/response-headers"),
    ] {
        assert!(found.contains(&(&word.into(), &from(name))), "{word}: {shown}");
    }
    assert_eq!(code, 0, "{shown}");
    let (code, shown) = explain_in(&folder.path(), &["http://a.example.com/"]);
    assert!(code == 1 && shown.contains("answer:    308, sent to the same place over https"), "{shown}");
}

#[test]
fn a_client_that_is_sent_to_the_path_with_a_slash_is_no_request_for_an_endpoint() {
    let annotated = "metadata: { annotations: { nginx.ingress.kubernetes.io/use-regex: \"false\" }, ";
    let ingress = ingress("web", "a.example.com", "/app/", "web").replacen("metadata: { ", annotated, 1);
    let slice = slice("web", "127.0.0.1:9001".parse().unwrap(), true);
    let folder = Folder::new(&[("web.yaml", ingress), ("s.yaml", service("web")), ("e.yaml", slice)]);
    let (code, shown) = explain_in(&folder.path(), &["http://a.example.com/app"]);
    assert!(code == 1 && shown.contains("answer:    301, sent to the same path with a slash"), "{shown}");
    let (code, shown) = explain_in(&folder.path(), &["http://a.example.com/app/x"]);
    assert_eq!(code, 0, "{shown}");
}

#[test]
fn a_route_with_times_and_attempts_of_its_own_says_so() {
    let said =
        "metadata: { annotations: { sluicegate.io/response-timeout: 300ms, sluicegate.io/attempts: \"1\" }, ";
    let own = ingress("web", "a.example.com", "/", "web").replacen("metadata: { ", said, 1);
    let slice = slice("web", "127.0.0.1:9001".parse().unwrap(), true);
    let folder = Folder::new(&[("web.yaml", own), ("s.yaml", service("web")), ("e.yaml", slice)]);
    let (code, shown) = explain_in(&folder.path(), &["a.example.com/"]);
    assert!(code == 0 && shown.contains("\ntimeouts:  response 300ms\nretry:     attempts 1\n"), "{shown}");
}

#[test]
fn what_is_no_request_at_all_is_a_usage_error() {
    assert_eq!(explain(&["ftp://shop.example.com/"]).0, 2);
    let folder = Folder::new(&[]);
    assert_eq!(explain_in(&folder.beside("nothing"), &["a.example.com/"]).0, 2);
}
