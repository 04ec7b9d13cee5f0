//! The answer of `sluicegate dns plan`, as a table or as JSON.

use std::fmt::Write as _;

use aws::dns::keeper::Config;
use aws::dns::plan::{Action, Change, Edit, Plan};
use serde_json::{Value, json};

const HEAD: [&str; 5] = ["ACTION", "NAME", "ZONE", "RECORDS", "WHY"];

/// A table, what is held back, what is wrong, and the sums.
pub(super) fn text(plan: &Plan, config: &Config) -> String {
    let mut shown = String::new();
    if !plan.changes.is_empty() {
        table(&mut shown, &plan.changes.iter().map(row).collect::<Vec<_>>());
    }
    for withheld in &plan.withheld {
        let change = &withheld.change;
        let _ = writeln!(
            shown,
            "not done: {} {} in {}: {}",
            change.action.as_str(),
            change.name,
            change.zone.name,
            withheld.why
        );
    }
    for problem in &plan.problems {
        let _ = writeln!(shown, "{problem}");
    }
    let deletions = plan.changes.iter().filter(|change| change.action == Action::Delete).count();
    if deletions > 0 {
        let limits = config.limits;
        let _ = writeln!(
            shown,
            "note: a deletion is made when {} cycles in a row have planned it, and none if more than {} % of our names would go",
            limits.cycles, limits.percent
        );
    }
    let (changes, problems) = (plan.changes.len(), plan.problems.len());
    let _ = writeln!(
        shown,
        "changes: {changes}, of them deletions: {deletions}, in place: {}, ours: {}, problems: {problems}",
        plan.in_place, plan.owned
    );
    shown
}

fn row(change: &Change) -> [String; 5] {
    let zone = format!("{}{}", change.zone.name, if change.zone.is_private { " (private)" } else { "" });
    let (name, action) = (change.name.to_string(), change.action.as_str().to_owned());
    [action, name, zone, records(change), change.reason.clone()]
}

/// As `-CNAME +A +TXT`.
fn records(change: &Change) -> String {
    let edits = change.edits.iter().map(|edit| match edit {
        Edit::Delete(record) => format!("-{}", record.kind),
        Edit::Create(record) => format!("+{}", record.kind),
    });
    edits.collect::<Vec<_>>().join(" ")
}

/// The last column is as wide as it likes.
fn table(shown: &mut String, rows: &[[String; 5]]) {
    let head = HEAD.map(str::to_owned);
    let all = || std::iter::once(&head).chain(rows);
    let widths = [0, 1, 2, 3].map(|at| all().map(|row| row[at].chars().count()).max().unwrap_or_default());
    for [action, name, zone, records, why] in all() {
        let [a, b, c, d] = widths;
        let _ = writeln!(shown, "{action:a$}  {name:b$}  {zone:c$}  {records:d$}  {why}");
    }
}

/// The same for programs.
pub(super) fn json(plan: &Plan) -> Value {
    json!({
        "changes": plan.changes.iter().map(change).collect::<Vec<_>>(),
        "withheld": plan.withheld.iter().map(|withheld| {
            let mut shown = change(&withheld.change);
            shown["why_not"] = json!(withheld.why);
            shown
        }).collect::<Vec<_>>(),
        "problems": admin::json::problems(&plan.problems),
        "in_place": plan.in_place,
        "ours": plan.owned,
    })
}

fn change(change: &Change) -> Value {
    let edit = |edit: &Edit| {
        let (action, record) = match edit {
            Edit::Delete(record) => ("delete", record),
            Edit::Create(record) => ("create", record),
        };
        json!({
            "action": action,
            "type": record.kind.as_str(),
            "name": record.name.as_str(),
            "value": record.data.to_string(),
            "alias": record.is_alias(),
        })
    };
    json!({
        "action": change.action.as_str(),
        "name": change.name.as_str(),
        "zone": change.zone.name.as_str(),
        "zone_id": &*change.zone.id,
        "private": change.zone.is_private,
        "why": change.reason,
        "records": change.edits.iter().map(edit).collect::<Vec<_>>(),
    })
}
