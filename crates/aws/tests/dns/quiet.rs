//! What many hosts cost.

use std::time::Instant;

use aws::dns::name::Name;
use aws::dns::plan::{Settings, Zone, ZoneRecords, plan};

use crate::batches::{cycles, many};
use crate::hosts::targets;
use crate::model::{Calls, Model};

const DOMAINS: [&str; 3] = ["example.com", "shop.example.com", "example.org"];
const HOSTS: usize = 5_000;

/// The figure is for a release build; others may be ten times as slow, and slower beside others.
#[tokio::test(start_paused = true)]
async fn five_thousand_hosts_in_three_zones_are_planned_in_a_second_and_a_quiet_cycle_only_lists() {
    let model = Model::with_zones(&DOMAINS.map(|name| (name, false)));
    let (mut cycles, desired) = (cycles(&model), many(HOSTS, &DOMAINS));
    let outcome = cycles.run(&desired, &targets(), || true).await.expect("all can be read");
    assert_eq!((outcome.made.len(), outcome.stopped), (HOSTS, None));

    let zones: Vec<ZoneRecords> = (0..DOMAINS.len())
        .map(|at| {
            let zone = Zone { id: format!("Z{at}").into(), name: Name::new(DOMAINS[at]), is_private: false };
            ZoneRecords { zone, records: model.all(at) }
        })
        .collect();
    let started = Instant::now();
    let planned = plan(&desired, &targets(), &zones, &Settings::new("us"));
    let took = started.elapsed();
    println!("a plan of {HOSTS} hosts in {} zones took {took:?}", DOMAINS.len());
    assert_eq!((planned.changes.len(), planned.in_place), (0, HOSTS));
    if !cfg!(debug_assertions) {
        assert!(took.as_secs_f64() <= 1.0, "{took:?}");
    }

    let before = model.calls();
    let quiet = cycles.run(&desired, &targets(), || true).await.expect("all can be read");
    assert_eq!((quiet.made.len(), quiet.plan.in_place), (0, HOSTS));
    let after = model.calls();
    let pages: usize = zones.iter().map(|zone| zone.records.len().div_ceil(300)).sum();
    assert_eq!(
        after,
        Calls { zones: before.zones + 1, records: before.records + pages, changes: before.changes }
    );
}
