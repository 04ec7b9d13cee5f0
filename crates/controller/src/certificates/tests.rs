//! What becomes of certificates as Secrets and Ingresses change.

mod clients;
mod upstream;
mod world;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use compile::{ObjectKey, Profile};
use k8s_openapi::api::core::v1::Secret;
use model::HostMatch;

use crate::reasons;
use world::{Issued, World, issue};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn a_host_has_the_certificate_of_the_secret_that_is_listed_beside_it() {
    let mut world = World::new();
    world.ingress("shop/web", &[("one", &["a.test", "*.b.test"]), ("two", &["c.test"])], &[]);
    world.secret("shop/one", &issue(&["a.test", "*.b.test"]));
    world.secret("shop/two", &issue(&["c.test"]));
    let live = world.update().expect("certificates");
    let found = |sni| live.find(Some(sni)).map(|entry| entry.name());
    assert_eq!(["a.test", "x.b.test", "c.test"].map(found), ["shop/one", "shop/one", "shop/two"].map(Some));
    assert_eq!(found("d.test"), None);
    assert!(live.serves_alike(Some("a.test"), "x.b.test"), "one Secret, one entry");
    assert_eq!(world.told(), [""; 0]);
}

#[test]
fn in_the_profile_of_ingress_nginx_a_name_without_a_certificate_is_shown_one_that_is_for_none() {
    let mut world = World::new();
    world.settings.profile = Some(Profile::IngressNginx);
    world.ingress("shop/web", &[("one", &["a.test"]), ("missing", &["b.test"])], &[]);
    world.secret("shop/one", &issue(&["a.test"]));
    let live = world.update().expect("certificates");
    let names = |sni| live.find(Some(sni)).map(|entry| entry.certificates()[0].names().to_vec());
    let stand_in = Some(vec![HostMatch::parse("no-certificate.invalid").expect("a host")]);
    assert_eq!(["b.test", "c.test"].map(names), [stand_in.clone(), stand_in]);
    assert_eq!(live.find(Some("a.test")).map(|entry| entry.name()), Some("shop/one"));
    assert!(!live.serves_alike(Some("a.test"), "b.test"), "no connection for the one carries the other's");
    assert!(world.update().is_none(), "it is made once");
    // The operator's own goes before it.
    world.settings.default_certificate = Some(ObjectKey::new("shop", "all"));
    world.secret("shop/all", &issue(&["*.test"]));
    let live = world.update().expect("another default");
    assert_eq!(live.find(Some("c.test")).map(|entry| entry.name()), Some("shop/all"));
}

#[test]
fn a_secret_that_is_spoilt_or_deleted_keeps_its_last_good_certificate_and_harms_no_other() {
    let mut world = World::new();
    world.ingress("shop/web", &[("one", &["a.test"]), ("two", &["b.test"])], &[]);
    let (one, two) = (issue(&["a.test"]), issue(&["b.test"]));
    world.secret("shop/one", &one);
    world.secret("shop/two", &two);
    world.update().expect("certificates");
    let other = issue(&["a.test"]);
    for (chain, key, reason, text) in [
        ("", "", reasons::STALE_CERTIFICATE, "has lost a part"),
        (&*one.chain, &*other.key, reasons::INVALID_CERTIFICATE, "does not belong to the certificate"),
        ("x", &*one.key, reasons::INVALID_CERTIFICATE, "has no certificate in it"),
    ] {
        world.secret("shop/one", &Issued { chain: chain.into(), key: key.into() });
        assert!(world.update().is_none(), "nothing else is live");
        let told = world.problems(reason);
        assert!(told[0].contains("Secret shop/one") && told[0].contains(text), "{told:?}");
        assert!(told[0].contains("stays in use"), "{told:?}");
        assert!(world.serves("a.test", &one) && world.serves("b.test", &two));
    }
    world.delete("shop/one");
    assert!(world.update().is_none());
    assert!(world.problems(reasons::STALE_CERTIFICATE)[0].contains("does not exist any more"));
    world.secret("shop/one", &other);
    world.update().expect("the new one");
    assert!(world.serves("a.test", &other) && world.told().is_empty(), "{:?}", world.told());
}

#[test]
fn a_bad_secret_that_was_never_good_gives_nothing_and_the_others_are_served() {
    let mut world = World::new();
    world.ingress("shop/web", &[("bad", &["a.test"]), ("good", &["b.test"])], &[]);
    world.secret("shop/bad", &Issued { chain: "x".into(), key: "y".into() });
    let good = issue(&["b.test"]);
    world.secret("shop/good", &good);
    let live = world.update().expect("certificates");
    assert!(live.find(Some("a.test")).is_none() && world.serves("b.test", &good));
    let told = world.problems(reasons::INVALID_CERTIFICATE);
    assert!(told.len() == 1 && told[0].contains("Secret shop/bad: data[tls.crt]"), "{told:?}");
}

#[test]
fn a_secret_that_comes_again_with_the_same_bytes_changes_nothing() {
    let mut world = World::new();
    world.ingress("shop/web", &[("one", &["a.test"])], &[]);
    let one = issue(&["a.test"]);
    world.secret("shop/one", &one);
    world.update().expect("certificates");
    assert!(world.update().is_none());
    let labelled =
        Secret { immutable: Some(true), ..Secret::clone(&world.objects.secrets[&world::key("shop/one")]) };
    world.objects.secrets.insert(world::key("shop/one"), Arc::new(labelled));
    assert!(world.update().is_none());
    world.secret("shop/one", &issue(&["a.test"]));
    assert!(world.update().is_some(), "another certificate is");
}

#[test]
fn a_host_keeps_its_certificate_while_its_ingress_names_a_secret_that_is_not_there_yet() {
    let mut world = World::new();
    world.ingress("shop/web", &[("old", &["a.test"])], &[]);
    let (old, new) = (issue(&["a.test"]), issue(&["a.test"]));
    world.secret("shop/old", &old);
    world.update().expect("certificates");
    world.ingress("shop/web", &[("new", &["a.test"])], &[]);
    assert!(world.update().is_none() && world.serves("a.test", &old));
    let told = world.problems(reasons::STALE_CERTIFICATE);
    assert!(told[0].contains("Ingress shop/web: spec.tls[0].secretName"), "{told:?}");
    world.delete("shop/old");
    world.secret("shop/new", &new);
    world.update().expect("the new one");
    assert!(world.serves("a.test", &new) && world.told().is_empty(), "{:?}", world.told());
}

#[test]
fn a_certificate_is_not_kept_for_another_namespace_nor_when_no_ingress_claims_the_host() {
    let mut world = World::new();
    world.ingress("shop/web", &[("one", &["a.test"])], &[]);
    world.ingress("shop/more", &[("one", &["b.test"])], &[]);
    world.secret("shop/one", &issue(&["a.test", "b.test"]));
    world.update().expect("certificates");
    world.remove_ingress("shop/web");
    world.ingress("blog/web", &[("missing", &["a.test"])], &[]);
    let live = world.update().expect("a change");
    assert!(live.find(Some("a.test")).is_none() && live.find(Some("b.test")).is_some());
    world.remove_ingress("shop/more");
    assert!(world.update().expect("a change").entries().is_empty());
}

#[test]
fn a_claim_without_a_usable_certificate_gives_way_to_the_next() {
    let mut world = World::new();
    world.ingress("a/old", &[("missing", &["x.test"])], &[]);
    world.ingress("b/new", &[("copy", &["x.test"])], &[]);
    let copy = issue(&["x.test"]);
    world.secret("b/copy", &copy);
    world.update().expect("certificates");
    assert!(world.serves("x.test", &copy));
    let first = issue(&["x.test"]);
    world.secret("a/missing", &first);
    world.update().expect("a change");
    assert!(world.serves("x.test", &first));
}

#[test]
fn a_rule_without_tls_hosts_has_the_secret_whose_certificate_is_for_it() {
    let mut world = World::new();
    world.ingress("shop/web", &[("one", &[]), ("two", &[])], &["a.test", "x.b.test", "c.test"]);
    let (one, two) = (issue(&["a.test"]), issue(&["*.b.test"]));
    world.secret("shop/one", &one);
    world.secret("shop/two", &two);
    let live = world.update().expect("certificates");
    assert!(world.serves("a.test", &one) && world.serves("x.b.test", &two));
    assert!(live.find(Some("c.test")).is_none() && live.find(Some("y.b.test")).is_none());
    assert_eq!(world.told(), [""; 0]);
    world.secret("shop/two", &issue(&["d.test"]));
    world.update();
    let told = world.problems(reasons::MISMATCHED_CERTIFICATE);
    assert!(told.len() == 1 && told[0].contains("is for d.test, which no rule has"), "{told:?}");
}

#[test]
fn an_ingress_for_every_host_has_the_names_of_its_certificate_unless_another_ingress_claims_them() {
    let mut world = World::new();
    world.ingress("shop/any", &[("one", &[])], &[""]);
    let one = issue(&["a.test", "b.test"]);
    world.secret("shop/one", &one);
    world.ingress("blog/web", &[("two", &["b.test"])], &[]);
    let two = issue(&["b.test"]);
    world.secret("blog/two", &two);
    world.update().expect("certificates");
    assert!(world.serves("a.test", &one) && world.serves("b.test", &two) && world.told().is_empty());
}

#[test]
fn a_listed_host_that_the_certificate_is_not_for_has_it_only_if_the_default_is_no_better() {
    let mut world = World::new();
    world.ingress("shop/web", &[("one", &["a.test", "b.test"])], &[]);
    let (one, default) = (issue(&["c.test"]), issue(&["a.test"]));
    world.secret("shop/one", &one);
    world.secret("edge/default", &default);
    world.settings.default_certificate = Some(world::key("edge/default"));
    let live = world.update().expect("certificates");
    assert!(world.serves("a.test", &default) && world.serves("b.test", &one));
    assert_eq!(live.find(None).map(|entry| entry.name()), Some("edge/default"));
    let told = world.problems(reasons::MISMATCHED_CERTIFICATE);
    assert!(told.len() == 1 && told[0].contains("not for a.test, b.test but for c.test"), "{told:?}");
}

#[test]
fn rsa_and_ecdsa_stand_side_by_side_and_two_of_one_kind_do_not() {
    let mut world = World::new();
    world.ingress("shop/web", &[("rsa", &["a.test"]), ("ecdsa", &["a.test"]), ("more", &["a.test"])], &[]);
    world.secret("shop/rsa", &world::issue_rsa(&["a.test"]));
    world.secret("shop/ecdsa", &issue(&["a.test"]));
    world.secret("shop/more", &issue(&["a.test"]));
    let live = world.update().expect("certificates");
    let entry = live.find(Some("a.test")).expect("an entry");
    assert_eq!((entry.name(), entry.certificates().len()), ("shop/rsa + shop/ecdsa", 2));
    let told = world.problems(compile::reasons::CONFLICT);
    assert!(
        told.len() == 1 && told[0].contains("Secrets shop/ecdsa and shop/more both have ECDSA"),
        "{told:?}"
    );
}

#[test]
fn the_dates_of_a_certificate_are_told_as_they_come_near() {
    let mut world = World::new();
    world.ingress("shop/web", &[("one", &["a.test"])], &[]);
    world.secret("shop/one", &world::issue_for_2026(&["a.test"]));
    world.update().expect("certificates");
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let end = start + 365 * DAY;
    let told = |now| world.problems_at(now);
    assert!(told(start).is_empty() && told(end - 14 * DAY).is_empty());
    for (now, reason, text) in [
        (start - DAY, reasons::FUTURE_CERTIFICATE, "not valid before 2026-01-01T00:00:00Z"),
        (end - 14 * DAY + Duration::from_secs(1), reasons::EXPIRING_CERTIFICATE, "on 2027-01-01T00:00:00Z"),
        (end + DAY, reasons::EXPIRED_CERTIFICATE, "has expired on 2027-01-01T00:00:00Z"),
    ] {
        let told = told(now);
        assert!(told.len() == 1 && told[0].contains(reason) && told[0].contains(text), "{told:?}");
        assert!(told[0].starts_with("warning: Secret shop/one: data[tls.crt]: "), "{told:?}");
    }
    assert_eq!(world.store.ends(), [(world::key("shop/one"), end)]);
}

#[test]
fn a_chain_in_disorder_is_served_and_told() {
    let mut world = World::new();
    world.ingress("shop/web", &[("one", &["a.test"])], &[]);
    let (mut one, stranger) = (issue(&["a.test"]), issue(&["b.test"]));
    one.chain.push_str(&stranger.chain);
    world.secret("shop/one", &one);
    world.update().expect("certificates");
    let told = world.problems(reasons::DISORDERED_CHAIN);
    assert!(told.len() == 1 && told[0].contains("place 2"), "{told:?}");
}

#[test]
fn ticket_keys_are_the_entries_of_their_secret_and_bad_ones_are_left_out() {
    let mut world = World::new();
    world.settings.ticket_keys = Some(world::key("edge/tickets"));
    world.update();
    assert!(!world.tickets.are_shared());
    world.data("edge/tickets", &[("1", &[1; 8])]);
    world.update();
    assert!(!world.tickets.are_shared(), "keys of its own are better than none");
    let told = world.problems(reasons::INVALID_TICKET_KEY);
    assert!(told.len() == 2 && told[0].contains("has no key") && told[1].contains("data[1]: has 8 bytes"));
    world.data("edge/tickets", &[("1", &[1; 8]), ("2", &[2; 48])]);
    world.update();
    assert!(world.tickets.are_shared() && world.problems(reasons::INVALID_TICKET_KEY).len() == 1);
    world.data("edge/tickets", &[("2", &[2; 48]), ("3", &[3; 32])]);
    world.update();
    assert_eq!(world.told(), [""; 0]);
    world.delete("edge/tickets");
    world.update();
    assert!(world.tickets.are_shared(), "the last keys stay");
}
