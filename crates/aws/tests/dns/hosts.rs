//! What a plan says of hosts, one case after the other.

use aws::dns::name::Name;
use aws::dns::plan::{Action, Desired, Host, Plan, Policy, Settings, Target, Targets, reasons};
use aws::dns::record::{Data, Kind, RecordSet};
use aws::target::{LoadBalancer, Scheme};
use model::ObjectRef;

use crate::adoption::claim;
use crate::model::Model;

/// Zone 0 is `example.com`, 1 is `shop.example.com`, 2 a private `example.com`.
pub(crate) const ZONES: [(&str, bool); 3] =
    [("example.com", false), ("shop.example.com", false), ("example.com", true)];

pub(crate) fn desired(hosts: &[(&str, Scheme)]) -> Desired {
    let object = ObjectRef::new("Ingress", "shop", "web");
    let host = |(name, scheme): &(&str, Scheme)| Host {
        name: Name::new(name),
        scheme: *scheme,
        object: object.clone(),
    };
    Desired { hosts: hosts.iter().map(host).collect(), ..Desired::default() }
}

pub(crate) fn balancer(name: &str, dual_stack: bool) -> LoadBalancer {
    LoadBalancer {
        dns_name: format!("{name}.eu-west-1.elb.amazonaws.com"),
        zone_id: "Z32O12XQLNTSW2".into(),
        dual_stack,
    }
}

/// Internal clients are led to a load balancer, all others to one that has IPv6, too.
pub(crate) fn targets() -> Targets {
    let to = |name, dual_stack| Target::LoadBalancer(balancer(name, dual_stack));
    Targets(
        [(Scheme::Internal, to("Internal-1", false)), (Scheme::InternetFacing, to("public-1", true))].into(),
    )
}

pub(crate) fn named() -> Targets {
    Targets([(Scheme::InternetFacing, Target::Name(Name::new("edge.example.net")))].into())
}

pub(crate) fn plan(
    model: &Model,
    zones: usize,
    desired: &Desired,
    targets: &Targets,
    settings: &Settings,
) -> Plan {
    let zone = |at: usize| {
        let (name, is_private) = ZONES[at];
        let zone = aws::dns::plan::Zone { id: format!("Z{at}").into(), name: Name::new(name), is_private };
        aws::dns::plan::ZoneRecords { zone, records: model.all(at) }
    };
    aws::dns::plan::plan(desired, targets, &(0..zones).map(zone).collect::<Vec<_>>(), settings)
}

fn of_one_zone(model: &Model, hosts: &[(&str, Scheme)], targets: &Targets) -> Plan {
    plan(model, 1, &desired(hosts), targets, &Settings::new("us"))
}

pub(crate) fn kinds_and_names(plan: &Plan) -> Vec<String> {
    let edits = plan.changes.iter().flat_map(|change| &change.edits);
    edits.map(|edit| format!("{} {}", edit.record().kind, edit.record().name)).collect()
}

fn reason_of(plan: &Plan) -> Vec<&'static str> {
    plan.problems.iter().map(|problem| problem.reason).collect()
}

#[test]
fn a_host_gets_an_alias_of_its_schemes_load_balancer_and_a_txt_that_says_whose_it_is() {
    let hosts = [("www.example.com", Scheme::InternetFacing), ("*.in.example.com", Scheme::Internal)];
    let plan = of_one_zone(&Model::with_zones(&ZONES), &hosts, &targets());
    assert_eq!(plan.problems, []);
    assert_eq!(
        kinds_and_names(&plan),
        [
            "A www.example.com",
            "AAAA www.example.com",
            "TXT a-www.example.com",
            "TXT aaaa-www.example.com",
            "A *.in.example.com",
            "TXT a-*.in.example.com",
        ]
    );
    let data = Data::Alias {
        zone: "Z32O12XQLNTSW2".into(),
        to: Name::new("public-1.eu-west-1.elb.amazonaws.com"),
        by_health: false,
    };
    assert_eq!(plan.changes[0].edits[0].record().data, data);
    let why = "Ingress shop/web has this host, and its scheme internet-facing leads to public-1.eu-west-1.elb.amazonaws.com";
    assert_eq!((plan.changes[0].action, &*plan.changes[0].reason), (Action::Create, why));
}

#[test]
fn each_host_is_in_the_longest_zone_that_has_it_of_those_that_all_see_and_of_the_private_ones() {
    let model = Model::with_zones(&ZONES);
    let hosts = [
        ("a.shop.example.com", Scheme::Internal),
        ("xshop.example.com", Scheme::Internal),
        ("other.org", Scheme::Internal),
    ];
    let plan = plan(&model, 3, &desired(&hosts), &targets(), &Settings::new("us"));
    let mut places: Vec<_> =
        plan.changes.iter().map(|change| (change.name.as_str(), &*change.zone.id)).collect();
    places.sort_unstable();
    let expected = [
        ("a.shop.example.com", "Z1"),
        ("a.shop.example.com", "Z2"),
        ("xshop.example.com", "Z0"),
        ("xshop.example.com", "Z2"),
    ];
    assert_eq!(places, expected);
    assert_eq!(reason_of(&plan), [reasons::NO_ZONE]);
    assert!(plan.problems[0].message.contains("other.org") && plan.problems[0].object.name == "web");
}

#[test]
fn a_new_zone_below_another_gets_its_records_and_those_above_stay_since_it_may_not_be_asked_yet() {
    let model = Model::with_zones(&ZONES);
    let hosts = [("a.shop.example.com", Scheme::InternetFacing)];
    for edit in of_one_zone(&model, &hosts, &targets()).changes.iter().flat_map(|change| &change.edits) {
        model.put(0, edit.record().clone());
    }
    let plan = plan(&model, 2, &desired(&hosts), &targets(), &Settings::new("us"));
    let changes: Vec<_> = plan.changes.iter().map(|change| (change.action, &*change.zone.id)).collect();
    assert_eq!(changes, [(Action::Create, "Z1")]);
}

#[test]
fn a_static_name_becomes_a_cname_but_not_at_the_name_of_a_zone() {
    let hosts = [("www.example.com", Scheme::InternetFacing), ("example.com", Scheme::InternetFacing)];
    let plan = of_one_zone(&Model::with_zones(&ZONES), &hosts, &named());
    assert_eq!(kinds_and_names(&plan), ["CNAME www.example.com", "TXT cname-www.example.com"]);
    assert_eq!(reason_of(&plan), [reasons::APEX]);
}

#[test]
fn the_name_of_a_zone_gets_an_alias_and_its_txt_within_the_zone() {
    let model = Model::with_zones(&ZONES);
    let hosts = [("example.com", Scheme::InternetFacing)];
    let plan = of_one_zone(&model, &hosts, &targets());
    assert_eq!(kinds_and_names(&plan), ["A example.com", "AAAA example.com", "TXT example.com"]);
    for edit in &plan.changes[0].edits {
        model.put(0, edit.record().clone());
    }
    let again = of_one_zone(&model, &hosts, &targets());
    assert_eq!((again.changes, again.problems, again.in_place), (vec![], vec![], 1));
}

#[test]
fn a_load_balancer_may_be_called_dualstack_in_any_case_and_nothing_changes() {
    let model = Model::with_zones(&ZONES);
    let to = LoadBalancer {
        dns_name: "dualstack.INTERNAL-1.eu-west-1.elb.amazonaws.com.".into(),
        ..balancer("", false)
    };
    model.put(0, RecordSet::alias(&Name::new("WWW.example.com"), Kind::A, &to));
    model.put(0, claim("a-www.example.com", "us"));
    let plan = of_one_zone(&model, &[("www.example.com", Scheme::Internal)], &targets());
    assert_eq!((plan.changes, plan.problems, plan.in_place, plan.owned), (vec![], vec![], 1, 1));
}

#[test]
fn what_is_not_ours_is_never_touched_and_the_problem_names_it() {
    let name = Name::new("www.example.com");
    let foreign = RecordSet::value(&name, Kind::A, 60, "192.0.2.1");
    let weighted = RecordSet { policy: Some("blue".into()), ..foreign.clone() };
    let mail = RecordSet::value(&name, Kind::Other("MX".into()), 60, "10 mail.example.com");
    let spf = RecordSet::value(&Name::new("a-www.example.com"), Kind::Txt, 60, "\"v=spf1 -all\"");
    let encrypted = RecordSet::value(
        &Name::new("a-www.example.com"),
        Kind::Txt,
        300,
        &format!("\"{}\"", "Ab+/".repeat(20)),
    );
    let other = claim("a-www.example.com", "them");
    for (there, targets, told) in [
        (vec![foreign.clone()], targets(), "is not ours"),
        (vec![foreign.clone(), other], targets(), "belongs to \"them\""),
        (vec![foreign, encrypted], targets(), "may be encrypted"),
        (vec![weighted], targets(), "one of several sets"),
        (vec![mail], named(), "no CNAME beside MX www.example.com"),
        (vec![spf], targets(), "is something else"),
    ] {
        let model = Model::with_zones(&ZONES);
        there.iter().for_each(|record| model.put(0, record.clone()));
        let plan = of_one_zone(&model, &[("www.example.com", Scheme::InternetFacing)], &targets);
        assert_eq!(plan.changes, [], "{told}");
        let [problem] = &*plan.problems else { panic!("{told}: {:?}", plan.problems) };
        assert!(problem.message.contains(told) && !problem.remedy.is_empty(), "{problem}");
    }
}

#[test]
fn a_host_that_changes_its_scheme_or_its_kind_of_target_is_replaced_in_one_change() {
    let model = Model::with_zones(&ZONES);
    let hosts = [("www.example.com", Scheme::InternetFacing)];
    for edit in of_one_zone(&model, &hosts, &targets()).changes.iter().flat_map(|change| &change.edits) {
        model.put(0, edit.record().clone());
    }
    let plan = of_one_zone(&model, &hosts, &named());
    assert_eq!(plan.changes.len(), 1, "{plan:?}");
    assert_eq!(plan.changes[0].action, Action::Replace);
    let mut edits = kinds_and_names(&plan);
    edits.sort_unstable();
    let expected = [
        "A www.example.com",
        "AAAA www.example.com",
        "CNAME www.example.com",
        "TXT a-www.example.com",
        "TXT aaaa-www.example.com",
        "TXT cname-www.example.com",
    ];
    assert_eq!(edits, expected);
    let upsert_only = Settings { policy: Policy::UpsertOnly, ..Settings::new("us") };
    let plan = self::plan(&model, 1, &desired(&hosts), &named(), &upsert_only);
    assert_eq!((plan.changes.len(), plan.withheld.len()), (0, 1));
}

#[test]
fn a_host_that_is_gone_takes_its_records_along_and_one_of_an_unknown_scheme_keeps_them() {
    let model = Model::with_zones(&ZONES);
    let hosts = [("www.example.com", Scheme::InternetFacing)];
    for edit in of_one_zone(&model, &hosts, &targets()).changes.iter().flat_map(|change| &change.edits) {
        model.put(0, edit.record().clone());
    }
    let gone = of_one_zone(&model, &[], &targets());
    assert_eq!((gone.changes[0].action, gone.changes[0].edits.len(), gone.owned), (Action::Delete, 4, 1));
    let kept = Desired { kept: [Name::new("www.example.com")].into(), ..Desired::default() };
    assert_eq!(plan(&model, 1, &kept, &targets(), &Settings::new("us")).changes, []);
    let without_target = of_one_zone(&model, &hosts, &Targets::default());
    assert_eq!((without_target.changes.len(), reason_of(&without_target)), (0, vec![reasons::NO_TARGET]));
}
