use super::cases::{Becomes, cases, manifest};
use crate::kinds::Object;
use crate::manifests::parse::parse;

#[test]
fn secrets_are_taken_and_refused_as_the_api_server_does_it() {
    for (rest, becomes) in cases() {
        let shown = &rest[..rest.len().min(80)];
        let mut parsed = parse("s.yaml", manifest("s", &rest).as_bytes());
        assert!(parsed.broken.is_none() && parsed.readings.len() == 1, "{shown}: {parsed:?}");
        match (parsed.readings.remove(0).object, becomes) {
            (Ok(Object::Secret(secret)), Becomes::Data(data)) => {
                let had = secret.data.iter().flatten().map(|(key, bytes)| (key.clone(), text(&bytes.0)));
                assert_eq!(had.collect::<Vec<_>>(), data, "{shown}");
                assert_eq!(secret.string_data, None, "{shown}");
            }
            (Err(problem), Becomes::Refused(field)) => {
                assert!(problem.field.starts_with(field), "{shown}: {problem}");
                assert!(!problem.remedy.is_empty(), "{shown}: {problem}");
            }
            (had, _) => panic!("{shown}: {had:?}"),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[test]
fn a_name_that_no_secret_can_have_is_refused() {
    let takes = |name: &str| {
        let parsed = parse("s.yaml", manifest(&format!("{name:?}"), "").as_bytes());
        parsed.readings[0].object.is_ok()
    };
    let long = "a".repeat(254);
    for name in ["A", "a_b", "-a", "a-", "a..b", "a.-b", "a.", ".a", "a b", &long] {
        assert!(!takes(name), "{name}");
    }
    for name in ["a", "a.b", "9-9.x", &long[1..]] {
        assert!(takes(name), "{name}");
    }
}

#[test]
fn one_secret_that_is_refused_costs_no_other_and_says_what_to_write() {
    let list = "apiVersion: v1\nkind: List\nitems:\n\
                - {apiVersion: v1, kind: Secret, metadata: {name: bad, namespace: shop}, data: {tls.crt: \"-----BEGIN\"}}\n\
                - {apiVersion: v1, kind: Secret, metadata: {name: good}, data: {a: YQ==}}\n";
    let parsed = parse("s.yaml", list.as_bytes());
    let [bad, good] = &parsed.readings[..] else { panic!("{parsed:?}") };
    assert!(good.object.is_ok());
    let problem = bad.object.as_ref().expect_err("no base64").to_string();
    assert!(
        problem.starts_with("error: s.yaml: Secret shop/bad: items[0].data[tls.crt]: is not base64: "),
        "{problem}"
    );
    assert!(problem.ends_with("or the text itself under stringData"), "{problem}");
}
