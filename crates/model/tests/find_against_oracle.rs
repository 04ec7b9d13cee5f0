//! `RouteTable::find` and the choice of a backend against an oracle that knows nothing of hash maps and regular
//! expressions: it walks all rules and judges each by the words of Ingress v1, of nginx' locations and of the Gateway API.
//! Hosts, paths and conditions are made of few parts, so that rules overlap and conflict in nearly every table.

#[path = "find_against_oracle/oracle.rs"]
mod oracle;
#[path = "find_against_oracle/requests.rs"]
mod requests;
#[path = "find_against_oracle/rules.rs"]
mod rules;
#[path = "find_against_oracle/tables.rs"]
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use oracle::oracle;
use requests::{Asked, Request, all_requests};
use rules::{Rule, random_rules};
use tables::{build, explained, find, id_of};

/// Random tables; with the requests to each, 10^6 cases.
const TABLES: u64 = 10_000;
const REQUESTS_PER_TABLE: usize = 100;
/// To explain is slower.
const EXPLAINED_PER_TABLE: usize = 5;

#[test]
fn find_agrees_with_a_walk_over_all_rules() {
    let requests = all_requests();
    for seed in 0..TABLES {
        let mut random = Rng::with_seed(seed);
        let rules = random_rules(&mut random);
        let table = build(&rules);
        for _ in 0..REQUESTS_PER_TABLE {
            let asked = Asked::random(&mut random, &requests);
            if find(&table, &asked) != oracle(&rules, &asked) {
                fail(rules, &asked, seed);
            }
        }
    }
}

#[test]
fn explain_names_the_rule_that_is_found() {
    let requests = all_requests();
    for seed in 0..TABLES {
        let mut random = Rng::with_seed(seed);
        let table = build(&random_rules(&mut random));
        for _ in 0..EXPLAINED_PER_TABLE {
            let asked = Asked::random(&mut random, &requests);
            assert_eq!(explained(&table, &asked), find(&table, &asked).map(|(rule, _)| rule), "seed {seed}");
        }
    }
}

#[test]
fn each_rule_is_served_or_in_conflict_with_the_oldest_that_asks_for_the_same() {
    for seed in 0..TABLES {
        let mut rules = random_rules(&mut Rng::with_seed(seed));
        rules.retain(|rule| !rule.is_default());
        let table = build(&rules);
        let mut oldest: BTreeMap<_, &Rule> = BTreeMap::new();
        for rule in &rules {
            let first = oldest.entry(rule.place()).or_insert(rule);
            *first = if rule.age() < first.age() { rule } else { first };
        }
        let served: BTreeSet<u32> = table.routes().iter().map(|route| id_of(route)).collect();
        assert_eq!(served, oldest.values().map(|rule| rule.id).collect(), "seed {seed}: {rules:#?}");
        let lost: BTreeMap<u32, u32> =
            table.conflicts().iter().map(|c| (id_of(&c.lost), id_of(&c.won))).collect();
        let expected =
            rules.iter().map(|rule| (rule.id, oldest[&rule.place()].id)).filter(|(lost, won)| lost != won);
        assert_eq!(lost, expected.collect(), "seed {seed}: {rules:#?}");
    }
}

/// Leaves out every rule that the disagreement does not need, and tells the rest.
fn fail(mut rules: Vec<Rule>, asked: &Asked<'_>, seed: u64) -> ! {
    let differs = |rules: &[Rule]| find(&build(rules), asked) != oracle(rules, asked);
    for at in (0..rules.len()).rev() {
        let rule = rules.remove(at);
        if !differs(&rules) {
            rules.insert(at, rule);
        }
    }
    let (found, expected) = (find(&build(&rules), asked), oracle(&rules, asked));
    let Asked { request: Request { raw_host, raw_path, .. }, method, header, query, cookie, number } = asked;
    panic!(
        "seed {seed}: {method} {raw_host}{raw_path} with header {header:?}, query {query:?}, cookie {cookie:?}, \
         number {number} finds {found:?}, the oracle says {expected:?}, of {rules:#?}"
    );
}
