//! What came of it, for people.

use std::collections::BTreeMap;

use crate::options::Options;
use crate::scenario::{Scenario, step_at};
use crate::tally::{Lost, Tally};

/// How many losses are told one by one.
const SHOWN: usize = 40;

/// Prints steps, clients and losses.
pub(crate) fn print(options: &Options, scenario: &Scenario, tally: &Tally) {
    println!("\n{}", steps(scenario));
    println!("{}", clients(tally));
    let lost = tally.all_lost();
    println!("{}", losses(scenario, &lost));
    let (needless, excused): (Vec<_>, Vec<_>) = lost.iter().partition(|lost| lost.excuse.is_none());
    let times = if options.shipped_times { "as shipped" } else { "short" };
    println!("the clients stood still for up to {:.1?}", tally.longest_standstill());
    println!(
        "{} answered, {} lost, {} lost that could not be saved; times {times}; upstreams were rolled {} times",
        tally.answered(),
        needless.len(),
        excused.len(),
        scenario.churned()
    );
}

fn steps(scenario: &Scenario) -> String {
    let line = |(number, played): (usize, &crate::scenario::Played)| {
        format!("{:3}  {:7.1} s  {}{}", number + 1, played.took.as_secs_f64(), played.step, played.note)
    };
    scenario.played.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

fn clients(tally: &Tally) -> String {
    let mut text = format!(
        "\n{:8} {:>9} {:>12} {:>14} {:>9}\n",
        "clients", "answered", "connections", "told to close", "slowest"
    );
    for (kind, count) in tally.counts() {
        text.push_str(&format!(
            "{:8} {:>9} {:>12} {:>14} {:>7.2} s\n",
            format!("{kind:?}").to_lowercase(),
            count.answered,
            count.connections,
            count.told_to_close,
            count.slowest.as_secs_f64()
        ));
    }
    text
}

fn losses(scenario: &Scenario, lost: &[Lost]) -> String {
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    for lost in lost {
        let connection = if lost.carried > 0 { "reused" } else { "fresh" };
        let why = lost.excuse.map_or_else(String::new, |excuse| format!(" ({excuse})"));
        *classes.entry(format!("{} on a {connection} connection{why}", lost.loss)).or_default() += 1;
    }
    let mut text: String = classes.iter().map(|(class, count)| format!("{count:6}  {class}\n")).collect();
    for lost in lost.iter().filter(|lost| lost.excuse.is_none()).take(SHOWN) {
        let (step, after) = match step_at(&scenario.played, lost) {
            Some(step) => (step + 1, lost.at.duration_since(scenario.played[step].began)),
            None => (0, std::time::Duration::ZERO),
        };
        let logged = match scenario.logged(lost) {
            lines if lines.is_empty() => "no gate has logged a refusal of it".to_owned(),
            lines => lines.join("; "),
        };
        text.push_str(&format!(
            "  {after:.2?} after the start of step {step}: {} by a {:?} client of {:?}, after {} requests and {:.2?} of \
             silence, {:?}; {logged}\n",
            lost.loss, lost.kind, lost.node, lost.carried, lost.idle, lost.connection
        ));
    }
    text
}
