//! The changes as text and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Change, Weight};

/// One a line, warnings first; how many there are last.
pub(super) fn text(changes: &[Change]) -> String {
    let mut out = String::new();
    for Change { weight, kind, subject, text } in changes {
        let warning = if *weight == Weight::Warning { "warning: " } else { "" };
        let _ = writeln!(out, "{warning}{}: {subject}: {text}", kind.as_str());
    }
    let warnings = changes.iter().filter(|change| change.weight == Weight::Warning).count();
    let _ = writeln!(out, "changes: {}, of which warnings: {warnings}", changes.len());
    out
}

/// The same for programs.
pub(super) fn json(changes: &[Change]) -> String {
    let of = |weight| -> Vec<Value> {
        let all = changes.iter().filter(|change| change.weight == weight);
        all.map(|Change { kind, subject, text, .. }| {
            json!({ "kind": kind.as_str(), "subject": subject, "text": text })
        })
        .collect()
    };
    let shown = json!({ "warnings": of(Weight::Warning), "changes": of(Weight::Plain) });
    format!("{shown:#}\n")
}
