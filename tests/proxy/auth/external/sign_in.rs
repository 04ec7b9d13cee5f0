//! How those log in that are not let in yet: what they are told, where they are sent, and which cookies they get.

use std::sync::Arc;

use model::{
    AuthServer, ExternalAuth, Filters, Policy, RequestFilter, Route, RouteTableBuilder, Target, Transport,
};
use system_tests::{Client, Sluice, Upstream, sluice};

use super::super::{external, of_external, template};
use super::{asked, gate, get};

#[test]
fn clients_that_have_to_log_in_are_sent_there_with_their_cookies_and_where_they_came_from() {
    let rd = "$pass_access_scheme://$http_host$escaped_request_uri";
    let sign_in = Some(template(&format!("https://login.example/start?rd={rd}")));
    let answer =
        "HTTP/1.1 401 Unauthorized\r\nSet-Cookie: csrf=1\r\nSet-Cookie: more=2\r\nContent-Length: 0\r\n\r\n";
    let (sluice, upstream, _served, _server, _questions) =
        asked(ExternalAuth { sign_in, ..external("/") }, answer);
    let answer = get(sluice.address, "");
    assert_eq!(answer.status(), 302);
    let location = "https://login.example/start?rd=http://Shop.example:81%2Fa%3Fb%3Dc";
    assert_eq!(answer.field("location").as_deref(), Some(location));
    assert_eq!(answer.field("set-cookie").as_deref(), Some("csrf=1|more=2"));
    assert_eq!(upstream.connections(), 0);
}

#[test]
fn what_the_server_challenges_with_is_passed_on() {
    let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"x\"\r\nSet-Cookie: a=1\r\n\
                  Content-Length: 0\r\n\r\n";
    for (always_set_cookie, cookie) in [(false, None), (true, Some("a=1"))] {
        let (sluice, _upstream, _served, _server, _questions) =
            asked(ExternalAuth { always_set_cookie, ..external("/") }, answer);
        let answer = get(sluice.address, "");
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.field("www-authenticate").as_deref(), Some("Bearer realm=\"x\""));
        assert_eq!(answer.field("set-cookie").as_deref(), cookie);
    }
}

#[test]
fn the_servers_cookies_come_with_answers_of_endpoints_and_with_errors_only_if_that_is_wanted() {
    let yes = "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n";
    for (status, always_set_cookie, cookies) in [
        (200, false, "own=1|a=1"),
        (302, false, "own=1|a=1"),
        (404, false, "own=1"),
        (404, true, "own=1|a=1"),
    ] {
        let answer = format!("HTTP/1.1 {status} X\r\nSet-Cookie: own=1\r\nContent-Length: 0\r\n\r\n");
        let (upstream, _served) = Upstream::recording(answer);
        let (server, _questions) = Upstream::recording(yes);
        let auth = of_external(ExternalAuth { always_set_cookie, ..external("/") });
        let sluice = gate(auth, &upstream, server.address);
        assert_eq!(get(sluice.address, "").field("set-cookie").as_deref(), Some(cookies), "{status}");
    }
}

/// oauth2-proxy, as most run it: under a path of the same host, with `auth-url: https://$host/oauth2/auth`.
#[test]
fn a_server_on_the_requests_own_host_is_found_by_its_route_and_lets_those_in_that_have_logged_in() {
    let upstream = Upstream::answering("the shop");
    let oauth = Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let has_session = request.field("cookie").is_some_and(|cookie| cookie.contains("session=1"));
            let _ = match request.target() {
                "/oauth2/auth" if has_session => peer.send("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"),
                "/oauth2/auth" => peer.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
                start if start.starts_with("/oauth2/start?rd=%2Fcart") => peer.send(
                    "HTTP/1.1 302 Found\r\nSet-Cookie: session=1\r\nLocation: /cart\r\nContent-Length: 0\r\n\r\n",
                ),
                _ => peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
            };
        }
    });
    let auth = of_external(ExternalAuth {
        server: AuthServer::OwnHost,
        host: template("$host"),
        sign_in: Some(template("http://$http_host/oauth2/start?rd=$escaped_request_uri")),
        ..external("/oauth2/auth")
    });
    let mut builder = RouteTableBuilder::default();
    let web =
        sluice::add_backend(&mut builder, "web", Transport::default(), &[sluice::ready(upstream.address)]);
    let filters = Filters::new(vec![RequestFilter::Auth(Box::new(auth))], Vec::new());
    let policy = Arc::new(Policy { filters, ..Policy::default() });
    builder.route(Route { policy, ..sluice::route("shop.example", "/", "web", Target::Backend(web)) });
    sluice::add_route(&mut builder, "shop.example", "/oauth2", "oauth", &[sluice::ready(oauth.address)]);
    let sluice = Sluice::start(&[]);
    sluice.publish_table(builder.build(2));

    let mut client = Client::connect(sluice.address);
    let mut get = |target: &str, cookie: &str| {
        client.send(format!("GET {target} HTTP/1.1\r\nHost: shop.example\r\n{cookie}\r\n")).response()
    };
    let sent = get("/cart", "");
    assert_eq!(sent.status(), 302);
    let start = sent.field("location").unwrap();
    assert_eq!(start, "http://shop.example/oauth2/start?rd=%2Fcart");
    let back = get(start.strip_prefix("http://shop.example").unwrap(), "");
    assert_eq!(back.field("location").as_deref(), Some("/cart"));
    assert_eq!(back.field("set-cookie").as_deref(), Some("session=1"));
    let shop = get("/cart", "Cookie: session=1\r\n");
    assert_eq!((shop.status(), shop.text().as_str()), (200, "the shop"));
}
