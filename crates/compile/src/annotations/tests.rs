use model::Protocol;

use super::*;

#[test]
fn a_long_part_of_a_value_is_cut_between_characters() {
    assert_eq!(shown("a\n"), r#""a\n""#);
    assert_eq!(shown(&"é".repeat(SHOWN_MAX)), format!("\"{}\"", "é".repeat(SHOWN_MAX)));
    assert_eq!(shown(&"é".repeat(SHOWN_MAX + 1)), format!("\"{}\"…", "é".repeat(SHOWN_MAX)));
}

#[test]
fn the_rank_of_a_dialect_decides_and_not_the_alphabet() {
    let dialect = |prefix| Dialect { prefix, rows: &[("speak", backend::protocol)], other: |_, _| Ok(()) };
    let annotations = [("a/speak", "grpc"), ("b/speak", "https")];
    let annotations = annotations.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    for (dialects, spoken) in [(["a/", "b/"], Protocol::Https), (["b/", "a/"], Protocol::Grpc)] {
        let (mut settings, mut problems) = (RouteSettings::default(), Problems::default());
        read_by(
            &dialects.map(dialect),
            Place::Annotations,
            &ObjectRef::new("Ingress", "shop", "web"),
            &annotations,
            &mut settings,
            &mut problems,
        );
        assert_eq!(settings.protocol, Some(spoken), "{dialects:?}");
    }
}

#[test]
fn of_thousands_of_faults_few_are_told_and_one_that_denies_wherever_it_stands() {
    let unknown = (0..5000).map(|at| (format!("sluicegate.io/a{at}"), String::new()));
    let denied = [("sluicegate.io/deny-addresses".to_owned(), String::new())];
    // Read behind all of those, which its table does not have.
    let other = |annotation: &Annotation<'_>, settings: &mut RouteSettings| match annotation.name {
        "sluicegate.io/deny-addresses" => access::deny(annotation, settings),
        _ => (own::DIALECT.other)(annotation, settings),
    };
    let dialect = Dialect { prefix: own::DIALECT.prefix, rows: &[], other };
    let (mut settings, mut problems) = (RouteSettings::default(), Problems::default());
    let annotations = unknown.chain(denied).collect();
    read_by(
        &[dialect],
        Place::Annotations,
        &ObjectRef::new("Ingress", "shop", "web"),
        &annotations,
        &mut settings,
        &mut problems,
    );
    assert!(settings.denied);
    assert_eq!(problems.count(), TOLD_MAX + 1);
}

/// A word that stands twice would be read by its first row alone.
#[test]
fn each_word_stands_once_in_the_table_of_its_dialect() {
    for Dialect { prefix, rows, .. } in DIALECTS.iter().chain([&config_map::DIALECT]) {
        let mut words: Vec<&str> = rows.iter().map(|(word, _)| *word).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), rows.len(), "{prefix}");
    }
}
