//! What a tenant who may write any Ingress in a namespace of its own can do to others: nothing that is not told, and nothing that
//! takes the table more than a bounded time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use compile::{Compiled, ObjectKey, Objects, Profile, Settings, compile};
use model::{Get, RequestHost, RequestPath, Severity};
use serde_json::{Map, Value, json};

const PREFIX: &str = "nginx.ingress.kubernetes.io";
/// Without optimisation a pattern takes fifteen milliseconds to compile, and some forty microseconds with it.
const INGRESSES: usize = if cfg!(debug_assertions) { 200 } else { 10_000 };
/// All names of annotations, a row each.
const NAMES: &str = include_str!("../ingress-nginx.md");

fn settings() -> Settings {
    Settings { profile: Some(Profile::IngressNginx), ..Settings::default() }
}

/// An Ingress of this host and path for Service `web`, with annotations without their prefix.
fn add(objects: &mut Objects, key: (&str, &str, u32), host: &str, path: &str, annotations: &[(&str, &str)]) {
    let (namespace, name, day) = key;
    let annotations: Map<String, Value> =
        annotations.iter().map(|(word, value)| (format!("{PREFIX}/{word}"), json!(value))).collect();
    let backend = json!({ "service": { "name": "web", "port": { "number": 80 } } });
    let paths = json!([{ "path": path, "pathType": "ImplementationSpecific", "backend": backend }]);
    let ingress = json!({
        "metadata": { "annotations": annotations, "creationTimestamp": format!("2026-01-{day:02}T00:00:00Z") },
        "spec": { "ingressClassName": "sluicegate", "rules": [{ "host": host, "http": { "paths": paths } }] },
    });
    objects.ingresses.insert(ObjectKey::new(namespace, name), read(ingress));
    let service = json!({ "metadata": {}, "spec": { "ports": [{ "name": "http", "port": 80 }] } });
    objects.services.entry(ObjectKey::new(namespace, "web")).or_insert_with(|| read(service));
}

fn read<T: serde::de::DeserializeOwned>(object: Value) -> Arc<T> {
    Arc::new(serde_json::from_value(object).expect("an object"))
}

fn timed<T>(what: &str, most: Duration, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    let taken = start.elapsed();
    println!("{what}: {taken:?}, {} MiB resident", resident_mib());
    // Without optimisation, and on a machine with other work, thirty times as long.
    let most = if cfg!(debug_assertions) { most * 30 } else { most };
    assert!(taken < most, "{what}: {taken:?}");
    done
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn is_told(compiled: &Compiled, namespace: &str, field: &str) -> bool {
    let is =
        |problem: &&model::Problem| problem.object.namespace == namespace && problem.field.contains(field);
    compiled.problems.iter().any(|problem| is(&problem))
}

/// Whose route serves this.
fn serves(compiled: &Compiled, host: &str, path: &str) -> Option<String> {
    let (host, path) = (RequestHost::parse(host).expect("a host"), RequestPath::parse(path).expect("a path"));
    let route = compiled.table.find(&Get { host: Some(&host), path: &path })?;
    Some(route.origin.object.namespace.clone())
}

#[test]
fn ten_thousand_ingresses_with_everything_compile_in_time() {
    let mut objects = Objects::default();
    let snippet =
        "more_set_headers \"X-Frame-Options: DENY\"; proxy_set_header X-Host $host; client_max_body_size 8m;";
    for at in 0..INGRESSES {
        let (name, host) = (format!("web-{at}"), format!("host-{at}.example"));
        let annotations = [
            ("affinity", "cookie"),
            ("configuration-snippet", snippet),
            ("cors-allow-origin", "https://a.example, https://*.b.example"),
            ("enable-cors", "true"),
            ("limit-rps", "10"),
            ("proxy-read-timeout", "600"),
            ("rewrite-target", "/$2"),
            ("server-snippet", "add_header X-Server yes;"),
            ("use-regex", "true"),
            ("whitelist-source-range", "10.0.0.0/8,192.0.2.0/24"),
            ("no-such-annotation", "x"),
        ];
        add(&mut objects, ("tenant", &name, 1), &host, "/app(/|$)(.*)", &annotations);
    }
    let compiled = timed("many Ingresses", Duration::from_secs(3), || compile(&objects, &settings(), 1));
    assert_eq!(serves(&compiled, "host-199.example", "/app/a").as_deref(), Some("tenant"));
    let again = timed("the same again", Duration::from_secs(3), || compile(&objects, &settings(), 2));
    assert_eq!(again.table.routes().len(), compiled.table.routes().len());
}

#[test]
fn ten_thousand_aliases_and_an_annotation_of_a_quarter_mebibyte_compile_in_time() {
    let mut objects = Objects::default();
    for at in 0..100 {
        let aliases: Vec<String> = (0..100).map(|alias| format!("alias-{at}-{alias}.example")).collect();
        let (name, host) = (format!("web-{at}"), format!("host-{at}.example"));
        add(&mut objects, ("tenant", &name, 1), &host, "/", &[("server-alias", &aliases.join(","))]);
    }
    let long = "more_set_headers 'X: y';".repeat(10_000);
    let networks = "192.0.2.1,".repeat(25_000);
    for (at, word) in ["configuration-snippet", "server-snippet", "auth-snippet"].iter().enumerate() {
        add(
            &mut objects,
            ("tenant", &format!("long-{at}"), 1),
            "long.example",
            &format!("/{at}"),
            &[(word, &long)],
        );
    }
    for (at, word) in ["server-alias", "whitelist-source-range", "cors-allow-origin"].iter().enumerate() {
        add(
            &mut objects,
            ("tenant", &format!("list-{at}"), 1),
            "list.example",
            &format!("/{at}"),
            &[(word, &networks)],
        );
    }
    let compiled = timed("10 000 aliases", Duration::from_secs(2), || compile(&objects, &settings(), 1));
    assert_eq!(serves(&compiled, "alias-99-99.example", "/").as_deref(), Some("tenant"));
}

#[test]
fn patterns_that_are_made_to_take_long_take_a_bounded_time_and_no_other_host_notices() {
    let mut objects = Objects::default();
    add(&mut objects, ("shop", "web", 1), "shop.example", "/", &[]);
    let bombs =
        ["/(a+)+$", "/(a|aa)+$", "/(.*a){25}", "/((a{1,60}){1,60}){1,60}", "/(x+x+)+y", "/[a-z]{1,900}b"];
    for at in 0..600 {
        let path = format!("{}{at}", bombs[at % bombs.len()]);
        add(&mut objects, ("tenant", &format!("b-{at}"), 2), "bomb.example", &path, &[("use-regex", "true")]);
    }
    let compiled = timed("600 patterns", Duration::from_secs(2), || compile(&objects, &settings(), 1));
    assert!(is_told(&compiled, "tenant", "path"), "those that are too large are refused aloud");
    let path = format!("/{}!", "a".repeat(8000));
    let host = RequestHost::parse("bomb.example").expect("a host");
    let path = RequestPath::parse(&path).expect("a path");
    let found = timed("a long path beside them", Duration::from_millis(200), || {
        compiled.table.find(&Get { host: Some(&host), path: &path }).is_some()
    });
    println!("found: {found}");
    assert_eq!(serves(&compiled, "shop.example", "/a").as_deref(), Some("shop"));
}

#[test]
fn what_another_namespace_has_is_neither_taken_nor_read_and_each_attempt_is_told() {
    let mut objects = Objects::default();
    let secret = json!({ "metadata": {}, "stringData": { "auth": "foo:{PLAIN}bar" } });
    objects.secrets.insert(ObjectKey::new("shop", "users"), read(secret));
    let fields = json!({ "metadata": {}, "data": { "X-Secret": "s3cret" } });
    objects.config_maps.insert(ObjectKey::new("shop", "fields"), read(fields));
    add(&mut objects, ("shop", "web", 1), "shop.example", "/", &[]);
    type Theft<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);
    let thefts: [Theft<'_>; 8] = [
        ("host", "shop.example", &[], "paths[0]"),
        ("alias", "mine.example", &[("server-alias", "shop.example")], "server-alias"),
        ("users", "a.example", &[("auth-type", "basic"), ("auth-secret", "shop/users")], "auth-secret"),
        ("ca", "b.example", &[("auth-tls-secret", "shop/users")], "auth-tls-secret"),
        ("proxy", "c.example", &[("proxy-ssl-secret", "shop/users")], "proxy-ssl-secret"),
        ("fields", "d.example", &[("custom-headers", "shop/fields")], "custom-headers"),
        ("snippet", "shop.example", &[("server-snippet", "deny all;")], "server-snippet"),
        (
            "sent",
            "e.example",
            &[("auth-url", "http://10.0.0.1/"), ("auth-proxy-set-headers", "shop/fields")],
            "auth-proxy-set-headers",
        ),
    ];
    for (name, host, annotations, field) in thefts {
        let mut objects = objects.clone();
        let path = if name == "snippet" { "/tenant" } else { "/" };
        add(&mut objects, ("tenant", name, 2), host, path, annotations);
        let compiled = compile(&objects, &settings(), 1);
        assert!(is_told(&compiled, "tenant", field), "{name}: {:?}", compiled.problems);
        assert_eq!(serves(&compiled, "shop.example", "/cart").as_deref(), Some("shop"), "{name}");
        let of_tenant =
            compiled.table.routes().iter().filter(|route| route.origin.object.namespace == "tenant");
        for route in of_tenant {
            let text = format!("{:?}", route.policy);
            assert!(!text.contains("s3cret") && !text.contains("bar"), "{name}: {text}");
            let takes = route.host.to_string() == "shop.example";
            assert!(!takes || name == "snippet", "{name}");
        }
        let of_shop = compiled.table.routes().iter().find(|route| route.origin.object.namespace == "shop");
        assert!(!of_shop.expect("its route").policy.denies(), "{name}: shop is served on");
        assert!(
            compiled
                .problems
                .iter()
                .all(|one| one.severity != Severity::Error || one.object.namespace == "tenant")
        );
    }
}

/// Whichever annotation: what is behind the end of a line is part of no field, place or cookie.
#[test]
fn no_value_begins_a_line_of_its_own_in_a_head() {
    let names: Vec<&str> =
        NAMES.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(names.len() > 138, "{}", names.len());
    for name in names {
        for evil in [
            "a\r\nX-Injected: b",
            "https://a.example/\nX-Injected: b",
            "/x\rX-Injected: b",
            "$host\nX-Injected: b",
        ] {
            let beside = [
                ("affinity", "cookie"),
                ("auth-url", "http://10.0.0.1/"),
                ("canary", "false"),
                ("enable-cors", "true"),
                ("use-regex", "true"),
                (name, evil),
            ];
            let mut objects = Objects::default();
            add(&mut objects, ("tenant", "web", 1), "a.example", "/", &beside);
            let compiled = compile(&objects, &settings(), 1);
            for route in compiled.table.routes() {
                let text = format!("{:?} {:?}", route.policy, route.target);
                let lines = ["\\r", "\\n", "\r", "\n"]
                    .into_iter()
                    .any(|end| text.contains(&format!("{end}X-Injected")));
                assert!(!lines, "{name}: {text}");
            }
        }
    }
}
