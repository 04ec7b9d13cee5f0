//! What hosts of patterns cost at worst, and in which order patterns are asked.

use std::sync::Arc;

use model::{
    Conditions, Get, HostMatch, ObjectRef, Origin, PathMatch, Pattern, Policy, RequestPath, Route,
    RouteTable, RouteTableBuilder, Target,
};

fn table(paths: &[(&str, PathMatch)]) -> RouteTable {
    let mut builder = RouteTableBuilder::default();
    let route = |name: &str, path: &PathMatch| Route {
        host: HostMatch::Any,
        path: path.clone(),
        conditions: Conditions::default(),
        target: Target::Nothing,
        policy: Arc::new(Policy::default()),
        origin: Origin::new(ObjectRef::new("Ingress", "n", name), "spec"),
    };
    paths.iter().for_each(|(name, path)| builder.route(route(name, path)));
    builder.catch_all(route("rest", &PathMatch::Prefix("".into())));
    builder.build(1)
}

fn location(path: &str) -> PathMatch {
    PathMatch::Pattern(Pattern::of_location(path, path).expect("a pattern"))
}

fn found(table: &RouteTable, path: &str) -> Option<String> {
    let path = RequestPath::parse(path).expect("a path");
    let facts = Get { host: None, path: &path };
    table.find(&facts).map(|route| route.origin.object.name.clone())
}

/// Its program takes nearly 64 KiB, and a look at a long path some 40 ms.
#[test]
fn a_path_that_patterns_would_take_too_long_for_has_no_route_and_is_not_served_past_them() {
    let table = table(&[("slow", location("/.*[ab]*a[ab]{600}c")), ("prefix", PathMatch::Prefix("".into()))]);
    assert_eq!(found(&table, "/ab").as_deref(), Some("prefix"));
    assert_eq!(found(&table, &format!("/{}", "ab".repeat(4 << 10))), None);
}

#[test]
fn patterns_are_passed_over_at_no_cost_by_what_they_begin_with() {
    let slow =
        |number: usize| (format!("slow-{number}"), location(&format!("/{number}/.*[ab]*a[ab]{{600}}c")));
    let slow: Vec<_> = (0..20).map(slow).collect();
    let mut paths: Vec<_> = slow.iter().map(|(name, path)| (name.as_str(), path.clone())).collect();
    paths.push(("short", location("/x")));
    assert_eq!(found(&table(&paths), &format!("/X{}", "ab".repeat(4 << 10))).as_deref(), Some("short"));
}

#[test]
fn of_patterns_as_long_the_greater_is_asked_first() {
    let paths = [("a", location("/a.")), ("b", location("/.b")), ("long", location("/ab+"))];
    let table = table(&paths);
    assert_eq!(
        ["/ab", "/xb", "/ac"].map(|path| found(&table, path)),
        ["long", "b", "a"].map(|it| Some(it.into()))
    );
    assert_eq!(found(&table, "/a%62").as_deref(), Some("long"), "a pattern sees what a path stands for");
}
