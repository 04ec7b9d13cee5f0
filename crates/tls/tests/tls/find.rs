//! Which entry a name finds.

use std::sync::{Arc, LazyLock};

use fastrand::Rng;
use model::HostMatch;
use tls::{Certificate, Certificates, Entry, Kind};

use crate::authority::Authority;

static ANY: LazyLock<Arc<Certificate>> =
    LazyLock::new(|| Authority::new("root").certificate(Kind::Ecdsa, &["a.test"]));

/// Entries by their name and the hosts they are for, as an Ingress writes them.
fn certificates(entries: &[(&str, &[&str])]) -> Certificates {
    let hosts = |hosts: &[&str]| hosts.iter().map(|host| HostMatch::parse(host).expect("a host")).collect();
    let entry = |name: &str| Entry::new(name, vec![Arc::clone(&ANY)]).expect("an entry");
    Certificates::new(entries.iter().map(|(name, of)| (entry(name), hosts(of))))
}

fn found<'a>(certificates: &'a Certificates, sni: Option<&str>) -> Option<&'a str> {
    certificates.find(sni).map(|entry| entry.name())
}

#[test]
fn the_exact_name_goes_before_the_wildcard_and_that_before_the_default() {
    let all = certificates(&[("any", &[""]), ("wild", &["*.a.test"]), ("exact", &["x.a.test"])]);
    for (sni, name) in [
        (Some("x.a.test"), "exact"),
        (Some("X.A.test."), "exact"),
        (Some("y.a.test"), "wild"),
        (Some("a.test"), "any"),
        (Some("x.y.a.test"), "any"),
        (Some("other"), "any"),
        (Some(""), "any"),
        (None, "any"),
    ] {
        assert_eq!(found(&all, sni), Some(name), "{sni:?}");
    }
}

#[test]
fn without_a_default_only_known_names_find_anything() {
    let all = certificates(&[("wild", &["*.a.test"])]);
    assert_eq!(found(&all, Some("x.a.test")), Some("wild"));
    assert_eq!((found(&all, Some("x.test")), found(&all, None)), (None, None));
    assert_eq!(found(&Certificates::default(), None), None);
}

#[test]
fn the_first_entry_for_a_host_has_it() {
    let all = certificates(&[("one", &["a.test", ""]), ("two", &["a.test", "b.test", ""])]);
    assert_eq!(
        ["a.test", "b.test", "c.test"].map(|sni| found(&all, Some(sni))),
        [Some("one"), Some("two"), Some("one")]
    );
    assert_eq!(all.entries().len(), 2);
}

#[test]
fn a_connection_carries_requests_for_the_hosts_of_its_own_entry() {
    let all = certificates(&[("any", &[""]), ("one", &["a.test", "*.b.test"]), ("two", &["x.b.test"])]);
    for (sni, host, alike) in [
        ("a.test", "a.test", true),
        ("a.test", "y.b.test", true),
        ("A.test.", "a.TEST", true),
        ("a.test", "x.b.test", false),
        ("x.b.test", "y.b.test", false),
        ("a.test", "unknown.test", false),
        ("unknown.test", "another.test", true),
        ("unknown.test", "a.test", false),
    ] {
        assert_eq!(all.serves_alike(Some(sni), host), alike, "{sni} {host}");
    }
    for host in ["a.test", "x.b.test", "unknown.test"] {
        assert!(all.serves_alike(None, host), "a client without SNI may ask for {host}");
    }
}

#[test]
fn an_entry_has_at_least_one_certificate_and_the_preferred_kind_first() {
    assert!(Entry::new("none", Vec::new()).is_none());
    let authority = Authority::new("root");
    let kinds = [Kind::Rsa, Kind::Ecdsa].map(|kind| authority.certificate(kind, &["a.test"]));
    let entry = Entry::new("two", kinds.into()).expect("an entry");
    let kinds: Vec<Kind> = entry.certificates().iter().map(|certificate| certificate.kind()).collect();
    assert_eq!(kinds, [Kind::Ecdsa, Kind::Rsa]);
}

/// Walks through all hosts, as the words of Ingress v1 have it.
fn oracle<'a>(entries: &'a [(String, Vec<String>)], sni: Option<&str>) -> Option<&'a str> {
    let first = |is: &dyn Fn(&str) -> bool| {
        entries.iter().find(|(_, hosts)| hosts.iter().any(|host| is(host))).map(|(name, _)| name.as_str())
    };
    let wild = |sni: &str, host: &str| {
        let labels = |name: &str| name.split('.').map(str::to_owned).collect::<Vec<_>>();
        let (sni, host) = (labels(sni), labels(host));
        host[0] == "*" && sni.len() == host.len() && sni[1..] == host[1..]
    };
    sni.and_then(|sni| first(&|host| host == sni).or_else(|| first(&|host| wild(sni, host))))
        .or_else(|| first(&|host| host.is_empty()))
}

#[test]
fn find_agrees_with_a_walk_through_all_hosts() {
    let mut random = Rng::with_seed(1);
    let labels = ["a", "b", "c"];
    let name = |random: &mut Rng| {
        let count = random.usize(1..4);
        let labels: Vec<&str> = (0..count).map(|_| labels[random.usize(..labels.len())]).collect();
        labels.join(".")
    };
    let host = |random: &mut Rng| match random.u8(..8) {
        0 => String::new(),
        1..4 => format!("*.{}", name(random)),
        _ => name(random),
    };
    for _ in 0..2_000 {
        let entries: Vec<(String, Vec<String>)> = (0..random.usize(..5))
            .map(|at| (format!("entry-{at}"), (0..random.usize(..4)).map(|_| host(&mut random)).collect()))
            .collect();
        let hosts: Vec<Vec<&str>> =
            entries.iter().map(|(_, hosts)| hosts.iter().map(String::as_str).collect()).collect();
        let given: Vec<(&str, &[&str])> =
            entries.iter().zip(&hosts).map(|((name, _), hosts)| (name.as_str(), hosts.as_slice())).collect();
        let all = certificates(&given);
        for _ in 0..20 {
            let sni = (random.u8(..10) > 0).then(|| name(&mut random));
            let sni = sni.as_deref();
            assert_eq!(found(&all, sni), oracle(&entries, sni), "{sni:?} of {entries:?}");
            let host = name(&mut random);
            let alike = sni.is_none_or(|sni| {
                sni == host || oracle(&entries, Some(sni)) == oracle(&entries, Some(&host))
            });
            assert_eq!(all.serves_alike(sni, &host), alike, "{sni:?} {host} of {entries:?}");
        }
    }
}
