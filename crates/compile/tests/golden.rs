//! Golden files: `testdata/<case>.in.yaml` is Kubernetes YAML as a user writes it, `<case>.out.yaml` is what it comes
//! to. After a change that is meant, write the outputs anew and read the difference:
//! `UPDATE_GOLDEN=1 cargo test -p compile --test golden && git diff crates/compile/testdata`
//!
//! Besides Kubernetes objects an input may hold documents of these kinds: `Requests` (lines of host and path, or path
//! alone, whose routes are shown), `Settings` (what differs from the default), `Resolved` (DNS names to addresses or to
//! an error), `Namespaces` (those whose Ingresses count), `Before` (what was different in what was live before) and `Over`
//! (the time of what is pending is over).

#[path = "golden/case.rs"]
mod case;
#[path = "golden/render.rs"]
mod render;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use case::Case;
use render::render;

const UPDATE: &str =
    "UPDATE_GOLDEN=1 cargo test -p compile --test golden && git diff crates/compile/testdata";

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// The names of all cases that have a file with this ending.
fn names(ending: &str) -> BTreeSet<String> {
    let files = fs::read_dir(testdata()).expect("testdata").map(|entry| entry.expect("an entry").file_name());
    files.filter_map(|file| file.to_string_lossy().strip_suffix(ending).map(str::to_string)).collect()
}

fn input(name: &str) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(testdata().join(format!("{name}.in.yaml"))).expect("the input");
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{name}.in.yaml: {error}"))
}

#[test]
fn every_input_compiles_to_its_golden_output() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for name in names(".in.yaml") {
        let path = testdata().join(format!("{name}.out.yaml"));
        let found = render(&Case::read(input(&name)));
        if update {
            fs::write(path, found).expect("the output can be written");
        } else if let Some(difference) = difference(&fs::read_to_string(path).unwrap_or_default(), &found) {
            wrong.push(format!("{name}: {difference}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n\nIf this is meant: {UPDATE}", wrong.join("\n"));
}

/// The first line in which the two differ.
fn difference(expected: &str, found: &str) -> Option<String> {
    if expected == found {
        return None;
    }
    let same = expected.lines().zip(found.lines()).take_while(|(expected, found)| expected == found).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(nothing)").to_string();
    Some(format!("line {}:\n  expected {}\n  found    {}", same + 1, line(expected), line(found)))
}

#[test]
fn every_output_has_an_input() {
    let inputs = names(".in.yaml");
    let orphans: Vec<_> = names(".out.yaml").into_iter().filter(|name| !inputs.contains(name)).collect();
    assert_eq!(orphans, Vec::<String>::new());
}

/// Objects come from a watch or a folder in any order, and each replica sees its own.
#[test]
fn objects_in_any_order_compile_to_the_same() {
    let mut random = fastrand::Rng::with_seed(1);
    for name in names(".in.yaml") {
        let mut documents = input(&name);
        let expected = render(&Case::read(documents.clone()));
        for _ in 0..10 {
            random.shuffle(&mut documents);
            assert_eq!(render(&Case::read(documents.clone())), expected, "{name}");
        }
    }
}

/// Reasons are a closed set, and none of them is there for nothing.
#[test]
fn every_reason_but_that_of_overflow_has_a_golden_case() {
    let mut unseen: BTreeSet<&str> = compile::reasons::ALL.into_iter().collect();
    assert!(unseen.remove(compile::reasons::MORE_PROBLEMS), "it has a test beside its code");
    for name in names(".in.yaml") {
        for problem in Case::read(input(&name)).compile().problems.iter() {
            assert!(compile::reasons::ALL.contains(&problem.reason), "{name}: {problem}");
            unseen.remove(problem.reason);
        }
    }
    assert_eq!(unseen, BTreeSet::new());
}
