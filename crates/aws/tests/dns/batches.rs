//! How changes are sent: whole batches, halves of those that are refused, no faster than Route 53 likes it.

use std::cell::Cell;

use aws::dns::api::FaultKind;
use aws::dns::cycle::{Cycles, Outcome};
use aws::dns::guard::Limits;
use aws::dns::plan::{Desired, Host, Settings};
use aws::dns::zones::ZoneFilter;
use aws::target::Scheme;
use model::ObjectRef;

use crate::hosts::{ZONES, desired, targets};
use crate::model::{Fails, Model};

pub(crate) fn cycles(model: &Model) -> Cycles<Model> {
    Cycles::new(model.clone(), Settings::new("us"), ZoneFilter::default(), Limits::default())
}

/// So many hosts in each of these domains.
pub(crate) fn many(count: usize, domains: &[&str]) -> Desired {
    let object = ObjectRef::new("Ingress", "shop", "web");
    let name = |at: usize| format!("host-{at}.{}", domains[at % domains.len()]);
    let host = |at| Host {
        name: aws::dns::name::Name::new(&name(at)),
        scheme: Scheme::Internal,
        object: object.clone(),
    };
    Desired { hosts: (0..count).map(host).collect(), ..Desired::default() }
}

async fn run(cycles: &mut Cycles<Model>, desired: &Desired) -> Outcome {
    cycles.run(desired, &targets(), || true).await.expect("all can be read")
}

#[tokio::test(start_paused = true)]
async fn a_host_that_route_53_does_not_take_harms_no_other_one() {
    let model = Model::with_zones(&ZONES[..1]);
    model.poison("host-77.example.com");
    let (mut cycles, desired) = (cycles(&model), many(400, &["example.com"]));
    let first = run(&mut cycles, &desired).await;
    assert_eq!((first.made.len(), first.refused), (399, 1));
    let told = &first.plan.problems[0];
    assert!(told.object.name == "host-77.example.com" && told.message.contains("is refused"), "{told}");
    assert_eq!(model.all(0).len(), 2 * 399, "each with its TXT record");
    let before = model.calls().changes;
    assert!(before <= 2 * 9 + 1, "400 are cut in two nine times: {before}");
    let second = run(&mut cycles, &desired).await;
    assert_eq!((second.made.len(), second.refused, model.calls().changes - before), (0, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn one_that_was_refused_is_sent_alone_the_next_time() {
    let model = Model::with_zones(&ZONES[..1]);
    model.poison("host-1.example.com");
    let mut cycles = cycles(&model);
    run(&mut cycles, &many(2, &["example.com"])).await;
    let before = model.calls().changes;
    let more = run(&mut cycles, &many(50, &["example.com"])).await;
    assert_eq!((more.made.len(), more.refused, model.calls().changes - before), (48, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn batches_keep_to_route_53s_limits_and_calls_to_five_a_second() {
    let model = Model::with_zones(&ZONES);
    let outcome = run(&mut cycles(&model), &many(3000, &["example.com", "shop.example.com"])).await;
    // Those of both domains are in the private zone, too.
    assert_eq!((outcome.made.len(), outcome.refused, outcome.stopped), (6000, 0, None));
    assert!(model.rate() <= 5.5, "{} calls a second", model.rate());
}

#[tokio::test(start_paused = true)]
async fn too_many_calls_and_changes_of_others_are_waited_for() {
    let model = Model::with_zones(&ZONES[..1]);
    let (throttled, busy) = (Fails::Before(FaultKind::Throttled), Fails::Before(FaultKind::Busy));
    model.fail([throttled, Fails::Not, throttled, throttled, Fails::Not, busy, throttled, busy]);
    let started = tokio::time::Instant::now();
    let outcome = run(&mut cycles(&model), &desired(&[("www.example.com", Scheme::Internal)])).await;
    assert_eq!((outcome.made.len(), outcome.stopped), (1, None));
    assert!(started.elapsed().as_secs() >= 5, "each pause is twice the one before: {:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_lets_nothing_be_written() {
    for kind in [FaultKind::Denied, FaultKind::Credentials, FaultKind::Unanswered, FaultKind::NoZone] {
        let model = Model::with_zones(&ZONES[..1]);
        model.fail([Fails::Not, Fails::Before(kind)]);
        let desired = desired(&[("www.example.com", Scheme::Internal)]);
        let fault = cycles(&model).run(&desired, &targets(), || true).await.expect_err("it cannot be read");
        assert_eq!((fault.kind, model.calls().changes), (kind, 0));
        assert!(!fault.remedy().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_not_be_made_stops_its_zone_and_says_which_right_is_missing() {
    let model = Model::with_zones(&ZONES[..1]);
    model.fail([Fails::Not, Fails::Not, Fails::Before(FaultKind::Denied)]);
    let outcome = run(&mut cycles(&model), &desired(&[("www.example.com", Scheme::Internal)])).await;
    let fault = outcome.stopped.expect("it was stopped");
    assert!(fault.to_string().contains("allow route53:ChangeResourceRecordSets to our role"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_may_write_no_longer_stops_before_its_next_call() {
    let model = Model::with_zones(&ZONES[..1]);
    let left = Cell::new(1);
    let may_write = || left.replace(left.get() - 1) > 0;
    let desired = many(1200, &["example.com"]);
    let outcome = cycles(&model).run(&desired, &targets(), may_write).await.expect("all can be read");
    assert_eq!((outcome.made.len(), model.calls().changes), (model.all(0).len() / 2, 1));
    assert!((1..1200).contains(&outcome.made.len()));
    assert!(outcome.stopped.is_some_and(|fault| fault.message.contains("another replica")));
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_answer_is_lost_is_found_made_the_next_time() {
    let model = Model::with_zones(&ZONES[..1]);
    model.fail([Fails::Not, Fails::Not, Fails::After]);
    let (mut cycles, desired) = (cycles(&model), desired(&[("www.example.com", Scheme::Internal)]));
    let lost = run(&mut cycles, &desired).await;
    assert_eq!((lost.made.len(), lost.stopped.map(|fault| fault.kind)), (0, Some(FaultKind::Unanswered)));
    let next = run(&mut cycles, &desired).await;
    assert_eq!((next.plan.changes, next.plan.in_place), (vec![], 1));
}
