//! Moving here from external-dns or feed, and back.

use aws::dns::name::Name;
use aws::dns::ownership::TxtFormat;
use aws::dns::plan::{Action, Plan, Settings, reasons};
use aws::dns::record::{Kind, RecordSet};
use aws::target::Scheme;

use crate::hosts::{ZONES, balancer, desired, kinds_and_names, named, plan, targets};
use crate::model::Model;

const HOST: &str = "www.example.com";

/// What external-dns writes beside a record.
pub(crate) fn claim(name: &str, owner: &str) -> RecordSet {
    let value = format!(
        "\"heritage=external-dns,external-dns/owner={owner},external-dns/resource=ingress/shop/web\""
    );
    RecordSet::value(&Name::new(name), Kind::Txt, 300, &value)
}

fn alias(kind: Kind) -> RecordSet {
    RecordSet::alias(&Name::new(HOST), kind, &balancer("Internal-1", false))
}

fn internal(model: &Model, settings: &Settings) -> Plan {
    plan(model, 1, &desired(&[(HOST, Scheme::Internal)]), &targets(), settings)
}

#[test]
fn what_external_dns_has_written_is_ours_by_its_identifier_and_nothing_changes() {
    let model = Model::with_zones(&ZONES);
    for record in [
        alias(Kind::A),
        alias(Kind::Aaaa),
        claim("a-www.example.com", "prod"),
        claim("aaaa-www.example.com", "prod"),
    ] {
        model.put(0, record);
    }
    let same = internal(&model, &Settings::new("prod"));
    assert_eq!((same.changes, same.problems, same.in_place), (vec![], vec![], 1));
    let gone = plan(&model, 1, &desired(&[]), &targets(), &Settings::new("prod"));
    assert_eq!(gone.changes[0].edits.len(), 4, "and all of it goes with its host");
    let others = internal(&model, &Settings::new("test"));
    assert_eq!((others.changes.len(), others.problems[0].reason), (0, reasons::TAKEN));
}

#[test]
fn a_txt_of_older_formats_makes_a_record_ours_and_gets_one_of_the_present_format() {
    for old in ["www.example.com", "cname-www.example.com"] {
        let model = Model::with_zones(&ZONES);
        model.put(0, alias(Kind::A));
        model.put(0, claim(old, "prod"));
        let plan = internal(&model, &Settings::new("prod"));
        assert_eq!(
            (plan.changes[0].action, kinds_and_names(&plan)),
            (Action::Claim, vec!["TXT a-www.example.com".into()])
        );
        let gone = self::plan(&model, 1, &desired(&[]), &targets(), &Settings::new("prod"));
        assert_eq!(kinds_and_names(&gone), ["A www.example.com".to_owned(), format!("TXT {old}")]);
    }
}

#[test]
fn the_flags_by_which_external_dns_names_its_txt_records_are_honoured() {
    for (prefix, suffix, txt) in [
        ("own-%{record_type}.", "", "own-a.www.example.com"),
        ("own-", "", "own-a-www.example.com"),
        ("", "-own", "a-www-own.example.com"),
    ] {
        let model = Model::with_zones(&ZONES);
        model.put(0, alias(Kind::A));
        model.put(0, claim(txt, "prod"));
        let format = TxtFormat::new(prefix, suffix, None).unwrap();
        let plan = internal(&model, &Settings { format, ..Settings::new("prod") });
        assert_eq!((plan.changes, plan.problems, plan.in_place), (vec![], vec![], 1), "{txt}");
    }
}

#[test]
fn what_feed_has_written_becomes_ours_only_when_that_is_asked_for_and_only_if_it_is_right() {
    let model = Model::with_zones(&ZONES);
    model.put(0, alias(Kind::A));
    let told = internal(&model, &Settings::new("us"));
    assert_eq!((told.changes.len(), told.problems[0].reason), (0, reasons::UNOWNED));
    let adopting = Settings { adopt: true, ..Settings::new("us") };
    let adopted = internal(&model, &adopting);
    assert_eq!(
        (adopted.changes[0].action, kinds_and_names(&adopted)),
        (Action::Adopt, vec!["TXT a-www.example.com".into()])
    );
    let elsewhere = plan(&model, 1, &desired(&[(HOST, Scheme::InternetFacing)]), &targets(), &adopting);
    assert_eq!(
        (elsewhere.changes.len(), elsewhere.problems[0].reason),
        (0, reasons::TAKEN),
        "it leads elsewhere"
    );
}

/// `a-www` may speak of the A of `www` or, by the format before v0.12, of what is at `a-www`.
#[test]
fn a_txt_that_could_speak_of_two_records_makes_neither_ours() {
    let model = Model::with_zones(&ZONES);
    model.put(0, alias(Kind::A));
    model.put(0, RecordSet::value(&Name::new("a-www.example.com"), Kind::A, 60, "192.0.2.1"));
    model.put(0, claim("a-www.example.com", "prod"));
    let plan = internal(&model, &Settings::new("prod"));
    assert_eq!(plan.changes, []);
    assert!(plan.problems[0].message.contains("could speak of another record"), "{:?}", plan.problems);
    let gone = self::plan(&model, 1, &desired(&[]), &named(), &Settings::new("prod"));
    assert_eq!(gone.changes, []);
}
