//! Writes what an input comes to, as YAML that reads well in a difference.

use std::fmt::Write as _;
use std::sync::Arc;

use compile::{CertificateClaims, Claim, Compiled, Profile};
use model::{
    Backend, Get, HostMatch, Problem, Protocol, RequestHost, RequestPath, Route, RouteTable, Selection,
    Target, TcpService,
};

use crate::case::Case;

pub(crate) fn render(case: &Case) -> String {
    let Compiled { table, problems, no_routes, certificates, external_names, pending, .. } = case.compile();
    let mut out = String::new();
    section(&mut out, "routes", table.routes().iter().map(|r| route(&table, r)));
    if table.tcp_services().len() > 0 {
        section(&mut out, "tcpServices", table.tcp_services().map(|service| tcp_service(&table, service)));
    }
    section(&mut out, "backends", table.backends().iter().map(|b| backend(b)));
    if !external_names.is_empty() {
        section(&mut out, "externalNames", external_names.iter().cloned());
    }
    // Whether there is one of our own making beside them is the profile's to say.
    if certificates != (CertificateClaims { stand_in: certificates.stand_in, ..CertificateClaims::default() })
    {
        section(&mut out, "certificates", claims(&certificates));
    }
    if !pending.is_empty() {
        section(&mut out, "pending", pending.iter().map(ToString::to_string));
    }
    section(&mut out, "problems", problems.iter().map(problem));
    if let Some(why) = no_routes {
        let _ = writeln!(out, "noRoutes: {}", quoted(&why.text));
    }
    if !case.requests.is_empty() {
        section(&mut out, "requests", case.requests.iter().map(|(host, path)| request(&table, host, path)));
    }
    out
}

fn section(out: &mut String, name: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> =
        items.map(|item| format!("- {}\n", item.trim_end().replace('\n', "\n  "))).collect();
    if items.is_empty() {
        out.push_str(&format!("{name}: []\n"));
    } else {
        out.push_str(&format!("{name}:\n{}", items.concat()));
    }
}

fn tcp_service(table: &RouteTable, service: &TcpService) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "port: {}", service.port);
    let _ = writeln!(out, "backend: {}", table.backend_at(service.backend).key);
    if service.reads_proxy_header {
        let _ = writeln!(out, "begins: with a PROXY header");
    }
    let _ = writeln!(out, "balance: {}", service.balance.as_str());
    let _ = writeln!(out, "idleTimeout: {:?}", service.idle_timeout);
    if let Some(attempts) = service.attempts {
        let _ = writeln!(out, "attempts: {attempts}");
    }
    if let Some(time) = service.try_for {
        let _ = writeln!(out, "tryFor: {time:?}");
    }
    out
}

fn route(table: &RouteTable, route: &Arc<Route>) -> String {
    let mut out = String::new();
    // Unquoted, a * would begin an alias.
    let quote = if matches!(route.host, HostMatch::Exact(_)) { "" } else { "'" };
    let _ = writeln!(out, "host: {quote}{}{quote}", route.host);
    let _ = match table.is_default(route) {
        false => writeln!(out, "match: {}", route.path),
        true => writeln!(out, "match: what no rule does"),
    };
    let key = |place: u32| &table.backend_at(place).key;
    match &route.target {
        Target::Backend(place) => drop(writeln!(out, "backend: {}", key(*place))),
        Target::Nothing => {}
        Target::Split(split) => {
            for rule in split.rules() {
                let _ = writeln!(
                    out,
                    "rule: {}",
                    quoted(&format!("{} -> {}", rule.condition, key(rule.backend)))
                );
            }
            for share in split.shares() {
                let _ =
                    writeln!(out, "share: {} of {} -> {}", share.weight, split.total(), key(share.backend));
            }
        }
    }
    let _ = writeln!(out, "balance: {}", route.policy.balance.as_str());
    if let Some(keyed) = &route.policy.keyed {
        let _ = writeln!(out, "keyed: {}", quoted(&keyed.to_string()));
    }
    for (word, time) in route.policy.timeouts.words() {
        let _ = writeln!(out, "{word}: {time:?}");
    }
    for (word, count) in route.policy.retry.words() {
        let _ = writeln!(out, "{word}: {count}");
    }
    if route.passes_tls() {
        let _ = writeln!(out, "tls: passed through");
    }
    if let Some(bytes) = route.policy.request_body_max {
        let _ = writeln!(out, "requestBodyMax: {bytes}");
    }
    for filter in route.policy.filters.iter().flat_map(|filters| filters.request()) {
        let _ = writeln!(out, "request: {}", quoted(&filter.to_string()));
    }
    for filter in route.policy.filters.iter().flat_map(|filters| filters.response()) {
        let _ = writeln!(out, "response: {}", quoted(&filter.to_string()));
    }
    // The edge that comes with the profile is not repeated at each route.
    let usual = Profile::IngressNginx.edge().expect("an edge");
    for (word, said) in route.policy.edge.iter().flat_map(|edge| edge.beside(&usual)) {
        let _ = writeln!(out, "edge: {}", quoted(&format!("{word}: {said}")));
    }
    if route.policy.is_unlogged {
        let _ = writeln!(out, "unlogged: true");
    }
    let _ = writeln!(out, "origin: {}", route.origin);
    out
}

fn backend(backend: &Backend) -> String {
    let mut out = format!("name: {}\n", backend.key);
    if backend.protocol != Protocol::Http {
        let _ = writeln!(out, "speaks: {}", backend.protocol.as_str());
    }
    let _ = match backend.selection() {
        Selection::Ready => writeln!(out, "uses: ready"),
        Selection::Terminating => writeln!(out, "uses: terminating"),
        Selection::None(why) => writeln!(out, "uses: none, {}", why.as_str()),
    };
    if !backend.endpoints().is_empty() {
        out.push_str("endpoints:\n");
    }
    for endpoint in backend.endpoints() {
        let (key, condition) = (&endpoint.key, endpoint.condition.as_str());
        let _ = writeln!(out, "- '{} {condition}, uid {}'", key.address, key.uid);
    }
    out
}

fn claims(certificates: &CertificateClaims) -> impl Iterator<Item = String> {
    let host = |(host, claims): (&HostMatch, &Vec<Claim>)| {
        claims.iter().map(|one| claim(&format!("for: '{host}'"), one)).collect::<Vec<_>>()
    };
    let own_names = certificates.own_names.iter().map(|one| claim("for: its own names", one));
    let default = certificates.default.iter().map(|secret| format!("for: all other names\nfrom: {secret}"));
    certificates.hosts.iter().flat_map(host).chain(own_names).chain(default)
}

fn claim(of: &str, claim: &Claim) -> String {
    let secrets: Vec<String> =
        claim.secrets.iter().map(|named| format!("{} ({})", named.secret, named.field)).collect();
    format!("{of}\nfrom: {}\nby: Ingress {}", secrets.join(", "), claim.ingress)
}

fn problem(problem: &Problem) -> String {
    let mut out = format!("{}: {}\n", problem.severity.as_str(), problem.reason);
    let _ = writeln!(out, "object: {}", problem.object);
    if !problem.field.is_empty() {
        let _ = writeln!(out, "field: {}", problem.field);
    }
    let _ = writeln!(out, "message: {}", quoted(&problem.message));
    let _ = writeln!(out, "remedy: {}", quoted(&problem.remedy));
    out
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn request(table: &RouteTable, host: &str, path: &str) -> String {
    let name = (!host.is_empty()).then(|| RequestHost::parse(host).expect("a host"));
    let facts = Get { host: name.as_ref(), path: &RequestPath::parse(path).expect("a path") };
    let route = table.find(&facts);
    let chosen = |route: &Route| Some(table.backend_at(table.choose(route, &facts, |_| 0)?));
    let answer = match route.map(|route| (route, chosen(route))) {
        None => "404".into(),
        Some((route, None)) => format!("what its filters answer, or 404, by {}", route.origin),
        Some((route, _)) if route.policy.denies() => format!("503, denied by {}", route.origin),
        Some((route, Some(backend))) => {
            let status = if backend.usable().is_empty() { "503 from " } else { "" };
            format!("{status}{} by {}", backend.key, route.origin)
        }
    };
    format!("GET {host}{path} -> {answer}")
}
