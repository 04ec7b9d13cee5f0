//! That no name is without an answer, and that the page for authors says what the code does.

use std::fmt::Write as _;
use std::path::Path;

use super::*;

/// What comes of an annotation of this dialect.
fn read(word: &str, value: &str) -> Vec<Fault> {
    let name = format!("{PREFIX}{word}");
    let annotation = Annotation { name: &name, value, namespace: "shop" };
    answer(&annotation, &mut RouteSettings::default()).err().unwrap_or_default()
}

#[test]
fn each_name_of_ingress_nginx_has_a_reader_or_an_answer() {
    let has_reader = |word: &str| ROWS.iter().any(|(known, _)| *known == word);
    let has_row = |word: &str| UNREAD.iter().any(|row| row.word == word);
    let (names, legacy) = (names::NAMES.iter().map(|(word, _)| *word), FORMER.iter());
    let without: Vec<_> = names.clone().filter(|word| !has_reader(word) && !has_row(word)).collect();
    assert_eq!(without, Vec::<&str>::new(), "they need a reader, or a row in unread.rs");
    let twice: Vec<_> = names.clone().filter(|word| has_reader(word) && has_row(word)).collect();
    assert_eq!(twice, Vec::<&str>::new(), "they have a reader: their rows in unread.rs can go");
    let strangers = UNREAD.iter().filter(|row| names::risk(row.word).is_none());
    assert_eq!(strangers.map(|row| row.word).collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(ROWS.iter().all(|(word, _)| names::risk(word).is_some()), "a row that is none of the names");
    assert!(legacy.clone().all(|row| names::risk(row.word).is_none()), "it is no former name");
}

#[test]
fn what_has_no_reader_and_decides_on_access_denies_unless_it_asks_for_nothing() {
    for (word, value, denies) in [
        ("enable-modsecurity", "true", true),
        ("enable-modsecurity", "false", false),
        ("modsecurity-snippet", "SecRuleEngine On", true),
        ("auth-snippet", "proxy_set_header A b;", true),
        ("whitelist-source-ranges", "10.0.0.0/8", true),
        ("auth-something", "x", true),
        ("Deny", "x", true),
        ("enable-global-auth", "true", false),
        ("opentelemetry-operation-name", "x", false),
    ] {
        assert_eq!(read(word, value).iter().any(Fault::denies), denies, "{word}: {value}");
    }
}

#[test]
fn a_name_that_is_not_known_is_told_with_what_was_most_likely_meant() {
    let told = read("rewrite-targt", "/");
    assert_eq!(told[0].reason, reasons::UNKNOWN_ANNOTATION);
    assert!(told[0].remedy.contains("nginx.ingress.kubernetes.io/rewrite-target "), "{}", told[0].remedy);
    assert_eq!(read("something-else", "/")[0].remedy, "remove it");
    assert!(read("secure-backends", "true")[0].remedy.contains("backend-protocol: HTTPS"));
    assert!(read("influxdb-host", "x")[0].message.contains("v1.15"));
}

/// `UPDATE_GOLDEN=1 cargo test --workspace --lib annotations` writes it anew.
#[test]
fn the_page_of_all_names_says_what_the_code_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ingress-nginx.md");
    let page = page();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, page).expect("the page can be written");
        return;
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page, "ingress-nginx.md is old; write it anew with UPDATE_GOLDEN=1");
}

fn page() -> String {
    let honoured = names::NAMES.iter().filter(|(word, _)| effect(word) == Effect::Honoured).count();
    let mut page = format!(
        "# ingress-nginx' annotations, name by name\n\n\
         Written by a test from the table that the code reads by (`src/annotations/nginx.rs`): do not edit it. Of the {} names\n\
         that ingress-nginx v1.15 has, {honoured} are honoured; [what they mean here](README.md#annotations).\n\n\
         | `{PREFIX}…` | |\n|---|---|\n",
        names::NAMES.len(),
    );
    for (word, _) in names::NAMES {
        let row = UNREAD.iter().find(|row| row.word == word && effect(word) != Effect::Honoured);
        let _ = writeln!(page, "| `{word}` | {} |", row.map_or("honoured".into(), meets));
    }
    page += "\nFormer names of ingress-nginx, and what to write instead:\n\n| name | |\n|---|---|\n";
    for row in FORMER {
        let _ = writeln!(page, "| `{}` | {} |", row.word.replace('*', "…"), row.instead);
    }
    page +=
        "\nA name that is none of these has no effect, which is told; one that looks like a guard denies.\n";
    page
}

fn meets(row: &rows::Unread) -> String {
    let idle: Vec<String> =
        row.idle.iter().filter(|value| !value.is_empty()).map(|value| format!("`{value}`")).collect();
    let unless = if idle.is_empty() { String::new() } else { format!(" (unless {})", idle.join(", ")) };
    match row.standing {
        Standing::Needless => format!("no effect needed: {}", row.why),
        Standing::Told | Standing::Former => format!("told{unless}: {}; {}", row.why, row.instead),
        Standing::Denies => format!("**503**{unless}: {}; {}", row.why, row.instead),
    }
}
