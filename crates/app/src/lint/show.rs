//! The report as text and as JSON.

use std::fmt::Write as _;

use serde_json::json;

use super::{Finding, Outcome, Report, Verdict};

/// For people: each Ingress with its annotations, one a line, and its verdict; that of all last.
pub(super) fn text(report: &Report, quiet: bool) -> String {
    let mut out = String::new();
    for verdict in &report.ingresses {
        one(&mut out, "", verdict, quiet);
    }
    if let Some(verdict) = &report.config_map {
        one(&mut out, "ConfigMap ", verdict, quiet);
    }
    for problem in &report.others {
        let _ = writeln!(out, "{problem}");
    }
    for note in &report.notes {
        let _ = writeln!(out, "note: {note}");
    }
    let _ = writeln!(out, "{}", sum(report));
    out
}

fn one(out: &mut String, kind: &str, verdict: &Verdict, quiet: bool) {
    let mut shown = verdict.findings.iter().filter(|finding| !quiet || finding.is_told()).peekable();
    if quiet && shown.peek().is_none() {
        return;
    }
    let _ = writeln!(out, "{kind}{}: {}", verdict.key, line(verdict));
    for finding in shown {
        let _ = writeln!(out, "  {:<8} {}", finding.outcome.as_str(), said(finding));
    }
}

fn said(Finding { field, message, remedy, .. }: &Finding) -> String {
    let field = if field.is_empty() { "the Ingress" } else { field };
    match (&**message, &**remedy) {
        ("", _) => field.to_owned(),
        (message, "") => format!("{field}: {message}"),
        (message, remedy) => format!("{field}: {message}; {remedy}"),
    }
}

/// The verdict of an Ingress, in one line.
fn line(verdict: &Verdict) -> String {
    let (refused, differ) = (verdict.count(Outcome::Refused), verdict.count(Outcome::Differs));
    match verdict.outcome() {
        Outcome::Same => "the same".into(),
        Outcome::Differs => format!("differs in {differ}"),
        Outcome::Refused if differ == 0 => format!("refused, for {refused}"),
        Outcome::Refused => format!("refused, for {refused}, and differs in {differ}"),
    }
}

/// The verdict of all, in one line.
fn sum(report: &Report) -> String {
    let [same, differ, refused] =
        [Outcome::Same, Outcome::Differs, Outcome::Refused].map(|outcome| report.count(outcome));
    let advice = match report.worst() {
        _ if report.ingresses.is_empty() => "there is nothing to judge; name the class with --class",
        Outcome::Same => "they can be switched as they are",
        Outcome::Differs => "they are all served; look at what differs",
        Outcome::Refused => "what is refused is not served, or answered 503: mend it first",
    };
    format!(
        "ingresses: {}, the same: {same}, differ: {differ}, refused: {refused}, of other classes: {}; {advice}",
        report.ingresses.len(),
        report.foreign
    )
}

/// For programs.
pub(super) fn json(report: &Report) -> String {
    let finding = |finding: &Finding| {
        json!({
            "field": finding.field,
            "outcome": finding.outcome.as_str(),
            "reason": finding.reason,
            "message": finding.message,
            "remedy": finding.remedy,
        })
    };
    let verdict = |verdict: &Verdict| {
        json!({
            "namespace": verdict.key.namespace,
            "name": verdict.key.name,
            "file": verdict.file,
            "verdict": verdict.outcome().as_str(),
            "findings": verdict.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    };
    let shown = json!({
        "verdict": report.worst().as_str(),
        "same": report.count(Outcome::Same),
        "differ": report.count(Outcome::Differs),
        "refused": report.count(Outcome::Refused),
        "otherClasses": report.foreign,
        "ingresses": report.ingresses.iter().map(verdict).collect::<Vec<_>>(),
        "configMap": report.config_map.as_ref().map(verdict),
        "problems": admin::json::problems(&report.others),
        "notes": report.notes,
    });
    format!("{shown:#}\n")
}
