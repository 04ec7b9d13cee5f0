//! From any zone, through any sequence of hosts, failures, ends of processes and two replicas that both believe they may write:
//! what is not ours stays, and in the end all is as it should be.

use std::collections::BTreeSet;
use std::time::Duration;

use aws::dns::api::FaultKind;
use aws::dns::cycle::Cycles;
use aws::dns::guard::Limits;
use aws::dns::name::Name;
use aws::dns::ownership::TxtFormat;
use aws::dns::plan::{Desired, Settings, Targets};
use aws::dns::record::{Kind, RecordSet};
use aws::dns::zones::ZoneFilter;
use aws::target::Scheme;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::adoption::claim;
use crate::hosts::{balancer, desired, named, targets};
use crate::model::{Fails, Model};

/// Names that are in each other's way: TXT records of some are the names of others.
const NAMES: [&str; 9] = [
    "www.example.com",
    "a-www.example.com",
    "cname-www.example.com",
    "aaaa-www.example.com",
    "*.in.example.com",
    "any.in.example.com",
    "a.shop.example.com",
    "example.com",
    "free.example.com",
];

/// Of records and claims that end with this nothing is there at first, so that a record of somebody else is surely foreign.
const FREE: &str = "free.example.com";

/// What one replica does.
#[derive(Clone, Debug)]
struct Turn {
    hosts: Vec<(&'static str, Scheme)>,
    static_names: bool,
    dies: bool,
}

#[derive(Clone, Debug)]
struct Step {
    turns: [Turn; 2],
    fails: Vec<Fails>,
}

fn hosts() -> impl Strategy<Value = Vec<(&'static str, Scheme)>> {
    let scheme = select(&Scheme::ALL[..]);
    subsequence(NAMES.to_vec(), 0..=NAMES.len()).prop_flat_map(move |names| {
        names.into_iter().map(|name| (Just(name), scheme.clone())).collect::<Vec<_>>()
    })
}

fn turn() -> impl Strategy<Value = Turn> {
    (hosts(), any::<bool>(), any::<bool>()).prop_map(|(hosts, static_names, dies)| Turn {
        hosts,
        static_names,
        dies,
    })
}

fn fails() -> impl Strategy<Value = Fails> {
    let kinds = [
        FaultKind::Throttled,
        FaultKind::Busy,
        FaultKind::Refused,
        FaultKind::Unanswered,
        FaultKind::Denied,
        FaultKind::Credentials,
        FaultKind::Other,
    ];
    prop_oneof![
        6 => Just(Fails::Not),
        2 => select(kinds.to_vec()).prop_map(Fails::Before),
        1 => Just(Fails::After),
        1 => any::<bool>().prop_map(|has_effect| Fails::Hang { has_effect }),
        1 => Just(Fails::Intruder(FREE)),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = ([turn(), turn()], vec(fails(), 0..12)).prop_map(|(turns, fails)| Step { turns, fails });
    vec(step, 0..5)
}

/// What somebody else has in a zone: none of it may change.
fn foreign() -> impl Strategy<Value = Vec<RecordSet>> {
    let names: Vec<&str> = NAMES.into_iter().filter(|name| *name != FREE).collect();
    let record = (select(names), 0..6_u8).prop_map(|(name, what)| {
        let plain = name.strip_prefix("*.").unwrap_or(name);
        let name = Name::new(name);
        match what {
            0 => vec![RecordSet::value(&name, Kind::A, 60, "192.0.2.1")],
            1 => vec![RecordSet::value(&name, Kind::Other("MX".into()), 60, "10 mail.example.com")],
            2 => vec![RecordSet::value(&name, Kind::Txt, 60, "\"v=spf1 -all\"")],
            3 => vec![RecordSet {
                policy: Some("blue".into()),
                ..RecordSet::value(&name, Kind::A, 60, "192.0.2.2")
            }],
            4 => vec![
                RecordSet::alias(&name, Kind::A, &balancer("elsewhere", false)),
                claim(&format!("a-{plain}"), "them"),
            ],
            _ => vec![RecordSet::alias(&name, Kind::Aaaa, &balancer("Internal-1", false))],
        }
    });
    vec(record, 0..5).prop_map(|all| one_at_a_name(all.concat()))
}

/// Of records that could not be beside each other the first.
fn one_at_a_name(records: Vec<RecordSet>) -> Vec<RecordSet> {
    let mut kept: Vec<RecordSet> = Vec::new();
    for record in records {
        let clash = |other: &RecordSet| other.name == record.name && other.kind == record.kind;
        if !kept.iter().any(clash) {
            kept.push(record);
        }
    }
    kept
}

fn format() -> impl Strategy<Value = TxtFormat> {
    let formats =
        [("", "", None), ("own-%{record_type}.", "", None), ("", "-own", Some("any")), ("", "", Some("any"))];
    select(formats.to_vec())
        .prop_map(|(prefix, suffix, wildcard)| TxtFormat::new(prefix, suffix, wildcard).unwrap())
}

struct World {
    model: Model,
    settings: Settings,
    replicas: [Cycles<Model>; 2],
}

impl World {
    fn new(foreign: &[RecordSet], format: TxtFormat) -> World {
        let model =
            Model::with_zones(&[("example.com", false), ("shop.example.com", false), ("example.com", true)]);
        for record in foreign {
            model.put(0, record.clone());
        }
        let settings = Settings { format, ..Settings::new("us") };
        let replicas = [replica(&model, &settings), replica(&model, &settings)];
        World { model, settings, replicas }
    }

    /// Both at once, each with its own idea of what should be.
    async fn step(&mut self, step: &Step) {
        self.model.fail(step.fails.iter().copied());
        let [first, second] = &mut self.replicas;
        tokio::join!(once(first, &step.turns[0]), once(second, &step.turns[1]));
        self.model.fail([]);
        for (replica, turn) in self.replicas.iter_mut().zip(&step.turns) {
            if turn.dies {
                *replica = self::replica(&self.model, &self.settings);
            }
        }
    }

    fn check_foreign(&self, foreign: &[RecordSet]) {
        let all = self.model.all(0);
        for record in foreign.iter().chain(self.model.intruders().iter().map(|(_, record)| record)) {
            assert!(all.contains(record), "{record} is not ours");
        }
    }
}

fn replica(model: &Model, settings: &Settings) -> Cycles<Model> {
    let limits = Limits { percent: 100, ..Limits::default() };
    Cycles::new(model.clone(), settings.clone(), ZoneFilter::default(), limits)
}

fn leads_to(turn: &Turn) -> (Desired, Targets) {
    (desired(&turn.hosts), if turn.static_names { named() } else { targets() })
}

/// A cycle; one that hangs is given up, as if the process had ended.
async fn once(replica: &mut Cycles<Model>, turn: &Turn) {
    let (desired, targets) = leads_to(turn);
    let _ = tokio::time::timeout(Duration::from_secs(3600), replica.run(&desired, &targets, || true)).await;
}

async fn story(foreign: Vec<RecordSet>, format: TxtFormat, steps: Vec<Step>, last: Turn) {
    let mut world = World::new(&foreign, format);
    for step in &steps {
        world.step(step).await;
        world.check_foreign(&foreign);
    }
    let (desired, targets) = leads_to(&last);
    for _ in 0..8 {
        world.replicas[0].run(&desired, &targets, || true).await.expect("nothing fails any more");
        world.check_foreign(&foreign);
    }
    let plan = world.replicas[0].plan(&desired, &targets).await.expect("nothing fails any more");
    assert_eq!((&*plan.changes, &*plan.withheld), (&[][..], &[][..]), "it has come to rest");
    check_hosts(&world, &desired, &targets, &foreign);
}

/// Each host leads where it should, or has a problem; and nothing of ours is left at any other name.
fn check_hosts(world: &World, desired: &Desired, targets: &Targets, foreign: &[RecordSet]) {
    let wanted: BTreeSet<&Name> = desired.hosts.iter().map(|host| &host.name).collect();
    let is_foreign = |record: &RecordSet| {
        foreign.contains(record) || world.model.intruders().iter().any(|(_, intruder)| intruder == record)
    };
    for zone in 0..3 {
        for record in world.model.all(zone).iter().filter(|record| !is_foreign(record)) {
            let is_host = Kind::OF_HOSTS.contains(&record.kind);
            assert!(!is_host || wanted.contains(&record.name), "{record} is of no host");
        }
    }
    for host in desired.hosts.iter().filter(|host| host.name.as_str() == FREE) {
        let is_taken = !world.model.intruders().is_empty();
        let is_there = world.model.at(0, FREE).iter().any(|record| !is_foreign(record));
        // One of a scheme that leads nowhere stays as it was.
        assert!(is_there != is_taken || !targets.0.contains_key(&host.scheme), "{host:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_not_ours_is_never_touched_and_all_else_becomes_as_it_should_be(
        foreign in foreign(), format in format(), steps in steps(), last in turn(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(story(foreign, format, steps, last));
    }
}
