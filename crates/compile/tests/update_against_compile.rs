//! `Compiled::update_backends` against `compile`: after random changes of EndpointSlices and DNS answers both must say
//! the same. Names, ports and addresses are few, so that slices of one Service collide, move and are wrong in nearly
//! every world.

#[path = "update_against_compile/changes.rs"]
mod changes;
#[path = "update_against_compile/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;

use changes::Change;
use compile::{Compiled, ObjectKey, Objects, Settings, compile, reasons};
use fastrand::Rng;
use model::{Backend, Get, RequestHost, RequestPath, RouteTable};

/// Random worlds; with the updates of each, some 10^4 cases.
const WORLDS: u64 = 1_500;
const UPDATES_PER_WORLD: u64 = 12;
const CHANGES_PER_UPDATE_MAX: usize = 4;

#[test]
fn an_update_says_what_a_compile_says() {
    let mut seen = Seen::default();
    for seed in 0..WORLDS {
        let mut random = Rng::with_seed(seed);
        let (mut objects, settings) = world::random(&mut random);
        let mut updated = compile(&objects, &settings, 0);
        for generation in 1..=UPDATES_PER_WORLD {
            let mut services = some_services(&mut random);
            for _ in 0..random.usize(..=CHANGES_PER_UPDATE_MAX) {
                services.extend(Change::random(&mut random).apply(&mut objects));
            }
            let before = updated.clone();
            let differs = updated.update_backends(&objects, &settings, &services, generation);
            let at = format!("seed {seed}, update {generation} of {services:?}");
            let expected = compile(&objects, &settings, updated.table.generation);
            assert_same(&updated, &expected, &at);
            assert_touches_only_what_differs(&before, &updated, differs.then_some(generation), &at);
            seen.look(&before, &updated, differs);
        }
    }
    seen.assert_all();
}

/// With what was live before: then an update that finds nothing pending says what a compile after the same would say.
#[test]
fn an_update_keeps_of_before_what_a_compile_keeps() {
    let (mut kept, over) = (0, BTreeSet::new());
    for seed in 0..WORLDS {
        let mut random = Rng::with_seed(seed);
        let (mut objects, settings) = world::random(&mut random);
        let settings = Settings { reference_timeout: Settings::default().reference_timeout, ..settings };
        let mut updated = compile(&objects, &settings, 0);
        for generation in 1..=UPDATES_PER_WORLD {
            let mut services = some_services(&mut random);
            for _ in 0..random.usize(..=CHANGES_PER_UPDATE_MAX) {
                services.extend(Change::random(&mut random).apply(&mut objects));
            }
            let before = updated.clone();
            if before.is_pending(&services) {
                updated = before.compile_again(&objects, &settings, generation, &over);
            } else {
                updated.update_backends(&objects, &settings, &services, generation);
            }
            let at = format!("seed {seed}, update {generation} of {services:?}");
            let expected = before.compile_again(&objects, &settings, updated.table.generation, &over);
            assert_same(&updated, &expected, &at);
            assert_eq!(updated.pending, expected.pending, "{at}");
            kept += updated.pending.len();
        }
    }
    assert!(kept > 10, "{kept}");
}

#[test]
fn slices_of_a_service_are_those_that_name_it() {
    for seed in 0..WORLDS {
        let mut random = Rng::with_seed(seed);
        let (mut objects, _) = world::random(&mut random);
        for _ in 0..UPDATES_PER_WORLD {
            Change::random(&mut random).apply(&mut objects);
        }
        let slices = &objects.endpoint_slices;
        for service in world::all_services() {
            let of = slices.of(&service.namespace, &service.name);
            let naming = slices.iter().filter(|(key, slice)| {
                key.namespace == service.namespace && compile::service_of(slice) == Some(&*service.name)
            });
            assert!(of.eq(naming), "seed {seed}: {service}");
        }
        assert_eq!(slices.iter().count(), slices.len(), "seed {seed}");
        assert!(slices.iter().all(|(key, slice)| slices.get(key) == Some(slice)), "seed {seed}");
    }
}

/// A caller may name more Services than have changed.
fn some_services(random: &mut Rng) -> BTreeSet<ObjectKey> {
    world::all_services().into_iter().filter(|_| random.u8(..4) == 0).collect()
}

fn assert_same(updated: &Compiled, expected: &Compiled, at: &str) {
    let (table, expected_table) = (&updated.table, &expected.table);
    assert_eq!(table.generation, expected_table.generation, "{at}");
    assert_eq!(table.backends(), expected_table.backends(), "{at}");
    assert_eq!(table.routes(), expected_table.routes(), "{at}");
    assert_eq!(table.conflicts(), expected_table.conflicts(), "{at}");
    for backend in expected_table.backends() {
        assert_eq!(table.backend(&backend.key), Some(backend), "{at}");
    }
    assert_eq!(found(table), found(expected_table), "{at}");
    assert_eq!(updated.problems, expected.problems, "{at}");
    assert_eq!(updated.external_names, expected.external_names, "{at}");
    assert_eq!(updated.ours, expected.ours, "{at}");
    assert_eq!(updated.secrets, expected.secrets, "{at}");
}

/// What each request of these worlds is served by.
fn found(table: &RouteTable) -> Vec<Option<String>> {
    let requests = world::HOSTS.iter().flat_map(|host| world::PATHS.map(|path| (*host, path)));
    let find = |(host, path): (&str, &str)| {
        let host = RequestHost::parse(host).ok();
        let path = RequestPath::parse(path).expect("a path");
        let route = table.find(&Get { host: host.as_ref(), path: &path })?;
        let backends: Vec<&Backend> =
            route.target.backends().map(|place| &**table.backend_at(place)).collect();
        Some(format!("{backends:?} by {route:?}"))
    };
    requests.map(find).collect()
}

/// `made` is the generation that the update made, if it said that anything differs.
fn assert_touches_only_what_differs(before: &Compiled, after: &Compiled, made: Option<u64>, at: &str) {
    let same = before.table.backends() == after.table.backends() && before.problems == after.problems;
    assert_eq!(made.is_none(), same, "{at}");
    assert_eq!(after.table.generation, made.unwrap_or(before.table.generation), "{at}");
    for (old, new) in before.table.backends().iter().zip(after.table.backends()) {
        assert_eq!(Arc::ptr_eq(old, new), old == new, "{at}: {}", old.key);
    }
    assert_eq!(
        Arc::ptr_eq(&before.problems, &after.problems),
        before.problems == after.problems,
        "{at}: the problems"
    );
}

/// What has come up: a world without it would prove nothing about it.
#[derive(Default)]
struct Seen {
    nothing_differs: bool,
    only_problems_differ: bool,
    only_backends_differ: bool,
    reasons: BTreeSet<&'static str>,
}

impl Seen {
    fn look(&mut self, before: &Compiled, after: &Compiled, differs: bool) {
        let backends = before.table.backends() != after.table.backends();
        let problems = before.problems != after.problems;
        self.nothing_differs |= !differs;
        self.only_problems_differ |= problems && !backends;
        self.only_backends_differ |= backends && !problems;
        self.reasons.extend(after.problems.iter().map(|problem| problem.reason));
    }

    fn assert_all(&self) {
        assert!(self.nothing_differs && self.only_problems_differ && self.only_backends_differ);
        for reason in [
            reasons::CONFLICT,
            reasons::DANGLING_REFERENCE,
            reasons::DENIED,
            reasons::FORBIDDEN_ADDRESS,
            reasons::INVALID_BACKEND,
            reasons::INVALID_ENDPOINT,
            reasons::INVALID_EXTERNAL_NAME,
            reasons::MISSING_PORT,
            reasons::MORE_PROBLEMS,
            reasons::NO_ENDPOINT_SLICE,
            reasons::UNRESOLVED_NAME,
        ] {
            assert!(self.reasons.contains(reason), "{reason}");
        }
    }
}

/// What is left when all slices are deleted, one by one, and then come back.
#[test]
fn slices_that_all_go_and_come_back_leave_nothing_behind() {
    for seed in 0..WORLDS {
        let (mut objects, settings) = world::random(&mut Rng::with_seed(seed));
        let first = compile(&objects, &settings, 1);
        let mut updated = first.clone();
        let all: Vec<_> = objects.endpoint_slices.iter().map(|(k, s)| (k.clone(), Arc::clone(s))).collect();
        for (key, slice) in &all {
            objects.endpoint_slices.remove(key);
            update(&mut updated, &objects, &settings, changes::service_of(key, slice));
        }
        assert_same(&updated, &compile(&objects, &settings, 1), &format!("seed {seed}: none"));
        for (key, slice) in all.iter().rev() {
            objects.endpoint_slices.insert(key.clone(), Arc::clone(slice));
            update(&mut updated, &objects, &settings, changes::service_of(key, slice));
        }
        assert_same(&updated, &first, &format!("seed {seed}: all"));
    }
}

fn update(updated: &mut Compiled, objects: &Objects, settings: &Settings, service: Option<ObjectKey>) {
    updated.update_backends(objects, settings, &service.into_iter().collect(), 1);
}
