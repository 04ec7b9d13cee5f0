//! Fields that belong to one hop, fields that speak in our name, and all the others.

use proxy::Config;
use system_tests::{Client, Message, PATIENCE, Sluice, Upstream};

use super::{EMPTY, forwarded, relayed};

const GET: &str = "GET / HTTP/1.1\r\nHost: host.test\r\n\r\n";

fn with_fields(fields: &str) -> Message {
    forwarded(format!("GET / HTTP/1.1\r\nHost: host.test\r\n{fields}\r\n"))
}

/// Names of the fields that a request has besides those that we set.
fn names(message: &Message) -> Vec<&str> {
    let ours = ["host", "x-real-ip", "x-request-id", "forwarded"];
    let names = message.fields.iter().map(|(name, _)| name.as_str());
    names.filter(|name| !ours.contains(name) && !name.starts_with("x-forwarded-")).collect()
}

#[test]
fn fields_of_the_clients_hop_stay_there() {
    let seen = with_fields(
        "Connection: close, X-Secret\r\nconnection: X-Other\r\nX-Secret: 1\r\nX-OTHER: 2\r\nKeep-Alive: timeout=5\r\n\
         Proxy-Connection: keep-alive\r\nTE: gzip\r\nProxy-Authorization: Basic eA==\r\nUpgrade: h2c\r\n\
         HTTP2-Settings: AAMA\r\nAccept: */*\r\n",
    );
    assert!(!names(&seen).contains(&"upgrade"), "{seen:?}");
    assert_eq!(names(&seen), ["accept"]);
}

#[test]
fn no_client_can_have_a_field_removed_that_routes_frames_or_authenticates() {
    let seen = forwarded(
        "POST / HTTP/1.1\r\nHost: host.test\r\nContent-Length: 5\r\nAuthorization: Basic eA==\r\nCookie: a=b\r\n\
         Connection: Host, Content-Length, Authorization, Cookie, X-Forwarded-For, X-Real-IP, Forwarded\r\n\r\nhello",
    );
    for name in ["host", "authorization", "cookie", "x-forwarded-for", "x-real-ip", "forwarded"] {
        assert!(seen.field(name).is_some(), "{name} is gone: {seen:?}");
    }
    assert_eq!((seen.text().as_str(), seen.field("connection")), ("hello", None));
}

#[test]
fn fields_of_the_upstreams_hop_stay_there() {
    let answer = relayed(
        "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\n\
         Proxy-Authenticate: Basic\r\nUpgrade: h2\r\nX-Kept: 2\r\nContent-Length: 0\r\n\r\n",
        GET,
    );
    for name in ["connection", "x-secret", "keep-alive", "proxy-authenticate", "upgrade"] {
        assert_eq!(answer.field(name), None, "{name}");
    }
    assert_eq!(answer.field("x-kept").as_deref(), Some("2"));
}

#[test]
fn an_upstream_that_closes_its_connection_closes_no_clients() {
    let upstream = Upstream::scripted(|peer| {
        let _ = peer.request();
        let _ = peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    });
    let sluice = Sluice::start(&[upstream.address]);
    let mut client = Client::connect(sluice.address);
    assert_eq!([client.get("/").closes(), client.get("/").closes()], [false, false]);
}

const CLAIMS: &str = "X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nX-Forwarded-Proto: https\r\n\
    X-Forwarded-Host: evil.test\r\nX-Forwarded-Port: 443\r\nX-Forwarded-Prefix: /admin\r\nX-Real-IP: 6.6.6.6\r\n\
    X-Request-ID: mine\r\nForwarded: for=6.6.6.6;proto=https\r\n";

#[test]
fn what_a_stranger_says_about_itself_is_replaced() {
    let seen = with_fields(CLAIMS);
    let field = |name| seen.field(name).unwrap_or_default();
    assert_eq!((field("x-forwarded-for"), field("x-real-ip")), ("127.0.0.1".into(), "127.0.0.1".into()));
    assert_eq!((field("x-forwarded-proto"), field("x-forwarded-host")), ("http".into(), "host.test".into()));
    assert_eq!(field("forwarded"), "for=127.0.0.1;host=host.test;proto=http");
    assert_eq!(seen.field("x-forwarded-prefix"), None);
    assert_eq!(field("x-forwarded-port"), "80");
    assert!(field("x-request-id").len() == 32, "{seen:?}");
}

#[test]
fn what_a_trusted_proxy_says_is_believed_and_extended() {
    let (upstream, seen) = Upstream::recording(EMPTY);
    let change =
        |config: &mut Config| config.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let sluice = Sluice::with(change, &[upstream.address]);
    Client::connect(sluice.address)
        .send(format!("GET / HTTP/1.1\r\nHost: host.test\r\n{CLAIMS}\r\n"))
        .response();
    let seen = seen.recv_timeout(PATIENCE).expect("a request");
    let field = |name| seen.field(name).unwrap_or_default();
    assert_eq!(field("x-forwarded-for"), "6.6.6.6, 203.0.113.9, 127.0.0.1");
    assert_eq!((field("x-real-ip"), field("x-forwarded-proto")), ("203.0.113.9".into(), "https".into()));
    assert_eq!((field("x-forwarded-host"), field("x-forwarded-port")), ("evil.test".into(), "443".into()));
    assert_eq!((field("x-request-id"), field("x-forwarded-prefix")), ("mine".into(), "/admin".into()));
    assert_eq!(field("forwarded"), "for=6.6.6.6;proto=https, for=127.0.0.1;host=host.test;proto=http");
}

#[test]
fn each_request_of_a_stranger_gets_an_id_of_its_own() {
    let (one, other) = (with_fields("").field("x-request-id"), with_fields("").field("x-request-id"));
    assert!(one.is_some() && one != other, "{one:?} {other:?}");
}

#[test]
fn names_that_an_upstream_could_take_for_ours_are_dropped() {
    let seen = with_fields(
        "X_Forwarded_For: 6.6.6.6\r\nx_real_ip: 6.6.6.6\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\n\
         X-Original-URL: /admin\r\nX-Forwarded-Prefix: /admin\r\nX-Forwarded-Anything: 1\r\nX-Kept: 1\r\n",
    );
    assert_eq!(names(&seen), ["x-kept"]);
    assert!(seen.fields.iter().all(|(name, value)| !name.contains('_') && value != "6.6.6.6"), "{seen:?}");
}

#[test]
fn other_names_with_an_underscore_pass_where_they_are_wanted() {
    for (wanted, passed) in [(false, &["x-kept"][..]), (true, &["auth_token", "x-kept"])] {
        let (upstream, seen) = Upstream::recording(EMPTY);
        let sluice = Sluice::with(|config| config.downstream.underscores = wanted, &[upstream.address]);
        let fields =
            "Auth_Token: 1\r\nX_Forwarded_For: 6.6.6.6\r\nContent_Length: 5\r\nX-Real_IP: 6\r\nX-Kept: 1\r\n";
        Client::connect(sluice.address)
            .send(format!("GET / HTTP/1.1\r\nHost: host.test\r\n{fields}\r\n"))
            .response();
        assert_eq!(names(&seen.recv_timeout(PATIENCE).expect("a request")), passed);
    }
}

#[test]
fn host_is_forwarded_as_it_was_sent() {
    for host in ["HOST.test", "host.test:8080", "host.test.", "127.0.0.1:81", "[::1]:80"] {
        let seen = forwarded(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(seen.field("host").as_deref(), Some(host));
    }
}

#[test]
fn repeated_fields_keep_their_order_in_both_directions() {
    let seen = with_fields("Accept: a\r\nX-B: 1\r\nAccept: b\r\nX-B: 2\r\nAccept: c\r\n");
    assert_eq!((seen.field("accept"), seen.field("x-b")), (Some("a|b|c".into()), Some("1|2".into())));
    let cookies = "Set-Cookie: a=1\r\nVary: x\r\nSet-Cookie: b=2; Path=/\r\nVary: y\r\nSet-Cookie: a=3\r\n";
    let answer = format!("HTTP/1.1 200 OK\r\n{cookies}Content-Length: 0\r\n\r\n");
    let answer = relayed(answer.leak(), GET);
    assert_eq!(answer.field("set-cookie").as_deref(), Some("a=1|b=2; Path=/|a=3"));
    assert_eq!(answer.field("vary").as_deref(), Some("x|y"));
}

#[test]
fn values_reach_the_other_side_byte_for_byte() {
    let seen = with_fields("X-Odd: \"a\\b\", ;=  c\tä\r\nX-Empty:\r\n");
    assert_eq!(seen.field("x-odd").as_deref(), Some("\"a\\b\", ;=  c\tä"));
    assert_eq!(seen.field("x-empty").as_deref(), Some(""));
    let answer = relayed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Odd: ä;  \"c\r\n\r\n", GET);
    assert_eq!(answer.field("x-odd").as_deref(), Some("ä;  \"c"));
}

#[test]
fn every_answer_has_one_date() {
    let dated = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(relayed(dated, GET).field("date").as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    let ours = relayed(EMPTY, GET).field("date").expect("a date");
    assert!(ours.ends_with(" GMT") && !ours.contains('|'), "{ours}");
    let sluice = Sluice::start(&[]);
    for request in [GET, "GET / HTTP/1.1\r\n\r\n", "GET /\r\n\r\n"] {
        let refused = Client::connect(sluice.address).send(request).response();
        assert!(refused.field("date").is_some_and(|date| !date.contains('|')), "{request:?}: {refused:?}");
    }
}

#[test]
fn a_status_and_its_reason_are_relayed() {
    let answer = relayed("HTTP/1.1 418 I am a teapot\r\nContent-Length: 0\r\n\r\n", GET);
    assert_eq!(answer.start, "HTTP/1.1 418 I am a teapot");
    assert_eq!(relayed("HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n", GET).status(), 299);
    assert_eq!(relayed("HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", GET).status(), 999);
}
