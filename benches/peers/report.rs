//! The tables that come out, in Markdown, ready to be pasted into a note. Progress goes to standard error.

use std::collections::BTreeSet;

use crate::calls::Calls;
use crate::idle::Growth;
use crate::latency::Latency;
use crate::load::Run;
use crate::proxy::Proxy;
use crate::row::Row;
use crate::series::Series;
use crate::statistics::{Ratio, median, ratio, span};

/// Tells what one run came to.
pub(crate) fn progress(row: &str, proxy: Proxy, turn: usize, result: &str) {
    eprintln!("{row} run {}: {proxy:<10} {result}", turn + 1);
}

/// What the rows came to, for one table at the end.
#[derive(Default)]
pub(crate) struct Summary {
    rows: Vec<(&'static str, Vec<(Proxy, String)>)>,
}

impl Summary {
    fn add<T>(&mut self, row: &Row, series: &Series<T>, value: impl Fn(&T) -> f64) {
        let cell = |(proxy, runs): &(Proxy, Vec<T>)| {
            let ratio = Ratio::of(series, row.base(), runs, &value);
            (*proxy, ratio.map_or("–".into(), |ratio| format!("{ratio}")))
        };
        let failed = series.failed.iter().map(|(proxy, _)| (*proxy, "failed".to_owned()));
        self.rows.push((row.name, series.measured.iter().map(cell).chain(failed).collect()));
    }

    /// The table of all rows: what each proxy spends, as a ratio to what nginx does.
    pub(crate) fn write(&self, proxies: &[Proxy]) {
        println!("\n### All rows, as ratios to nginx\n");
        println!(
            "CPU time for each request; of `latency` p99, of `calls` their number, of `idle` the memory; of"
        );
        println!("`routes` the CPU time with 50 000 routes, as a ratio to sluicegate with one.\n");
        let columns = || proxies.iter().filter(|proxy| **proxy != Proxy::Nginx);
        let names: Vec<String> = columns().map(|proxy| proxy.to_string()).collect();
        println!("| row | {} |", names.join(" | "));
        println!("|---|{}", "---|".repeat(names.len()));
        for (name, cells) in &self.rows {
            let cell = |proxy: &Proxy| {
                // Both of the row `routes` are sluicegate, and the latter is what is looked for.
                let is_of =
                    |of: Proxy| of == *proxy || (of == Proxy::ManyRoutes && *proxy == Proxy::Sluicegate);
                let cell = cells.iter().rfind(|(of, _)| is_of(*of));
                cell.map_or("", |(_, cell)| cell.as_str())
            };
            println!("| {name} | {} |", columns().map(cell).collect::<Vec<_>>().join(" | "));
        }
    }
}

fn begin(row: &Row) {
    println!("\n### {}: {}\n", row.name, row.about);
}

fn end<T>(series: &Series<T>) {
    for (proxy, why) in &series.failed {
        println!("\n{proxy} FAILED: {why}");
    }
}

/// The table of a load.
pub(crate) fn loads(row: &Row, series: &Series<Run>, summary: &mut Summary) {
    begin(row);
    println!(
        "| proxy | requests/s | of {0} | CPU µs/request | spread | user | system | of {0} | of the floor | core busy | load's core |",
        row.base()
    );
    println!("|---|--:|--:|--:|---|--:|--:|---|--:|--:|--:|");
    let cpu_us = |run: &Run| run.cpu_us;
    let [rate, busy, rest]: [fn(&Run) -> f64; 3] = [|run| run.rate, |run| run.busy, |run| run.rest_busy];
    for (proxy, runs) in &series.measured {
        println!(
            "| {proxy} | {:.0} | {} | {:.1} | {} | {:.1} | {:.1} | {} | {} | {:.0} % | {:.0} % |",
            median(runs, rate),
            ratio(series, row.base(), runs, rate, false),
            median(runs, cpu_us),
            span(runs, cpu_us),
            median(runs, |run| run.cpu_us * run.user),
            median(runs, |run| run.cpu_us * (1.0 - run.user)),
            ratio(series, row.base(), runs, cpu_us, true),
            ratio(series, Proxy::Floor, runs, cpu_us, false),
            median(runs, busy) * 100.0,
            median(runs, rest) * 100.0,
        );
    }
    end(series);
    summary.add(row, series, cpu_us);
}

/// The table of latencies.
pub(crate) fn latencies(
    row: &Row,
    (of, rate): (Proxy, f64),
    series: &Series<Latency>,
    summary: &mut Summary,
) {
    begin(row);
    println!(
        "{rate:.0} requests/s (by what {of} can do) over 64 connections, from when each was to be sent, in ms\n"
    );
    println!("| proxy | p50 | p99 | spread | of {} | p99.9 | slowest | core busy |", row.base());
    println!("|---|--:|--:|---|---|--:|--:|--:|");
    let p99 = |run: &Latency| run.p99;
    for (proxy, runs) in &series.measured {
        println!(
            "| {proxy} | {:.2} | {:.2} | {} | {} | {:.2} | {:.2} | {:.0} % |",
            median(runs, |run| run.median),
            median(runs, p99),
            span(runs, p99),
            ratio(series, row.base(), runs, p99, true),
            median(runs, |run| run.p999),
            median(runs, |run| run.slowest),
            median(runs, |run| run.busy) * 100.0,
        );
    }
    end(series);
    summary.add(row, series, p99);
}

/// The table of system calls: a column for each that any proxy makes at least once in a hundred requests.
pub(crate) fn calls(row: &Row, series: &Series<Calls>, summary: &mut Summary) {
    const SELDOM: f64 = 0.01;
    begin(row);
    let all = series.measured.iter().flat_map(|(_, runs)| runs);
    let often = |calls: &Calls| -> Vec<String> {
        calls.0.iter().filter(|(_, count)| **count >= SELDOM).map(|(name, _)| name.clone()).collect()
    };
    let names: Vec<String> = all.flat_map(often).collect::<BTreeSet<_>>().into_iter().collect();
    println!("| proxy | all | of {} | {} |", row.base(), names.join(" | "));
    println!("|---|--:|---|{}", "--:|".repeat(names.len()));
    let all = |calls: &Calls| calls.0.values().sum::<f64>();
    for (proxy, runs) in &series.measured {
        let each =
            |name: &String| format!("{:.2}", median(runs, |calls| calls.0.get(name).copied().unwrap_or(0.0)));
        let each: Vec<String> = names.iter().map(each).collect();
        let ratio = ratio(series, row.base(), runs, all, false);
        println!("| {proxy} | {:.2} | {ratio} | {} |", median(runs, all), each.join(" | "));
    }
    end(series);
    summary.add(row, series, all);
}

/// The table of the idle connections.
pub(crate) fn idle(row: &Row, connections: usize, series: &Series<Growth>, summary: &mut Summary) {
    begin(row);
    println!("{connections} connections\n");
    println!("| proxy | KiB/connection | spread | of {} | KiB before | KiB after |", row.base());
    println!("|---|--:|---|---|--:|--:|");
    for (proxy, growths) in &series.measured {
        println!(
            "| {proxy} | {:.2} | {} | {} | {:.0} | {:.0} |",
            median(growths, Growth::per_connection),
            span(growths, Growth::per_connection),
            ratio(series, row.base(), growths, Growth::per_connection, true),
            median(growths, |growth| growth.before_kib as f64),
            median(growths, |growth| growth.after_kib as f64),
        );
    }
    end(series);
    summary.add(row, series, Growth::per_connection);
}
