//! Which backend a request reaches where more than its host and path decides.

use std::time::Duration;

use http_body_util::Full;
use model::{
    Conditions, PathMatch, Pattern, RequestCondition, Route, RouteTable, RouteTableBuilder, Share, Split,
    SplitRule, Target, Transport, ValueMatch,
};
use proxy::{AccessLog, Protocol};
use serde_json::Value;
use system_tests::sluice::{add_backend, ready, route};
use system_tests::{Client, Http2, Sluice, Upstream};

use crate::secure::Edge;

const TIME: Duration = Duration::from_secs(10);

/// Two backends, `main` and `canary`, whose endpoints answer with their name.
struct Two {
    main: Upstream,
    canary: Upstream,
}

impl Two {
    fn start() -> Two {
        Two { main: Upstream::answering("main"), canary: Upstream::answering("canary") }
    }

    /// The table of the routes that are made of the places of the two.
    fn table(&self, routes: impl FnOnce(u32, u32) -> Vec<Route>) -> RouteTable {
        let mut builder = RouteTableBuilder::default();
        let mut add = |name: &str, upstream: &Upstream| {
            add_backend(&mut builder, name, Transport::default(), &[ready(upstream.address)])
        };
        let (main, canary) = (add("main", &self.main), add("canary", &self.canary));
        routes(main, canary).into_iter().for_each(|route| builder.route(route));
        builder.build(2)
    }

    /// `x-canary: always` and `never`, the cookie `canary=yes`, and then by weight.
    fn split(&self, main_weight: u32, canary_weight: u32) -> RouteTable {
        self.table(|main, canary| {
            let exact = |value: &str| ValueMatch::Exact(value.into());
            let header = |value| RequestCondition::Header { name: "x-canary".into(), value: exact(value) };
            let cookie = RequestCondition::Cookie { name: "canary".into(), value: exact("yes") };
            let rule = |condition, backend| SplitRule { condition, backend };
            let rules =
                vec![rule(header("always"), canary), rule(header("never"), main), rule(cookie, canary)];
            let share = |backend, weight| Share { backend, weight };
            let split = Split::new(rules, vec![share(canary, canary_weight), share(main, main_weight)]);
            vec![route("", "/", "split", Target::Split(Box::new(split.unwrap())))]
        })
    }
}

fn get(client: &mut Client, path: &str, fields: &str) -> String {
    client.send(format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n")).response().text()
}

#[test]
fn a_header_or_a_cookie_decides_before_the_weights_do() {
    let two = Two::start();
    let sluice = Sluice::start(&[]);
    let mut client = Client::connect(sluice.address);
    for (main, canary, otherwise) in [(1, 0, "main"), (0, 1, "canary")] {
        sluice.publish_table(two.split(main, canary));
        for (fields, expected) in [
            ("", otherwise),
            ("X-Canary: always\r\n", "canary"),
            ("X-Canary: never\r\n", "main"),
            ("X-Canary: never\r\nCookie: canary=yes\r\n", "main"),
            ("Cookie: a=b; canary=yes\r\n", "canary"),
            // The value of two fields is a list, which is neither.
            ("X-Canary: always\r\nX-Canary: never\r\n", otherwise),
            ("X-Canary: alwaysx\r\nCookie: xcanary=yes\r\n", otherwise),
        ] {
            assert_eq!(get(&mut client, "/", fields), expected, "{fields}");
        }
    }
}

#[test]
fn requests_that_nothing_else_decides_on_are_shared_by_weight() {
    let two = Two::start();
    let sluice = Sluice::start(&[]);
    sluice.publish_table(two.split(3, 1));
    let mut client = Client::connect(sluice.address);
    let canaries = (0..400).filter(|_| get(&mut client, "/", "") == "canary").count();
    // 100 are expected; seven standard deviations are 61.
    assert!((39..=161).contains(&canaries), "{canaries} of 400");
}

#[test]
fn over_http2_a_cookie_may_come_in_a_field_of_its_own_and_the_log_names_the_backend_that_was_taken() {
    let two = Two::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    let log = AccessLog::File(path.clone());
    let speaks = Protocol { http2_cleartext: true, ..Protocol::default() };
    let mut sluice = Sluice::speaking(speaks, |config| config.access_log = log, &[]);
    sluice.publish_table(two.split(1, 0));
    let mut client = Http2::connect(sluice.address);
    for cookie in ["canary=yes", "canary=no"] {
        let request = client.request("GET", "a.test", "/").header("cookie", "a=b").header("cookie", cookie);
        client.send(request.body(Full::default()).unwrap()).unwrap();
    }
    drop(client);
    sluice.drain();
    sluice.finished_within(TIME).expect("the workers end, and with them the log");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let services: Vec<Value> = lines.map(|line| line["service"].clone()).collect();
    assert_eq!(services, ["canary", "main"]);
}

#[test]
fn a_condition_on_the_method_chooses_between_two_backends() {
    let two = Two::start();
    let sluice = Sluice::start(&[]);
    sluice.publish_table(two.table(|main, canary| {
        let posts = Conditions::new(vec![RequestCondition::Method("POST".into())]);
        let backend = Target::Backend;
        vec![
            route("", "/", "all", backend(main)),
            Route { conditions: posts.clone(), ..route("", "/", "posts", backend(canary)) },
            Route { conditions: posts, ..route("", "/posts", "posts", backend(canary)) },
        ]
    }));
    let mut client = Client::connect(sluice.address);
    for (method, path, expected) in [
        ("GET", "/x", "main"),
        ("POST", "/x", "canary"),
        ("post", "/x", "main"),
        ("POST", "/posts/x", "canary"),
        // The longer path has no route for it, the shorter one has.
        ("GET", "/posts/x", "main"),
    ] {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(client.send(request).response().text(), expected, "{method} {path}");
    }
}

#[test]
fn where_no_condition_holds_there_is_no_route() {
    let two = Two::start();
    let sluice = Sluice::start(&[]);
    sluice.publish_table(two.table(|main, _| {
        let value = ValueMatch::Exact("1".into());
        let query = RequestCondition::Query { name: "v".into(), value };
        vec![Route {
            conditions: Conditions::new(vec![query]),
            ..route("", "/", "one", Target::Backend(main))
        }]
    }));
    let mut client = Client::connect(sluice.address);
    assert_eq!(get(&mut client, "/?a=b&v=%31", ""), "main");
    assert_eq!(get(&mut client, "/?v=2", ""), "404 Not Found (no-route)\n");
}

#[test]
fn a_pattern_guards_every_spelling_of_its_paths() {
    let two = Two::start();
    let sluice = Sluice::start(&[]);
    sluice.publish_table(two.table(|main, canary| {
        let pattern = PathMatch::Pattern(Pattern::of_path("/api/v[0-9]+/", false).unwrap());
        vec![
            route("", "/api/v1/longer", "prefix", Target::Backend(main)),
            Route { path: pattern, ..route("", "/", "pattern", Target::Backend(canary)) },
            route("", "/", "rest", Target::Backend(main)),
        ]
    }));
    let mut client = Client::connect(sluice.address);
    for (path, expected) in [
        ("/api/v1/", "canary"),
        ("/api/v1/longer/x", "canary"),
        ("//api/%76%31//x", "canary"),
        ("/x/../api/v12%2Fx", "canary"),
        ("/api/vx/", "main"),
        ("/x/api/v1/", "main"),
    ] {
        assert_eq!(get(&mut client, path, ""), expected, "{path}");
    }
}

#[test]
fn what_the_client_speaks_decides_between_two_backends_and_what_it_says_of_that_does_not() {
    let two = Two::start();
    let table = two.table(|main, canary| {
        let rule = SplitRule { condition: RequestCondition::Secure, backend: canary };
        let split = Split::new(vec![rule], vec![Share { backend: main, weight: 1 }]);
        vec![route("", "/", "split", Target::Split(Box::new(split.unwrap())))]
    });
    let (plain, secure) = (Sluice::start(&[]), Edge::start(&[]));
    plain.publish_table(table.clone());
    secure.sluice.publish_table(table);
    let told = "X-Forwarded-Proto: https\r\n";
    assert_eq!(get(&mut Client::connect(plain.address), "/", told), "main");
    assert_eq!(secure.connect("a.test").get("a.test", "/").unwrap().text(), "canary");
}
