//! All that proxies are known to have been fooled by, in one list: what comes, what becomes of it, which test proves it, and
//! why that is not what others would expect, where it is not.
//!
//! A row is proven by an entry of this folder's tables that has its number, or by a test elsewhere, by name.

mod framing;
mod http2;
mod secure;
mod syntax;
mod time_and_answers;

use std::collections::HashSet;
use std::path::Path;

/// One way to fool a proxy.
struct Row {
    number: u32,
    comes: &'static str,
    becomes: &'static str,
    proof: Proof,
    /// Why it differs from the common expectation.
    reason: &'static str,
}

enum Proof {
    /// Entries of the tables here.
    Here,
    /// A test, by its file and its name.
    Elsewhere(&'static str, &'static str),
    /// None, for the reason given.
    Nowhere,
}

const fn here(number: u32, comes: &'static str, becomes: &'static str) -> Row {
    Row { number, comes, becomes, proof: Proof::Here, reason: "" }
}

const fn elsewhere(
    number: u32,
    comes: &'static str,
    becomes: &'static str,
    file: &'static str,
    test: &'static str,
) -> Row {
    Row { number, comes, becomes, proof: Proof::Elsewhere(file, test), reason: "" }
}

const fn nowhere(number: u32, comes: &'static str, becomes: &'static str) -> Row {
    Row { number, comes, becomes, proof: Proof::Nowhere, reason: "" }
}

impl Row {
    const fn but(self, reason: &'static str) -> Row {
        Row { reason, ..self }
    }

    /// What is missing for this row to be proven.
    fn missing(&self, tables: &HashSet<u32>) -> Option<String> {
        let what = match self.proof {
            Proof::Here => (!tables.contains(&self.number)).then(|| "no table has it".to_owned()),
            Proof::Elsewhere(file, test) => {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                (!is_test(&text, test)).then(|| format!("{file} has no test {test}"))
            }
            Proof::Nowhere => self.reason.is_empty().then(|| "nothing proves it, for no reason".to_owned()),
        };
        what.map(|what| format!("row {} ({} -> {}): {what}", self.number, self.comes, self.becomes))
    }
}

/// Whether a file has a test of this name, which is run.
fn is_test(text: &str, name: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    let mut before = "";
    lines.any(|line| {
        let is_it = line
            .trim_start_matches("async ")
            .strip_prefix("fn ")
            .is_some_and(|rest| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with('(')));
        let attribute = std::mem::replace(&mut before, line);
        is_it && matches!(attribute, "#[test]" | "#[tokio::test]")
    })
}

/// How many there are.
const ROWS: u32 = 157;

#[test]
fn every_row_is_proven_or_has_a_reason_why_not() {
    let tables: HashSet<u32> = super::framing::rows()
        .chain(super::syntax::rows())
        .chain(super::http2::rows())
        .chain(super::excess::ROWS)
        .chain(crate::limits::responses::rows())
        .collect();
    let rows = [framing::ROWS, syntax::ROWS, time_and_answers::ROWS, http2::ROWS, secure::ROWS];
    let rows: Vec<&Row> = rows.into_iter().flatten().collect();
    assert!(rows.iter().map(|row| row.number).eq(1..=ROWS), "each number once and in its order");
    let missing: Vec<String> = rows.iter().filter_map(|row| row.missing(&tables)).collect();
    assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
}
