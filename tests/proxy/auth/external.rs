//! Another server's word.

mod sign_in;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use model::{Auth, AuthServer, ExternalAuth};
use system_tests::{Client, Message, Sluice, Upstream, eventually, sluice};

use super::{addresses, external, of_external, of_password, server, table};

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

#[test]
fn a_server_that_would_ask_itself_is_never_asked() {
    let upstream = Upstream::answering("hello");
    let auth = of_external(ExternalAuth { server: AuthServer::OwnHost, ..external("/oauth2/auth") });
    let sluice = gate(auth, &upstream, upstream.address);
    assert_eq!(get(sluice.address, "").status(), 500);
    assert_eq!((upstream.connections(), server().service.as_ref()), (0, "auth"));
}
