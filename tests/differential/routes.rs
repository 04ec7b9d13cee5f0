//! Which route a request finds, through us and through nginx with the locations that ingress-nginx makes of the same
//! rules: random rules, and random spellings of the paths that they are for.
//!
//! What reaches an upstream is looked at, too: the target as it came, byte for byte.

mod rules;
mod targets;

use std::io::Write;
use std::thread;

use fastrand::Rng;
use model::RouteTableBuilder;
use system_tests::message::Reader;
use system_tests::{Message, Upstream};

use self::rules::{Host, RULES_MAX, Site};
use crate::gates::{Folder, Gate, Nginx, Ours, Stream};

/// Groups of hosts that share nothing but the rules for any host.
const SITES: usize = 100;
const REQUESTS_PER_SITE: usize = 120;
/// Surprises that are told.
const TOLD_MAX: usize = 20;

/// Where we refuse on purpose what nginx finds a route for. We never do the opposite.
const DELIBERATE: &[Difference] = &[
    Difference {
        name: "dot segments beside two slashes, an escaped slash or a backslash",
        reason: "RFC 3986 resolves /a//../b to /a/b, nginx to /b; of /a%2f../b and /a\\..\\b servers make this and that. \
                 What one rule guards would be reached by another",
        covers: |path| {
            let path = targets::folded(path);
            let segments = || path.split(['/', '\\']);
            (path.contains("//") || path.contains('\\')) && segments().any(|it| matches!(it, "." | ".."))
        },
    },
    Difference {
        name: "dot segments beside parameters",
        reason: "servlet containers drop what follows a semicolon, and only then resolve the dots",
        covers: |path| {
            let path = targets::folded(path);
            let names = || path.split(['/', '\\']).map(|it| it.split_once(';'));
            names().flatten().any(|(name, _)| matches!(name, "" | "." | ".."))
        },
    },
];

struct Difference {
    name: &'static str,
    reason: &'static str,
    covers: fn(&str) -> bool,
}

struct Asked {
    host: String,
    target: String,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// This rule was found, by the number that its server answers with.
    Found(String),
    NotFound,
    Refused,
    /// Nothing that a request should come to.
    Odd(String),
}

#[test]
fn every_spelling_of_a_path_finds_the_route_that_nginx_finds_or_is_refused() {
    let mut random = Rng::with_seed(15);
    let any = Host::random(&mut random, "");
    let sites: Vec<Site> = (0..SITES).map(|place| Site::random(&mut random, place)).collect();
    let requests = sites.iter().flat_map(|site| vec![site; REQUESTS_PER_SITE]);
    let requests: Vec<Asked> = requests.map(|site| site.request(&mut random, &any)).collect();
    let hosts: Vec<&Host> = sites.iter().flat_map(Site::hosts).chain([&any]).collect();

    let folder = Folder::new("routes");
    let nginx = Nginx::serving(&folder, &rules::nginx(&hosts));
    let (ours, upstreams) = ours(&hosts);
    let (ours, theirs) = thread::scope(|scope| {
        let theirs = scope.spawn(|| outcomes(&nginx, &requests));
        (outcomes(&ours, &requests), theirs.join().unwrap())
    });
    drop(upstreams);
    judge(&requests, &ours, &theirs);
}

/// Each rule in the place that it has in its host leads to an upstream of its own, which says so and what it was asked for.
fn ours(hosts: &[&Host]) -> (Ours, Vec<Upstream>) {
    let upstreams: Vec<Upstream> = (0..3 * RULES_MAX).map(numbered).collect();
    let mut builder = RouteTableBuilder::default();
    for host in hosts {
        host.add_to(&mut builder, |number| upstreams[number].address);
    }
    (Ours::routing(builder.build(2)), upstreams)
}

fn numbered(number: usize) -> Upstream {
    Upstream::scripted(move |peer| {
        while let Ok(request) = peer.request() {
            if peer.respond(&format!("{number} {}", request.target())).is_err() {
                return;
            }
        }
    })
}

fn outcomes(gate: &impl Gate, requests: &[Asked]) -> Vec<Outcome> {
    let mut line = Line { gate, open: None };
    requests.iter().map(|asked| line.outcome(asked)).collect()
}

/// One connection after the other: a refusal ends one.
struct Line<'g, G> {
    gate: &'g G,
    open: Option<(Box<dyn Stream>, Reader)>,
}

impl<G: Gate> Line<'_, G> {
    fn outcome(&mut self, asked: &Asked) -> Outcome {
        let (mut stream, mut reader) =
            self.open.take().unwrap_or_else(|| (self.gate.connect(), Reader::default()));
        let head = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", asked.target, asked.host);
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = reader.head(&mut stream).unwrap();
        reader.body(&mut stream, &mut answer, true).unwrap();
        if !answer.closes() {
            self.open = Some((stream, reader));
        }
        read(&answer, &asked.target)
    }
}

fn read(answer: &Message, target: &str) -> Outcome {
    let text = answer.text();
    match (answer.status(), text.split_once(' ')) {
        (200, Some((number, arrived))) if arrived == target => Outcome::Found(number.into()),
        (404, _) => Outcome::NotFound,
        (400, _) => Outcome::Refused,
        _ => Outcome::Odd(format!("{answer:?}")),
    }
}

fn judge(requests: &[Asked], ours: &[Outcome], theirs: &[Outcome]) {
    let (mut surprises, mut deliberate, mut found) = (Vec::new(), vec![0; DELIBERATE.len()], 0);
    for ((asked, ours), theirs) in requests.iter().zip(ours).zip(theirs) {
        let path = asked.target.split('?').next().unwrap();
        let known = DELIBERATE.iter().position(|difference| (difference.covers)(path));
        found += usize::from(matches!(ours, Outcome::Found(_)) && ours == theirs);
        match known {
            _ if ours == theirs && !matches!(ours, Outcome::Odd(_)) => {}
            Some(place) if *ours == Outcome::Refused => deliberate[place] += 1,
            _ => surprises.push(format!("{} {}: ours {ours:?}, nginx {theirs:?}", asked.host, asked.target)),
        }
    }
    surprises.truncate(TOLD_MAX);
    assert!(surprises.is_empty(), "\n{}", surprises.join("\n"));
    assert!(
        requests.len() >= 10_000 && found > requests.len() / 3,
        "{found} of {} say little",
        requests.len()
    );
    for (difference, count) in DELIBERATE.iter().zip(deliberate) {
        assert!(count > 0, "no target shows that we refuse {}: {}", difference.name, difference.reason);
    }
}
