//! The answer of `sluicegate frontend status`, as a table or as JSON.

use std::fmt::Write as _;

use aws::frontend::{Health, Place, Status};
use serde_json::{Value, json};

use super::registration;

const HEAD: [&str; 6] = ["KIND", "NAME", "SCHEME", "STATE", "DRAINS", "REASON"];

/// A table, and what is not as it should be below it.
pub(super) fn text(found: &Status) -> String {
    let mut shown = format!("instance {}, region {}\n", who(found), found.region);
    let rows: Vec<[String; 6]> = found.places.iter().map(row).collect();
    if !rows.is_empty() {
        table(&mut shown, &rows);
    }
    for (scheme, balancer) in &found.frontends.by_scheme {
        let _ = writeln!(shown, "{scheme} hosts lead to {}", balancer.dns_name);
    }
    for note in &found.notes {
        let _ = writeln!(shown, "note: {note}");
    }
    shown
}

fn who(found: &Status) -> String {
    let identity = &found.identity;
    let address = identity.address.map(|address| address.to_string());
    let known: Vec<String> = identity.instance_id.clone().into_iter().chain(address).collect();
    if known.is_empty() { "unknown".into() } else { known.join(" ") }
}

fn row((place, health): &(Place, Result<Health, aws::frontend::Fault>)) -> [String; 6] {
    let (state, reason) = match health {
        Ok(health) => (health.as_str(), health.reason().to_owned()),
        Err(fault) => ("unknown", fault.to_string()),
    };
    let scheme = place.scheme.map_or("-", |scheme| scheme.as_str());
    let drains = place.drain_time.map_or_else(|| "-".into(), |time| format!("{}s", time.as_secs()));
    [place.kind.as_str().into(), place.name.clone(), scheme.into(), state.into(), drains, reason]
}

fn table(shown: &mut String, rows: &[[String; 6]]) {
    let head = HEAD.map(str::to_owned);
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| rows.iter().chain([&head]).map(|row| row[column].len()).max().unwrap_or_default())
        .collect();
    for row in [&head].into_iter().chain(rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(shown, "{}", line.trim_end());
    }
}

/// For programs; each entry is as in `/state`.
pub(super) fn json(found: &Status) -> Value {
    let places = found.places.iter().map(|(place, health)| match health {
        Ok(health) => registration(place, health),
        Err(fault) => admin::Registration {
            error: Some(fault.to_string()),
            ..registration(place, &Health::Unknown(String::new()))
        },
    });
    let dns = found.frontends.by_scheme.iter();
    let dns = dns.map(|(scheme, balancer)| (scheme.as_str(), balancer.dns_name.as_str()));
    json!({
        "region": found.region,
        "instanceId": found.identity.instance_id,
        "address": found.identity.address,
        "found": places.collect::<Vec<_>>(),
        "dnsNames": dns.collect::<std::collections::BTreeMap<_, _>>(),
        "notes": found.notes,
    })
}
