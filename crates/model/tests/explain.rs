//! What `explain` says of rules that lost to one with a pattern or with conditions.

use std::sync::Arc;

use model::{
    Conditions, Get, HostMatch, ObjectRef, Origin, PathMatch, Pattern, Policy, RequestCondition, RequestPath,
    Route, RouteTable, RouteTableBuilder, Target, Verdict, explain,
};

/// A route for every host from an Ingress of this name.
fn route(name: &str, path: PathMatch, methods: &[&str]) -> Route {
    let conditions = methods.iter().map(|method| RequestCondition::Method((*method).into()));
    Route {
        host: HostMatch::Any,
        path,
        conditions: Conditions::new(conditions.collect()),
        target: Target::Backend(0),
        policy: Arc::new(Policy::default()),
        origin: Origin {
            created: 0,
            ..Origin::new(ObjectRef::new("Ingress", "n", name), "spec.rules[0].http.paths[0]")
        },
    }
}

fn prefix(path: &str) -> PathMatch {
    PathMatch::prefix(path).expect("a path")
}

fn pattern(written: &str) -> PathMatch {
    PathMatch::Pattern(Pattern::of_path(written, false).expect("a pattern"))
}

fn table(routes: Vec<Route>, defaults: Vec<Route>) -> RouteTable {
    let mut builder = RouteTableBuilder::default();
    routes.into_iter().for_each(|route| builder.route(route));
    defaults.into_iter().for_each(|route| builder.default_for_host(route));
    builder.build(1)
}

/// The Ingresses with what became of their rules for a GET of this path, the winner first.
fn verdicts(table: &RouteTable, path: &str) -> Vec<(String, Verdict)> {
    let path = RequestPath::parse(path).expect("a path");
    let explained = explain(table, &Get { host: None, path: &path });
    let told = |one: &model::Candidate| (one.route.origin.object.name.clone(), one.verdict);
    explained.candidates.iter().map(told).collect()
}

fn expected(verdicts: &[(&str, Verdict)]) -> Vec<(String, Verdict)> {
    verdicts.iter().map(|(name, verdict)| ((*name).to_owned(), *verdict)).collect()
}

#[test]
fn exact_goes_before_patterns_and_they_before_prefixes() {
    let exact = route("exact", PathMatch::exact("/a/b").expect("a path"), &[]);
    let routes = vec![
        exact,
        route("long", pattern("/a/.*"), &[]),
        route("short", pattern("/a"), &[]),
        route("prefix", prefix("/a/b"), &[]),
        route("other", pattern("/x"), &[]),
    ];
    let table = table(routes, Vec::new());
    let all = expected(&[
        ("exact", Verdict::Won),
        ("long", Verdict::BesideExact),
        ("prefix", Verdict::BesideExact),
        ("short", Verdict::BesideExact),
        ("other", Verdict::PathDiffers),
    ]);
    assert_eq!(verdicts(&table, "/a/b"), all);
    let of_patterns = expected(&[
        ("long", Verdict::Won),
        ("short", Verdict::LaterPattern),
        ("prefix", Verdict::PrefixBesidePattern),
        ("exact", Verdict::PathDiffers),
        ("other", Verdict::PathDiffers),
    ]);
    assert_eq!(verdicts(&table, "/a/b/c"), of_patterns);
}

#[test]
fn a_rule_whose_conditions_fail_is_told_from_one_that_has_fewer() {
    let routes = vec![
        route("gets", prefix("/a"), &["GET"]),
        route("all", prefix("/a"), &[]),
        route("posts", prefix("/a/b"), &["POST"]),
        route("shorter", prefix("/"), &["GET"]),
    ];
    let table = table(routes, vec![route("default", prefix("/"), &[])]);
    let told = expected(&[
        ("gets", Verdict::Won),
        ("all", Verdict::FewerConditions),
        ("shorter", Verdict::ShorterPath),
        ("posts", Verdict::ConditionsFail),
        ("default", Verdict::OnlyDefault),
    ]);
    assert_eq!(verdicts(&table, "/a/b"), told);
}

#[test]
fn two_rules_conflict_only_if_they_ask_for_the_same() {
    let routes = vec![
        route("first", prefix("/a"), &["GET"]),
        route("second", prefix("/a"), &["GET", "GET"]),
        route("third", pattern("/a"), &["GET"]),
    ];
    let told = expected(&[
        ("third", Verdict::Won),
        ("second", Verdict::Conflict),
        ("first", Verdict::PrefixBesidePattern),
    ]);
    assert_eq!(verdicts(&table(routes, Vec::new()), "/a"), told);
}

#[test]
fn the_groups_of_the_pattern_that_was_found_can_be_asked_for() {
    let table = table(vec![route("one", pattern("/api(/|$)(.*)"), &[])], Vec::new());
    let path = RequestPath::parse("/api//v1/%78").expect("a path");
    let found = table.find(&Get { host: None, path: &path }).expect("a route");
    let decoded = path.decoded();
    let captures = found.path.captures(&decoded).expect("a pattern");
    let groups = [1, 2, 3].map(|group| captures.get(group));
    assert_eq!(groups, [Some(&b"/"[..]), Some(b"v1/x"), None]);
    assert!(prefix("/api").captures(&decoded).is_none());
}
