//! Another server's word.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use model::{
    Auth, AuthServer, ExternalAuth, Filters, Policy, RequestFilter, Route, RouteTableBuilder, Target,
    Transport,
};
use system_tests::{Client, Message, Sluice, Upstream, eventually, sluice};

use super::{addresses, external, of_external, of_password, server, table, template};

const YES: &str = "HTTP/1.1 204 No Content\r\n\r\n";

fn gate(auth: Auth, upstream: &Upstream, server: SocketAddr) -> Sluice {
    let sluice = Sluice::start(&[]);
    sluice.publish_table(table(2, auth, &[sluice::ready(upstream.address)], &[sluice::ready(server)]));
    sluice
}

fn get(to: SocketAddr, fields: &str) -> Message {
    let request = format!("GET /a?b=c HTTP/1.1\r\nHost: Shop.example:81\r\n{fields}\r\n");
    Client::connect(to).send(request).response()
}

/// A server with this answer, and a gate before an upstream that records.
fn asked(
    external: ExternalAuth,
    answer: &str,
) -> (Sluice, Upstream, Receiver<Message>, Upstream, Receiver<Message>) {
    let (upstream, served) = Upstream::recording("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let (server, questions) = Upstream::recording(answer);
    let sluice = gate(of_external(external), &upstream, server.address);
    (sluice, upstream, served, server, questions)
}

#[test]
fn the_server_is_asked_in_ingress_nginx_words() {
    let (sluice, _upstream, served, _server, questions) = asked(external("/check?from=$request_uri"), YES);
    let fields = "Cookie: session=1\r\nAuthorization: Bearer x\r\nX-Forwarded-Proto: https\r\nX-Original-URL: forged\r\n\
                  Content-Length: 5\r\nConnection: x-hop\r\nX-Hop: 1\r\nX_Sent_From: me\r\n";
    let request = format!("POST /a?b=c HTTP/1.1\r\nHost: Shop.example:81\r\n{fields}\r\nhello");
    assert_eq!(Client::connect(sluice.address).send(request).response().status(), 200);
    let (question, served) = (questions.recv().unwrap(), served.recv().unwrap());
    assert_eq!(question.start, "GET /check?from=/a?b=c HTTP/1.1");
    for (name, value) in [
        ("host", Some("auth.example")),
        ("x-original-url", Some("http://Shop.example:81/a?b=c")),
        ("x-original-method", Some("POST")),
        ("x-sent-from", Some("nginx-ingress-controller")),
        ("x-real-ip", Some("127.0.0.1")),
        ("x-forwarded-for", Some("127.0.0.1")),
        ("x-auth-request-redirect", Some("/a?b=c")),
        ("cookie", Some("session=1")),
        ("authorization", Some("Bearer x")),
        ("x-forwarded-proto", None),
        ("content-length", None),
        ("transfer-encoding", None),
        ("x-hop", None),
        ("x_sent_from", None),
        ("x-original-uri", None),
    ] {
        assert_eq!(question.field(name).as_deref(), value, "{name}");
    }
    assert!(question.body.is_empty());
    assert_eq!(question.field("x-request-id"), served.field("x-request-id"));
    assert!(served.field("x-request-id").is_some());
    assert_eq!((served.start.as_str(), served.text().as_str()), ("POST /a?b=c HTTP/1.1", "hello"));
}

#[test]
fn only_a_yes_lets_a_request_through_and_a_no_is_told_as_it_is() {
    for (answer, status) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes", 200),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n", 200),
        ("HTTP/1.1 299 Odd\r\nContent-Length: 0\r\n\r\n", 200),
        ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", 401),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", 403),
        ("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", 500),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 500),
        ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", 500),
        ("nonsense\r\n\r\n", 500),
    ] {
        let (sluice, upstream, _served, _server, _questions) = asked(external("/"), answer);
        assert_eq!(get(sluice.address, "").status(), status, "{answer}");
        assert_eq!(upstream.requests() > 0, status == 200, "{answer}");
    }
}

#[test]
fn a_server_that_is_away_or_dies_lets_nothing_through_and_one_that_is_back_is_asked_again() {
    let upstream = Upstream::answering("hello");
    let sluice = gate(of_external(external("/")), &upstream, Upstream::refusing());
    assert_eq!(get(sluice.address, "").status(), 500);
    let dying = Upstream::scripted(|peer| {
        let _ = peer.request();
        peer.reset();
    });
    let publish = |generation, servers: &[_]| {
        sluice.publish_table(table(
            generation,
            of_external(external("/")),
            &[sluice::ready(upstream.address)],
            servers,
        ));
    };
    publish(3, &[sluice::ready(dying.address)]);
    assert_eq!(get(sluice.address, "").status(), 500);
    publish(4, &[]);
    assert_eq!(get(sluice.address, "").status(), 500);
    assert_eq!(upstream.connections(), 0);
    let (server, _questions) = Upstream::recording(YES);
    publish(5, &[sluice::ready(server.address)]);
    assert_eq!(get(sluice.address, "").status(), 200);
}

#[test]
fn a_kept_connection_that_the_server_has_closed_costs_no_request() {
    let upstream = Upstream::answering("hello");
    // Each connection answers twice, and dies of the third question.
    let server = Upstream::scripted(|peer| {
        for _ in 0..2 {
            if peer.request().is_err() || peer.send(YES).is_err() {
                return;
            }
        }
        let _ = peer.request();
    });
    let sluice = gate(of_external(external("/")), &upstream, server.address);
    let mut client = Client::connect(sluice.address);
    for _ in 0..20 {
        assert_eq!(client.get("/").status(), 200);
    }
    assert!(server.connections() >= 9, "{}", server.connections());
}

#[test]
fn endpoints_get_what_the_server_says_of_the_client_and_never_the_clients_own_word() {
    let gives = ExternalAuth {
        response_headers: ["x-auth-user", "x-auth-groups", "authorization"].map(Arc::from).into(),
        ..external("/")
    };
    let answer = "HTTP/1.1 200 OK\r\nX-Auth-User: alice\r\nX-Auth-User: admin\r\nAuthorization: Bearer ours\r\n\
                  Content-Length: 0\r\n\r\n";
    let (sluice, _upstream, served, _server, questions) = asked(gives, answer);
    let fields =
        "X-Auth-User: mallory\r\nX.Auth.User: mallory\r\nX-Auth-Groups: root\r\nAuthorization: Basic x\r\n";
    assert_eq!(get(sluice.address, fields).status(), 200);
    let request = served.recv().unwrap();
    assert_eq!(request.field("x-auth-user").as_deref(), Some("alice, admin"));
    assert_eq!(request.field("authorization").as_deref(), Some("Bearer ours"));
    for name in ["x-auth-groups", "x.auth.user"] {
        assert_eq!(request.field(name), None, "{name}");
    }
    assert_eq!(questions.recv().unwrap().field("authorization").as_deref(), Some("Basic x"));
}

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

#[test]
fn a_body_waits_for_the_servers_word() {
    let (sluice, upstream, served, _server, questions) = asked(external("/"), YES);
    let mut client = Client::connect(sluice.address);
    let head = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    client.send(head);
    assert!(client.head().unwrap().start.starts_with("HTTP/1.1 100"));
    assert!(questions.recv().is_ok(), "it was asked before");
    client.send("hello");
    assert_eq!(client.response().status(), 200);
    assert_eq!(served.recv().unwrap().text(), "hello");
    assert_eq!(upstream.requests(), 1);

    let (sluice, upstream, _served, _server, _questions) =
        asked(external("/"), "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    let mut client = Client::connect(sluice.address);
    assert_eq!(client.send(head).response().status(), 403);
    assert_eq!(upstream.connections(), 0);
}

#[test]
fn an_upgrade_waits_for_the_servers_word() {
    let switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    let request = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    for (answer, status) in [(YES, 101), ("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", 401)] {
        let (upstream, _served) = Upstream::recording(switching);
        let (server, questions) = Upstream::recording(answer);
        let sluice = gate(of_external(external("/")), &upstream, server.address);
        let mut client = Client::connect(sluice.address);
        assert_eq!(client.send(request).head().unwrap().status(), status);
        assert_eq!(questions.recv().unwrap().field("upgrade"), None);
        assert_eq!(upstream.connections() > 0, status == 101);
    }
}

#[test]
fn what_the_server_says_before_its_answer_is_not_for_the_client() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    let (sluice, _upstream, _served, _server, _questions) = asked(external("/"), hints);
    assert_eq!(
        Client::connect(sluice.address).send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").head().unwrap().status(),
        200
    );
}

#[test]
fn a_client_that_leaves_asks_for_nothing_more() {
    let upstream = Upstream::answering("hello");
    let mute = Upstream::scripted(|peer| while peer.request().is_ok() {});
    let sluice = gate(of_external(external("/")), &upstream, mute.address);
    let mut client = Client::connect(sluice.address);
    client.request("GET", "/");
    eventually("it is asked", || mute.requests() == 1);
    drop(client);
    eventually("it is let go", || mute.ended() == 1);
    assert_eq!(upstream.connections(), 0);
}

#[test]
fn password_and_server_are_both_needed_or_either_of_them() {
    let right = "Authorization: Basic YWxpY2U6c2VjcmV0\r\n";
    let no = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    for (is_any, fields, answer, status) in [
        (false, right, YES, 200),
        (false, right, no, 403),
        (false, "", YES, 401),
        (true, right, no, 200),
        (true, "", YES, 200),
        (true, "", no, 401),
    ] {
        let upstream = Upstream::answering("hello");
        let (server, _questions) = Upstream::recording(answer);
        let any = is_any.then(|| addresses("192.0.2.0/24"));
        let auth = Auth { any, external: Some(external("/")), ..of_password(&[("alice", "{PLAIN}secret")]) };
        let sluice = gate(auth, &upstream, server.address);
        assert_eq!(get(sluice.address, fields).status(), status, "{is_any} {fields:?} {answer:?}");
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

#[test]
fn a_server_that_would_ask_itself_is_never_asked() {
    let upstream = Upstream::answering("hello");
    let auth = of_external(ExternalAuth { server: AuthServer::OwnHost, ..external("/oauth2/auth") });
    let sluice = gate(auth, &upstream, upstream.address);
    assert_eq!(get(sluice.address, "").status(), 500);
    assert_eq!((upstream.connections(), server().service.as_ref()), (0, "auth"));
}
