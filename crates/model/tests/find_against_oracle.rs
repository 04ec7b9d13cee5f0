//! `RouteTable::find` against an oracle that knows nothing of hash maps: it walks all rules and judges each by the
//! words of Ingress v1. Hosts and paths are made of few parts, so that rules overlap and conflict in nearly every
//! table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fastrand::Rng;
use model::{
    HostMatch, ObjectRef, Origin, PathMatch, Policy, RequestHost, RequestPath, Route, RouteTable,
    RouteTableBuilder,
};

/// Random tables; with the requests to each, 10^6 cases.
const TABLES: u64 = 10_000;
const REQUESTS_PER_TABLE: usize = 100;
const RULES_PER_TABLE_MAX: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Exact,
    Prefix,
    HostDefault,
    CatchAll,
    /// A rule of which nothing is served but its claim to the host.
    Claim,
}

/// What an Ingress says, as it says it.
#[derive(Clone, Debug)]
struct Rule {
    kind: Kind,
    host: String,
    path: String,
    origin: Origin,
    /// Tells the rule from all others of its table; the table keeps it as the route's backend.
    id: u32,
}

/// A request as its client writes it, and what that means.
struct Request {
    raw_host: &'static str,
    raw_path: String,
    labels: Vec<String>,
    path: String,
}

#[test]
fn find_agrees_with_a_walk_over_all_rules() {
    let requests = all_requests();
    for seed in 0..TABLES {
        let mut random = Rng::with_seed(seed);
        let rules = random_rules(&mut random);
        let table = build(&rules);
        for _ in 0..REQUESTS_PER_TABLE {
            let request = &requests[random.usize(..requests.len())];
            if find(&table, request) != oracle(&rules, request) {
                fail(rules, request, seed);
            }
        }
    }
}

#[test]
fn each_rule_is_served_or_in_conflict_with_the_oldest_of_its_host_and_path() {
    for seed in 0..TABLES {
        let rules: Vec<Rule> =
            random_rules(&mut Rng::with_seed(seed)).into_iter().filter(is_path_rule).collect();
        let table = build(&rules);
        let mut oldest: BTreeMap<(String, &str, Kind), &Rule> = BTreeMap::new();
        for rule in &rules {
            let first = oldest.entry(place(rule)).or_insert(rule);
            *first = if age(rule) < age(first) { rule } else { first };
        }
        let served: BTreeSet<u32> = table.routes().iter().map(|route| route.backend).collect();
        assert_eq!(served, oldest.values().map(|rule| rule.id).collect(), "seed {seed}: {rules:#?}");
        let lost: BTreeMap<u32, u32> =
            table.conflicts().iter().map(|c| (c.lost.backend, c.won.backend)).collect();
        let expected =
            rules.iter().map(|rule| (rule.id, oldest[&place(rule)].id)).filter(|(lost, won)| lost != won);
        assert_eq!(lost, expected.collect(), "seed {seed}: {rules:#?}");
    }
}

/// What makes two rules conflict.
fn place(rule: &Rule) -> (String, &str, Kind) {
    let path = if rule.kind == Kind::Prefix { without_final_slash(&rule.path) } else { &rule.path };
    (rule.host.to_lowercase(), path, rule.kind)
}

// The oracle.

/// The rule that serves the request: of those of the most specific host that match it, the best.
fn oracle(rules: &[Rule], request: &Request) -> Option<u32> {
    let hosts = rules.iter().map(|rule| (rule, host_specificity(&rule.host, &request.labels)));
    let concerned: Vec<(&Rule, u8)> = hosts.filter_map(|(rule, host)| Some((rule, host?))).collect();
    let is_catch_all = |rule: &Rule| rule.kind == Kind::CatchAll;
    let chosen = concerned.iter().filter(|(rule, _)| !is_catch_all(rule)).map(|(_, host)| *host).max();
    let deciding = concerned.iter().filter(|(rule, host)| is_catch_all(rule) || Some(*host) == chosen);
    let matching = deciding.filter_map(|(rule, _)| Some((rank(rule, request)?, *rule)));
    let best = matching.min_by(|(a, first), (b, second)| b.cmp(a).then_with(|| age(first).cmp(&age(second))));
    best.map(|(_, rule)| rule.id)
}

/// How well a rule matches the path, greater is better; `None` if it does not. A rule goes before its host's default, that
/// before the catch-all one, and then: the longer path, Exact before Prefix.
fn rank(rule: &Rule, request: &Request) -> Option<(u8, usize, bool)> {
    match rule.kind {
        Kind::Exact => (rule.path == request.path).then_some((2, rule.path.len(), true)),
        Kind::Prefix => is_element_prefix(&rule.path, &request.path).then_some({
            // The final slash of a prefix counts for nothing, not even for its length.
            (2, without_final_slash(&rule.path).len(), false)
        }),
        Kind::HostDefault => Some((1, 0, false)),
        Kind::CatchAll => Some((0, 0, false)),
        Kind::Claim => None,
    }
}

fn host_specificity(rule: &str, request: &[String]) -> Option<u8> {
    if rule.is_empty() {
        return Some(0);
    }
    let rule = rule.to_lowercase();
    let mut labels = rule.split('.').zip(request);
    let same_count = rule.split('.').count() == request.len();
    let same_labels = labels.all(|(rule, request)| rule == "*" || rule == request);
    (same_count && same_labels).then_some(if rule.starts_with('*') { 1 } else { 2 })
}

fn is_element_prefix(rule: &str, request: &str) -> bool {
    let mut request = request.split('/').skip(1);
    let elements = without_final_slash(rule).split('/').skip(1);
    elements.map(Some).all(|element| element == request.next())
}

fn without_final_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

/// The order in which rules that match equally well are served.
fn age(rule: &Rule) -> (i64, &str, &str, u32) {
    let Origin { created, object, place, .. } = &rule.origin;
    (*created, &object.namespace, &object.name, *place)
}

// The implementation.

fn build(rules: &[Rule]) -> RouteTable {
    let mut builder = RouteTableBuilder::default();
    for rule in rules {
        let path = match rule.kind {
            Kind::Exact => PathMatch::exact(&rule.path),
            _ => PathMatch::prefix(&rule.path),
        };
        let route = Route {
            host: HostMatch::parse(&rule.host).expect("a host"),
            path: path.expect("a path"),
            backend: rule.id,
            policy: Arc::new(Policy::default()),
            origin: rule.origin.clone(),
        };
        match rule.kind {
            Kind::Exact | Kind::Prefix => builder.route(route),
            Kind::HostDefault => builder.default_for_host(route),
            Kind::CatchAll => builder.catch_all(route),
            Kind::Claim => builder.claim(route.host),
        }
    }
    builder.build(1)
}

fn find(table: &RouteTable, request: &Request) -> Option<u32> {
    let host = (!request.raw_host.is_empty()).then(|| RequestHost::parse(request.raw_host).expect("a host"));
    let path = RequestPath::parse(&request.raw_path).expect("a path");
    table.find(host.as_ref(), &path).map(|route| route.backend)
}

// What is random.

fn random_rules(random: &mut Rng) -> Vec<Rule> {
    let count = random.usize(..=RULES_PER_TABLE_MAX);
    (0..).take(count).map(|id| random_rule(random, id)).collect()
}

fn random_rule(random: &mut Rng, id: u32) -> Rule {
    let kind = match random.u8(..14) {
        0 => Kind::HostDefault,
        1 => Kind::CatchAll,
        2 => Kind::Claim,
        3..=6 => Kind::Exact,
        _ => Kind::Prefix,
    };
    let hosts = ["", "x", "*.x", "a.x", "A.X", "b.x", "*.a.x", "b.a.x", "*.b.a.x"];
    let host = if kind == Kind::CatchAll { "" } else { hosts[random.usize(..hosts.len())] };
    let path = if is_default(kind) { "/".into() } else { random_path(random) };
    let object = ObjectRef::new("Ingress", pick(random, &["m", "n"]), pick(random, &["p", "q", "r"]));
    let origin = Origin {
        created: random.i64(..3),
        place: id,
        is_default: is_default(kind),
        ..Origin::new(object, "spec")
    };
    Rule { kind, host: host.into(), path, origin, id }
}

fn pick(random: &mut Rng, of: &[&'static str]) -> &'static str {
    of[random.usize(..of.len())]
}

fn random_path(random: &mut Rng) -> String {
    let elements = (0..random.usize(..4)).map(|_| ["a", "b", "ab"][random.usize(..3)]);
    let path: String = elements.map(|element| format!("/{element}")).collect();
    if path.is_empty() || random.bool() { path + "/" } else { path }
}

fn is_default(kind: Kind) -> bool {
    matches!(kind, Kind::HostDefault | Kind::CatchAll | Kind::Claim)
}

fn is_path_rule(rule: &Rule) -> bool {
    !is_default(rule.kind)
}

/// Every request host with every path of up to three elements, with and without a final slash, in more than one spelling.
fn all_requests() -> Vec<Request> {
    let hosts = [
        ("", ""),
        ("x", "x"),
        ("a.x", "a.x"),
        ("A.x:80", "a.x"),
        ("b.x.", "b.x"),
        ("c.x", "c.x"),
        ("b.a.x", "b.a.x"),
        ("c.a.x", "c.a.x"),
        ("c.b.a.x", "c.b.a.x"),
        ("y", "y"),
    ];
    let mut paths = vec![String::new()];
    for _ in 0..3 {
        let longer =
            paths.iter().flat_map(|path| ["a", "b", "ab", "c"].map(|element| format!("{path}/{element}")));
        paths = paths.iter().cloned().chain(longer).collect::<BTreeSet<_>>().into_iter().collect();
    }
    let paths: Vec<String> = paths.iter().flat_map(|path| [path.clone(), format!("{path}/")]).collect();
    let paths: Vec<String> = paths.into_iter().filter(|path| !path.is_empty()).collect();
    let spellings = |path: &str| {
        let beyond_root = &path[1..];
        [
            path.to_string(),
            path.replace('a', "%61"),
            path.replace('/', "//"),
            path.replace('/', "/./"),
            format!("/z/..{path}"),
            format!("/{}", beyond_root.replace('/', "%2F")),
        ]
    };
    let with_hosts = |path: &String| {
        let spelled = spellings(path).into_iter().flat_map(|raw| hosts.map(|host| (host, raw.clone())));
        spelled.map(|(host, raw)| request(host, raw, path)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(with_hosts).collect()
}

fn request((raw_host, host): (&'static str, &str), raw_path: String, path: &str) -> Request {
    let labels = if host.is_empty() { Vec::new() } else { host.split('.').map(str::to_string).collect() };
    Request { raw_host, raw_path, labels, path: path.into() }
}

/// Leaves out every rule that the disagreement does not need, and tells the rest.
fn fail(mut rules: Vec<Rule>, request: &Request, seed: u64) -> ! {
    let differs = |rules: &[Rule]| find(&build(rules), request) != oracle(rules, request);
    for at in (0..rules.len()).rev() {
        let rule = rules.remove(at);
        if !differs(&rules) {
            rules.insert(at, rule);
        }
    }
    let (found, expected) = (find(&build(&rules), request), oracle(&rules, request));
    let Request { raw_host, raw_path, .. } = request;
    panic!("seed {seed}: {raw_host}{raw_path} finds {found:?}, the oracle says {expected:?}, of {rules:#?}");
}
