//! Routes that no Ingress can ask for yet: with conditions, and with more than one backend.

use std::net::SocketAddr;
use std::sync::Arc;

use model::{
    BackendKey, Condition, Conditions, Endpoint, EndpointKey, HostMatch, ObjectRef, Origin, PathMatch,
    Policy, RequestCondition, Route, RouteTableBuilder, Share, SplitRule, ValueMatch,
};
use serde_json::Value;

use super::*;

/// POST requests lead to `canary` with a header, else to `main` and `canary` by weight; `canary` has an endpoint or none.
fn routes(canary: Option<SocketAddr>) -> RouteTable {
    let mut builder = RouteTableBuilder::default();
    let mut add = |service: &str, address: Option<SocketAddr>| {
        let (namespace, port) = ("shop".into(), "80".into());
        let key = BackendKey { namespace, service: service.into(), port, transport: Arc::default() };
        let key_of = |address| EndpointKey { address, uid: "pod".into() };
        let endpoint = address.map(|address| Endpoint { key: key_of(address), condition: Condition::Ready });
        builder.backend(&key, || Backend::new(key.clone(), endpoint.into_iter().collect()))
    };
    let (main, canary) = (add("main", Some(SocketAddr::from(([10, 0, 0, 1], 80)))), add("canary", canary));
    let value = ValueMatch::Exact("always".into());
    let condition = RequestCondition::Header { name: "x-canary".into(), value };
    let shares = [(canary, 1), (main, 3)].map(|(backend, weight)| Share { backend, weight });
    let split = Split::new(vec![SplitRule { condition, backend: canary }], shares.into());
    builder.route(Route {
        host: HostMatch::Any,
        path: PathMatch::prefix("/").expect("a path"),
        conditions: Conditions::new(vec![RequestCondition::Method("POST".into())]),
        target: Target::Split(Box::new(split.expect("a split"))),
        policy: Arc::new(Policy::default()),
        origin: Origin::new(ObjectRef::new("Ingress", "shop", "web"), "spec.rules[0].http.paths[0]"),
    });
    builder.build(1)
}

/// The lines that tell of the backends and of the answer, and the status.
fn explained(canary: Option<SocketAddr>, method: &str, field: Option<&str>) -> (Vec<String>, Value) {
    let fields: Vec<_> = field.map(|value| ("X-Canary".to_owned(), value.to_owned())).into_iter().collect();
    let asked = Asked::new(&[method.into(), "a.example.com/".into()], &fields).expect("a request");
    let routes = routes(canary);
    let table = Table { routes: &routes, has_external_names: false };
    let answer = answer(&asked, &table);
    let text = show::text(&asked, &answer, &table);
    let told = text.lines().filter(|line| line.starts_with("backend:") || line.starts_with("answer:"));
    let json = serde_json::from_str(&show::json(&asked, &answer, &table)).expect("JSON");
    (told.map(str::to_owned).collect(), json)
}

const CANARY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2)), 80);
const SERVED: &str = "answer:    by one of the endpoints that take requests";

#[test]
fn the_backend_that_a_rule_of_a_split_decides_on_is_told_with_the_rule() {
    let (told, json) = explained(Some(CANARY), "POST", Some("always"));
    assert_eq!(told, ["backend:   shop/canary:80: ready (header x-canary = always)", SERVED]);
    assert_eq!(json["backend"]["service"], "canary");
    let (told, json) = explained(None, "POST", Some("always"));
    let down = "backend:   shop/canary:80: no-endpoint (header x-canary = always)";
    assert_eq!(told, [down, "answer:    503, no-endpoint"]);
    assert_eq!((&json["status"], &json["served"]), (&503.into(), &false.into()));
}

#[test]
fn all_backends_that_chance_may_choose_are_told_with_their_shares() {
    let (told, json) = explained(Some(CANARY), "POST", None);
    let canary = "backend:   shop/canary:80: ready (1 of 4 requests)";
    let main = "backend:   shop/main:80: ready (3 of 4 requests)";
    assert_eq!(told, [canary, main, SERVED]);
    assert_eq!((&json["backend"], json["backends"].as_array().map(Vec::len)), (&Value::Null, Some(2)));
    let (told, json) = explained(None, "POST", None);
    assert_eq!(told.last(), Some(&format!("{SERVED}, or 503, no-endpoint of shop/canary:80")));
    assert_eq!(json["served"], true);
}

#[test]
fn where_only_conditions_fail_no_rule_matches_the_request() {
    let (told, json) = explained(Some(CANARY), "GET", None);
    assert_eq!(told, ["answer:    404, no rule of * matches the request, and there is no default backend"]);
    assert_eq!(json["lost"][0]["reason"], "is for this host and path, but its conditions do not hold");
}
