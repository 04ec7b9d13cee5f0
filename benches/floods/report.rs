//! The table that comes out, in Markdown. Progress goes to standard error.

use std::time::Duration;

use crate::Outcome;

pub(crate) fn head() {
    println!(
        "| flood | p50 ms | beside | p99 ms | as it opens | beside | ratio | past the proxy | beside | max ms beside | answered | unasked | failed | CPU s | sent KiB | \
         connections | RSS MiB | peak | after | amplification |"
    );
    println!("|{}", "---|".repeat(20));
}

pub(crate) fn line(outcome: &Outcome) {
    let (alone, beside, [past, past_beside]) = (&outcome.alone, &outcome.beside, &outcome.past);
    let percentile = |share| [alone.latency.percentile(share), beside.latency.percentile(share)];
    let ([half, half_beside], [most, most_beside]) = (percentile(50), percentile(99));
    println!(
        "| {} | {} | {} | {} | {} | {} | {:.1} | {} | {} | {} | {} | {} | {} | {:.1} | {} | {} | {} | {} | {} | {:.2} |",
        outcome.case,
        millis(half),
        millis(half_beside),
        millis(most),
        millis(outcome.opening.latency.percentile(99)),
        millis(most_beside),
        outcome.ratio(),
        millis(past.latency.percentile(99)),
        millis(past_beside.latency.percentile(99)),
        millis(beside.latency.longest()),
        alone.answered + outcome.opening.answered + beside.answered,
        outcome.opening.unasked + beside.unasked,
        alone.failed + outcome.opening.failed + beside.failed,
        outcome.cpu.as_secs_f64(),
        outcome.cost.sent >> 10,
        outcome.cost.connections,
        outcome.before_kib >> 10,
        outcome.peak_kib >> 10,
        outcome.after_kib >> 10,
        outcome.amplification(),
    );
}

fn millis(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}
