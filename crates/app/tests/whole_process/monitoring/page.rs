//! The live page, in a browser without a window.

use std::process::Command;

use crate::support::{Client, Folder, Gate, Upstream, ingress, output, service, slice};

/// What the browser has made of the page after it has asked the gate some times, and what it had to complain of.
fn shown(gate: &Gate, part: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = Command::new("chromium");
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]);
    // Of the browser's own time, which stands still while it waits for an answer.
    browser.arg("--virtual-time-budget=7000");
    browser.arg(format!("--user-data-dir={}", folder.path().display()));
    let out = output(browser.arg(format!("http://{}/{part}", gate.admin)));
    let complaints = String::from_utf8_lossy(&out.stderr).into_owned();
    let complaints =
        complaints.lines().filter(|line| line.contains("CONSOLE")).collect::<Vec<_>>().join("\n");
    (String::from_utf8_lossy(&out.stdout).into_owned(), complaints)
}

fn gate() -> (Gate, Upstream, Folder) {
    let upstream = Upstream::start("web");
    let folder = Folder::new(&[
        (
            "web.yaml",
            [ingress("web", "web.test", "/", "web"), service("web"), slice("web", upstream.address, true)]
                .join("---\n"),
        ),
        (
            "dead.yaml",
            [
                ingress("dead", "dead.test", "/", "dead"),
                service("dead"),
                slice("dead", upstream.address, false),
            ]
            .join("---\n"),
        ),
        ("bad.yaml", ingress("bad", "bad host", "/", "web")),
    ]);
    let gate = Gate::start(&folder, &[]);
    (gate, upstream, folder)
}

#[test]
fn the_page_says_first_what_is_wrong_and_has_nothing_that_its_own_policy_forbids() {
    let (gate, _upstream, _folder) = gate();
    assert_eq!(Client::connect(gate.http).get("dead.test", "/").status, 503);
    let (page, complaints) = shown(&gate, "");
    assert_eq!(complaints, "");
    assert!(page.contains(">Worth a look</h2>") || page.contains(">Something is wrong</h2>"), "{page}");
    assert!(page.contains("no endpoint") && page.contains("shop/dead:80"), "{page}");
    assert!(page.contains("1 problem in manifests"), "{page}");
    let (dead, web) = (page.find(">shop/dead:80<").unwrap(), page.find(">shop/web:80<").unwrap());
    assert!(dead < web, "what is wrong comes first");
}

#[test]
fn a_link_leads_to_the_routes_and_to_the_explanation_of_a_url() {
    let (gate, _upstream, _folder) = gate();
    let (page, complaints) = shown(&gate, "#routes");
    assert_eq!(complaints, "");
    assert!(page.contains(">web.test<") && page.contains("shop/web spec.rules[0]"), "{page}");
    let (page, _) = shown(&gate, "#explain?url=http://web.test/cart");
    assert!(page.contains("route:     shop/web spec.rules[0].http.paths[0]: web.test Prefix /"), "{page}");
}
