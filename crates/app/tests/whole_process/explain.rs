//! `sluicegate explain`.

use std::path::Path;

use serde_json::Value;

use crate::support::{Folder, ingress, output, program, service};

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
    assert_eq!(shown["request"]["forwarded"], "/%63heckout");
    assert_eq!(shown["request"]["matched"], "/checkout");
    let (_, shown) = explain(&["shop.example.com/{caf\u{e9}}?q=\"x\""]);
    assert!(shown.lines().any(|line| line == "forwarded: /%7Bcaf%C3%A9%7D?q=%22x%22"), "{shown}");
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
fn what_is_no_request_at_all_is_a_usage_error() {
    assert_eq!(explain(&["ftp://shop.example.com/"]).0, 2);
    let folder = Folder::new(&[]);
    assert_eq!(explain_in(&folder.beside("nothing"), &["a.example.com/"]).0, 2);
}
