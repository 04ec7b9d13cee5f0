//! The tables that come out, in Markdown. Progress goes to standard error.

use std::time::Duration;

use crate::Outcome;
use crate::failure::Failure;
use crate::tally::{Count, Kind};

/// Tells what came of all runs.
pub(crate) fn print(outcomes: &[Outcome]) {
    let shown: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.tally.is_some()).collect();
    if !shown.is_empty() {
        by_client(&shown);
        by_phase(&shown);
    }
    outcomes.iter().for_each(remarks);
}

/// One line for each kind of client; a loss is counted as `fresh/reused` connection.
fn by_client(outcomes: &[&Outcome]) {
    println!("\nBy client. Losses: on a connection opened for the request / on one that had waited.\n");
    let classes = Failure::CLASSES.map(|class| format!(" {class:>9} |")).concat();
    println!(
        "| {:<14} | {:<8} | {:>9} | {:>7} |{classes} {:>9} | {:>9} | {:>6} | {:>6} | {:>6} |",
        "proxy", "client", "requests", "lost", "told off", "cut idle", "p50 ms", "p99 ms", "max ms"
    );
    println!("|{}", "---|".repeat(9 + Failure::CLASSES.len()));
    for outcome in outcomes {
        let tally = outcome.tally.as_ref().expect("only those are here").lock();
        for kind in Kind::ALL {
            let (count, latency) = (tally.of_kind(kind), &tally.latency[kind as usize]);
            let times = [latency.percentile(50), latency.percentile(99), latency.longest()];
            line(&outcome.variant.to_string(), &kind.to_string(), &count, &times.map(millis));
        }
        line(&outcome.variant.to_string(), "all", &tally.total(), &["", "", ""].map(str::to_owned));
    }
}

fn line(proxy: &str, client: &str, count: &Count, times: &[String; 3]) {
    let cell = |[fresh, waited]: &[u64; 2]| match fresh + waited {
        0 => format!(" {:>9} |", "0"),
        _ => format!(" {:>9} |", format!("{fresh}/{waited}")),
    };
    let classes: String = count.lost.iter().map(cell).collect();
    let [p50, p99, max] = times;
    println!(
        "| {proxy:<14} | {client:<8} | {:>9} | {:>7} |{classes} {:>9} | {:>9} | {p50:>6} | {p99:>6} | {max:>6} |",
        count.requests,
        count.losses(),
        count.told,
        count.cut
    );
}

fn millis(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

/// One line for each kind of change.
fn by_phase(outcomes: &[&Outcome]) {
    println!("\nBy change. Given up: connections that their clients would have used again.\n");
    println!(
        "| {:<14} | {:<12} | {:>7} | {:>6} | {:>10} | {:>9} | {:>7} | {:>9} | {:>9} |",
        "proxy", "while", "changes", "unseen", "slowest ms", "requests", "lost", "told off", "cut idle"
    );
    println!("|{}", "---|".repeat(9));
    for outcome in outcomes {
        let tally = outcome.tally.as_ref().expect("only those are here").lock();
        for (phase, counts) in &tally.phases {
            let sum = counts.iter().fold(Count::default(), Count::add);
            let course = outcome.courses.iter().find(|course| course.phase == *phase);
            let of_course =
                |show: &dyn Fn(&crate::changes::Course) -> String| course.map_or(String::new(), show);
            println!(
                "| {:<14} | {phase:<12} | {:>7} | {:>6} | {:>10} | {:>9} | {:>7} | {:>9} | {:>9} |",
                outcome.variant,
                of_course(&|course| course.done.to_string()),
                of_course(&|course| course.unseen.to_string()),
                of_course(&|course| millis(course.slowest)),
                sum.requests,
                sum.losses(),
                sum.told,
                sum.cut
            );
        }
    }
}

/// What the tables do not say.
fn remarks(outcome: &Outcome) {
    println!("\n{}: {}", outcome.variant, outcome.version);
    if let Some(why) = &outcome.failed {
        println!("  not run to its end: {why}");
    }
    outcome.faults.iter().for_each(|fault| println!("  {fault}"));
    if let Some(tally) = &outcome.tally {
        let tally = tally.lock();
        println!("  the clients themselves were late by up to {} ms", millis(tally.late));
        tally.evidence.iter().for_each(|story| println!("  lost: {story}"));
    }
}
