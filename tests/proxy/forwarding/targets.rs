//! Methods and targets on their way to the upstream.

use system_tests::{Client, Sluice, Upstream};

use super::forwarded;

fn start_of(request_line: &str) -> String {
    forwarded(format!("{request_line}\r\nHost: host.test\r\n\r\n")).start
}

#[test]
fn a_target_reaches_the_upstream_byte_for_byte() {
    for target in [
        "/",
        "/a%2Fb%2fc",
        "//a///b//",
        "/CaSe/%7Etilde/~tilde",
        "/a;v=1/b;w=2,3",
        "/a%20b%0d%0ac",
        "/a...b/..c/.d/e..",
        "/%41",
        "/a:@!$&'()*+,=-._b",
        "/?",
        "/?a=b&c=%2F..%2e/../x?y=/./z",
        "/a?q=[1]|{2}^`'\\",
        "/%ff%C0%AF",
        // Slashes and dot segments count for finding the route, and for nothing else.
        "/a/../b",
        "/a/./b/.",
        "/a/%2e%2E/b",
        "/a/b/..",
        "/a//b/../c?d=/../e",
        "/A/%2e/b%2Fc;d?",
        "//",
        "/%2F/.",
    ] {
        assert_eq!(start_of(&format!("GET {target} HTTP/1.1")), format!("GET {target} HTTP/1.1"));
    }
}

#[test]
fn a_path_that_leads_above_the_root_or_could_lead_to_two_places_is_refused() {
    let sluice = Sluice::start(&[Upstream::refusing()]);
    for path in
        ["/..", "/../etc", "/a/../../b", "/%2e%2e/a", "/a//../b", "/a/..%2fb", "/a%2fb/../c", "/a/..;/b"]
    {
        let answer = Client::connect(sluice.address).get(path);
        assert_eq!(answer.status(), 400, "{path}");
    }
}

#[test]
fn an_absolute_target_becomes_a_path() {
    for (came, went) in [
        ("http://host.test/a%2Fb?c", "/a%2Fb?c"),
        ("http://host.test", "/"),
        ("HTTP://HOST.test?q", "/?q"),
        ("https://host.test/x/../y", "/x/../y"),
    ] {
        assert_eq!(start_of(&format!("GET {came} HTTP/1.1")), format!("GET {went} HTTP/1.1"));
    }
}

#[test]
fn options_of_the_whole_server_stay_that() {
    assert_eq!(start_of("OPTIONS * HTTP/1.1"), "OPTIONS * HTTP/1.1");
    assert_eq!(start_of("OPTIONS /a HTTP/1.1"), "OPTIONS /a HTTP/1.1");
}

#[test]
fn methods_reach_the_upstream_as_they_are_written() {
    for method in ["DELETE", "PATCH", "PROPFIND", "M-SEARCH", "get", "X!#$%&'*+-.^_`|~9"] {
        assert_eq!(start_of(&format!("{method} / HTTP/1.1")), format!("{method} / HTTP/1.1"));
    }
}

#[test]
fn an_upstream_is_always_spoken_to_in_http_11() {
    let seen = forwarded("GET /a HTTP/1.0\r\n\r\n");
    assert_eq!(seen.start, "GET /a HTTP/1.1");
    assert!(seen.field("host").is_some(), "HTTP/1.1 wants a host: {seen:?}");
}
