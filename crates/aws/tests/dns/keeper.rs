//! Who keeps the records, and when.

use std::time::Duration;

use aws::dns::guard::Limits;
use aws::dns::keeper::{Config, Keeper, State, Wanted};
use aws::dns::plan::{Desired, Settings};
use aws::dns::zones::ZoneFilter;
use aws::target::{Frontends, Scheme};
use model::Published;

use crate::hosts::{ZONES, balancer, desired};
use crate::model::{Calls, Model};

const HOST: (&str, Scheme) = ("www.example.com", Scheme::Internal);

struct Kept {
    model: Model,
    wanted: Wanted,
    live: Published<State>,
}

/// A keeper that runs, of a process that may not write yet.
fn start() -> Kept {
    let model = Model::with_zones(&ZONES[..1]);
    let found = Frontends { by_scheme: [(Scheme::Internal, balancer("Internal-1", false))].into() };
    let wanted = Wanted {
        desired: Published::new(desired(&[HOST])),
        frontends: Published::new(found),
        writes: Published::new(false),
    };
    let config = Config {
        sdk: aws::sdk::Settings::default(),
        settings: Settings::new("us"),
        filter: ZoneFilter::default(),
        limits: Limits::default(),
        given: Default::default(),
        default_scheme: None,
        interval: Duration::from_secs(60),
    };
    let live = Published::new(State::default());
    let keeper = Keeper::new(model.clone(), config, wanted.clone(), live.clone());
    tokio::spawn(keeper.run());
    Kept { model, wanted, live }
}

#[tokio::test(start_paused = true)]
async fn only_a_process_that_may_write_asks_anything_and_it_begins_at_once() {
    let Kept { model, wanted, live } = start();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(model.calls(), Calls::default());
    wanted.writes.publish(true);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((model.all(0).len(), live.load().made), (2, 1));
    wanted.writes.publish(false);
    tokio::time::sleep(Duration::from_secs(20)).await;
    let calls = model.calls();
    wanted.desired.publish(Desired::default());
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!((model.calls(), model.all(0).len(), live.load().writes), (calls, 2, false));
}

#[tokio::test(start_paused = true)]
async fn a_change_is_made_within_seconds_and_what_others_undo_is_made_again_at_the_next_look() {
    let Kept { model, wanted, live } = start();
    wanted.writes.publish(true);
    tokio::time::sleep(Duration::from_secs(15)).await;
    wanted.desired.publish(desired(&[HOST, ("more.example.com", Scheme::Internal)]));
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(model.all(0).len(), 4);
    model.clear(0);
    tokio::time::sleep(Duration::from_secs(70)).await;
    assert_eq!((model.all(0).len(), live.load().problems.len()), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn hosts_that_are_all_gone_at_once_keep_their_records_and_it_is_told() {
    let Kept { model, wanted, live } = start();
    wanted.writes.publish(true);
    tokio::time::sleep(Duration::from_secs(15)).await;
    wanted.desired.publish(Desired::default());
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(model.all(0).len(), 2);
    let held = live.load();
    assert!(held.withheld[0].1.contains("--dns-delete-percent-max 100"), "{held:?}");
}

#[tokio::test(start_paused = true)]
async fn records_stay_as_they_are_while_no_load_balancer_is_found() {
    let Kept { model, wanted, live } = start();
    wanted.writes.publish(true);
    tokio::time::sleep(Duration::from_secs(15)).await;
    wanted.frontends.publish(Frontends::default());
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(model.all(0).len(), 2);
    assert!(live.load().error.as_ref().is_some_and(|error| error.contains("--dns-target")));
}
