//! The same bytes through us, nginx and haproxy, each to an upstream of its own that writes down what arrives.
//!
//! Where two proxies differ, one of them can be had to send on what the other would have refused. So each difference is
//! known here, with its reason: `cases` has them all, and `programs` what real programs send, as nginx 1.22 and haproxy 2.6
//! read them (newer ones refuse more). A peer that is not installed fails the test: `cargo xtask test` installs both.
//! `client_tls` compares what becomes of clients' certificates, and `routes` does the same for what a route is found by, with random rules and targets, and `limits` for what is too much.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod answers;
mod auth;
mod cases;
mod client_tls;
mod compression;
mod edge;
mod gates;
mod limits;
mod origin;
mod paths;
mod programs;
mod routes;
mod shop;
mod upstream_host;

use std::io::{Read, Write};

use self::cases::{CASES, Case};
use self::gates::{Gate, Haproxy, Nginx, Ours};
use self::origin::Origin;

/// Stands behind each input, and ends the connection where it is understood as a request.
const LAST: &[u8] = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// What came of one input.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    /// Answers with a status below 400.
    served: usize,
    /// Whole requests that have reached the upstream: method, target, host and body of each.
    arrived: Vec<String>,
}

/// How we stand to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    /// The same has arrived and as many requests were served; how a refusal is called may differ.
    Same,
    /// We refuse what it sends on.
    Stricter,
    /// We send on what it refuses.
    Laxer,
    /// Both send something on, and not the same.
    Other,
}

impl Relation {
    fn of(ours: &Seen, peers: &Seen) -> Relation {
        match (ours.arrived.len(), peers.arrived.len()) {
            _ if ours == peers => Relation::Same,
            (less, more) if less < more => Relation::Stricter,
            (more, less) if more > less => Relation::Laxer,
            _ => Relation::Other,
        }
    }
}

/// Sends an input and waits for the end of the connection.
fn ask(gate: &dyn Gate, origin: &Origin, input: &[u8]) -> Seen {
    let mut stream = gate.connect();
    // It may be refused before all of it is written.
    let _ = stream.write_all(&[input, LAST].concat());
    let mut answers = Vec::new();
    let _ = stream.read_to_end(&mut answers);
    let answers = String::from_utf8_lossy(&answers).into_owned();
    let statuses =
        answers.split("HTTP/1.").skip(1).filter_map(|answer| answer.get(2..5)?.parse::<u16>().ok());
    // Those that are whole were written down before they were answered.
    Seen { served: statuses.filter(|status| (200..400).contains(status)).count(), arrived: origin.take() }
}

fn all() -> impl Iterator<Item = Case> {
    CASES.iter().cloned().chain(programs::cases())
}

fn show(case: &Case, seen: &[(&str, &Seen)]) -> String {
    let input = case.input.escape_ascii().to_string();
    let mut text = format!("{}: {}\n", case.name, input.get(..400).unwrap_or(&input));
    for (name, seen) in seen {
        let arrived = format!("{:?}", seen.arrived);
        let arrived = arrived.get(..400).unwrap_or(&arrived);
        text += &format!("    {name}: {} served, arrived: {arrived}\n", seen.served);
    }
    text
}

#[test]
fn every_difference_from_nginx_and_haproxy_is_known_and_has_a_reason() {
    let origins = [Origin::start(), Origin::start(), Origin::start()];
    let folder = gates::Folder::new("cases");
    let ours = Ours::start(origins[0].address());
    let nginx = Nginx::start(&folder, origins[1].address());
    let haproxy = Haproxy::start(&folder, origins[2].address());
    let mut surprises = String::new();
    for case in all() {
        let ours = ask(&ours, &origins[0], &case.input);
        let nginx = ask(&nginx, &origins[1], &case.input);
        let haproxy = ask(&haproxy, &origins[2], &case.input);
        let found = (Relation::of(&ours, &nginx), Relation::of(&ours, &haproxy));
        if found != (case.nginx, case.haproxy) {
            surprises += &show(&case, &[("ours", &ours), ("nginx", &nginx), ("haproxy", &haproxy)]);
            surprises += &format!("    known: {:?}, found: {found:?}\n", (case.nginx, case.haproxy));
        }
    }
    assert!(surprises.is_empty(), "\n{surprises}");
}

#[test]
fn each_known_difference_has_a_reason_and_nothing_else_has() {
    for case in all() {
        let differs = (case.nginx, case.haproxy) != (Relation::Same, Relation::Same);
        assert_eq!(differs, !case.reason.is_empty(), "{}", case.name);
    }
}
