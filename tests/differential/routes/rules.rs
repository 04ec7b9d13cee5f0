//! Random rules, as a route table and as the locations that ingress-nginx makes of them.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use fastrand::Rng;
use model::{
    Backend, BackendKey, Conditions, HostMatch, ObjectRef, Origin, PathMatch, Policy, Route,
    RouteTableBuilder, Target, Transport,
};
use system_tests::sluice::ready;

use super::{Asked, targets};

/// Rules of one host, its default backend included.
pub(super) const RULES_MAX: usize = 8;

/// Elements of paths; few, so that rules overlap, and each with something to it.
const ELEMENTS: &[&str] =
    &["a", "b", "ab", "A", "app", "a.b", "...", "a b", "caf\u{e9}", "a;b", "a@b", "a?b", "a%b"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Exact,
    Prefix,
    /// The default backend of an Ingress that names the host.
    Default,
}

#[derive(Debug)]
struct Rule {
    kind: Kind,
    /// What it is for, without escapes.
    path: String,
}

#[derive(Debug)]
pub(super) struct Host {
    /// As an Ingress writes it.
    name: String,
    rules: Vec<Rule>,
}

/// A wildcard host and, mostly, a host below it.
pub(super) struct Site {
    place: usize,
    wildcard: Host,
    exact: Option<Host>,
}

impl Site {
    pub(super) fn random(random: &mut Rng, place: usize) -> Site {
        let wildcard = Host::random(random, &format!("*.w{place}.test"));
        let exact = (random.u8(..4) > 0).then(|| Host::random(random, &format!("a.w{place}.test")));
        Site { place, wildcard, exact }
    }

    pub(super) fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.exact.iter().chain([&self.wildcard])
    }

    /// A request for one of its hosts, or for none that has rules.
    pub(super) fn request(&self, random: &mut Rng, any: &Host) -> Asked {
        let place = self.place;
        let host = match random.u8(..16) {
            0 => format!("A.W{place}.test"),
            1 => format!("a.w{place}.test.:8080"),
            2 => format!("a.a.w{place}.test"),
            3 => format!("w{place}.test"),
            4..=7 => format!("b.w{place}.test"),
            _ => format!("a.w{place}.test"),
        };
        let hosts: Vec<&Host> = self.hosts().chain([any]).collect();
        let rules = &hosts[random.usize(..hosts.len())].rules;
        let path = match rules.get(random.usize(..=RULES_MAX)) {
            Some(rule) => rule.path.trim_end_matches('/').to_owned() + &random_path(random, 2),
            None => random_path(random, 3),
        };
        Asked { host, target: targets::random_spelling(random, &path) }
    }
}

impl Host {
    pub(super) fn random(random: &mut Rng, name: &str) -> Host {
        let mut rules: Vec<Rule> = Vec::new();
        for _ in 0..random.usize(1..=RULES_MAX) {
            let (kind, path) = match random.u8(..10) {
                0 => (Kind::Default, String::new()),
                1..=4 => (Kind::Exact, random_path(random, 3)),
                // Its final slash counts for nothing.
                _ => (Kind::Prefix, random_path(random, 3).trim_end_matches('/').to_owned()),
            };
            let path = if kind == Kind::Exact && path.is_empty() { "/".into() } else { path };
            if !rules.iter().any(|rule| (rule.kind, &rule.path) == (kind, &path)) {
                rules.push(Rule { kind, path });
            }
        }
        Host { name: name.into(), rules }
    }

    /// The upstream of a rule: which one of its host it is, and what kind of host.
    fn number(&self, place: usize) -> usize {
        let kind = match HostMatch::parse(&self.name).unwrap() {
            HostMatch::Exact(_) => 0,
            HostMatch::Wildcard(_) => 1,
            HostMatch::Any => 2,
        };
        kind * RULES_MAX + place
    }

    pub(super) fn add_to(&self, builder: &mut RouteTableBuilder, upstream: impl Fn(usize) -> SocketAddr) {
        for (place, rule) in self.rules.iter().enumerate() {
            let number = self.number(place);
            let key = BackendKey {
                namespace: "test".into(),
                service: number.to_string().into(),
                port: "80".into(),
                transport: Arc::new(Transport::default()),
            };
            let make = || Backend::new(key.clone(), vec![ready(upstream(number))]);
            // What stands for itself in a rule, save a % and what no text has.
            let path = rule.path.replace('%', "%25");
            let route = Route {
                host: HostMatch::parse(&self.name).unwrap(),
                path: match rule.kind {
                    Kind::Exact => PathMatch::exact(&path).unwrap(),
                    Kind::Prefix | Kind::Default => PathMatch::prefix(&format!("{path}/")).unwrap(),
                },
                conditions: Conditions::default(),
                target: Target::Backend(builder.backend(&key, make)),
                policy: Arc::new(Policy::default()),
                origin: Origin {
                    place: u32::try_from(place).unwrap(),
                    ..Origin::new(ObjectRef::new("Ingress", "test", &self.name), "spec")
                },
            };
            match rule.kind {
                Kind::Default => builder.default_for_host(route),
                Kind::Exact | Kind::Prefix => builder.route(route),
            }
        }
    }

    /// `location = /app` and `location /app/` for a Prefix; `location /` also for the default backend, or for nothing.
    fn locations(&self) -> String {
        let mut out = String::new();
        let mut add = |location: String, place: usize| {
            let _ = writeln!(
                out,
                "location {location} {{ return 200 \"{} $request_uri\"; }}",
                self.number(place)
            );
        };
        let has = |kind, path: &str| self.rules.iter().any(|rule| rule.kind == kind && rule.path == path);
        for (place, Rule { kind, path }) in self.rules.iter().enumerate() {
            match kind {
                Kind::Exact => add(format!("= \"{path}\""), place),
                Kind::Default if has(Kind::Prefix, "") => {}
                Kind::Default => add("/".into(), place),
                Kind::Prefix => {
                    if !path.is_empty() && !has(Kind::Exact, path) {
                        add(format!("= \"{path}\""), place);
                    }
                    add(format!("\"{path}/\""), place);
                }
            }
        }
        if !has(Kind::Prefix, "") && !has(Kind::Default, "") {
            out += "location / { return 404; }\n";
        }
        out
    }
}

/// Up to so many elements, or none, and perhaps a final slash.
fn random_path(random: &mut Rng, elements_max: usize) -> String {
    let elements = (0..random.usize(..=elements_max)).map(|_| ELEMENTS[random.usize(..ELEMENTS.len())]);
    let path: String = elements.map(|element| format!("/{element}")).collect();
    if random.u8(..4) == 0 { path + "/" } else { path }
}

/// A server for each host; a wildcard stands for one label, as ingress-nginx has it.
pub(super) fn nginx(hosts: &[&Host]) -> String {
    let mut out = "keepalive_timeout 60s; keepalive_requests 1000000;
    server_names_hash_max_size 4096; server_names_hash_bucket_size 128;\n"
        .to_owned();
    for host in hosts {
        let (name, is_default) = match host.name.strip_prefix("*.") {
            _ if host.name.is_empty() => ("_".into(), " default_server"),
            Some(parent) => (format!("~^[\\w-]+\\.{}$", parent.replace('.', "\\.")), ""),
            None => (host.name.clone(), ""),
        };
        let _ = writeln!(
            out,
            "server {{ listen unix:nginx.sock{is_default}; server_name {name};\n{}}}",
            host.locations()
        );
    }
    out
}
