//! The page of routes: rules, what they lead to, and on which conditions.

use super::*;

#[tokio::test]
async fn routes_show_each_rule_with_its_origin_and_the_rules_that_lost() {
    let admin = start().await;
    let route = |name: &str| {
        json!({
            "host": "*.example.com", "path": "/cart", "pathType": "Prefix", "selection": "ready",
            "backend": { "namespace": "shop", "service": "web", "port": "http" },
            "origin": { "namespace": "shop", "name": name, "field": "spec.rules[0].http.paths[1]" },
            "policy": { "balance": "least-request" },
        })
    };
    let expected = json!({
        "generation": 7, "routes": [route("old")], "conflicts": [{ "lost": route("young"), "won": route("old") }],
    });
    assert_eq!(get(admin.address, "/routes").await, (200, expected));
}

#[tokio::test]
async fn routes_show_their_filters_and_those_that_are_denied_select_no_endpoint() {
    let admin = start().await;
    let headers = ResponseFilter::Headers(Vec::new());
    let filters = Filters::new(vec![RequestFilter::Deny], vec![headers]);
    admin.routes.publish(table_with(8, Policy { filters, ..Policy::default() }));
    let (_, shown) = get(admin.address, "/routes").await;
    let route = &shown["routes"][0];
    assert_eq!((&route["selection"], &route["backend"]["port"]), (&json!("refused"), &json!("http")));
    let policy = json!({ "balance": "least-request", "filters": ["deny", "response-headers"] });
    assert_eq!(route["policy"], policy);
}

#[tokio::test]
async fn routes_show_the_times_and_attempts_that_are_their_own() {
    let admin = start().await;
    let timeouts = Timeouts { connect: Some(Duration::from_millis(300)), ..Timeouts::default() };
    let retry = Retry { attempts: NonZeroU16::new(1), ..Retry::default() };
    admin.routes.publish(table_with(8, Policy { timeouts, retry, ..Policy::default() }));
    let (_, shown) = get(admin.address, "/routes").await;
    let policy = json!({
        "balance": "least-request", "timeouts": { "connect": "300ms" }, "retry": { "attempts": 1 },
    });
    assert_eq!(shown["routes"][0]["policy"], policy);
}

#[tokio::test]
async fn routes_show_conditions_and_every_backend_that_may_be_chosen() {
    let admin = start().await;
    let always = ValueMatch::Exact("always".into());
    let condition = RequestCondition::Header { name: "x-canary".into(), value: always };
    let (rule, share) = (SplitRule { condition, backend: 0 }, Share { backend: 0, weight: 2 });
    let split = Split::new(vec![rule], vec![share]).unwrap();
    let mut builder = RouteTableBuilder::default();
    let old = table(7);
    let backend = &**old.backend_at(0);
    builder.backend(&backend.key, || backend.clone());
    builder.route(Route {
        path: PathMatch::Pattern(Pattern::of_path("/v[0-9]+", true).unwrap()),
        conditions: Conditions::new(vec![RequestCondition::Method("GET".into())]),
        target: Target::Split(Box::new(split)),
        ..(*old.routes()[0]).clone()
    });
    admin.routes.publish(builder.build(8));
    let (_, shown) = get(admin.address, "/routes").await;
    let backend = json!({ "namespace": "shop", "service": "web", "port": "http" });
    let split = json!({
        "rules": [{ "condition": "header x-canary = always", "backend": backend, "selection": "ready" }],
        "shares": [{ "weight": 2, "backend": backend, "selection": "ready" }],
        "total": 2,
    });
    let route = &shown["routes"][0];
    assert_eq!((&route["split"], &route["backend"]), (&split, &Value::Null));
    assert_eq!(route["conditions"], json!(["method GET"]));
    assert_eq!((&route["path"], &route["pathType"]), (&json!("/v[0-9]+"), &json!("Pattern")));
}
