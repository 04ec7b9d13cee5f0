//! The tables that come out, in Markdown, ready to be pasted into a note. Progress goes to standard error.

use std::fs;
use std::process::Command;

use crate::idle::Growth;
use crate::load::Run;
use crate::proxy::Proxy;
use crate::scenario::{IDLE, Scenario};
use crate::{Options, Series};

/// Tells what was compared, where and how.
pub(crate) fn head(options: &Options) {
    let Options { runs, seconds, .. } = options;
    let logs = if options.no_access_log { "no access logs" } else { "access logs on (haproxy: off)" };
    println!("Medians of {runs} interleaved runs of {seconds} s, one core for each proxy, {logs}.");
    println!(
        "{}; {}; {}; {}",
        cpu(),
        first_line("uname", "-sr"),
        first_line("nginx", "-v"),
        first_line("haproxy", "-v")
    );
}

fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or("unknown CPU", |(_, name)| name).to_owned()
}

fn first_line(program: &str, option: &str) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new(program).arg(option).env("PATH", format!("{path}:/usr/sbin")).output();
    let said = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
    String::from_utf8_lossy(&said).lines().next().unwrap_or("?").to_owned()
}

/// Tells what one run came to.
pub(crate) fn progress(scenario: &str, proxy: Proxy, turn: usize, result: &str) {
    eprintln!("{scenario} run {}: {proxy:<10} {result}", turn + 1);
}

/// The table of one load.
pub(crate) fn loads(scenario: &Scenario, series: &Series<Run>) {
    println!("\n{}: {}\n", scenario.name, scenario.about);
    println!(
        "| proxy      | requests/s | of nginx | of floor | CPU µs/request | of nginx | of floor | min–max     | core busy |"
    );
    println!(
        "|------------|-----------:|---------:|---------:|---------------:|---------:|---------:|-------------|----------:|"
    );
    let [rate, cpu, busy]: [fn(&Run) -> f64; 3] = [|run| run.rate, |run| run.cpu_us, |run| run.busy];
    for (proxy, runs) in series {
        let (smallest, largest) = span(runs, cpu);
        println!(
            "| {proxy:<10} | {:>10.0} | {:>8} | {:>8} | {:>14.1} | {:>8} | {:>8} | {:<11} | {:>7.0} % |",
            median(runs, rate),
            ratio(series, Proxy::Nginx, runs, rate),
            ratio(series, Proxy::Floor, runs, rate),
            median(runs, cpu),
            ratio(series, Proxy::Nginx, runs, cpu),
            ratio(series, Proxy::Floor, runs, cpu),
            format!("{smallest:.1}–{largest:.1}"),
            median(runs, busy) * 100.0,
        );
    }
}

/// The table of the idle connections.
pub(crate) fn idle(connections: u32, series: &Series<Growth>) {
    println!("\n{IDLE}: {connections} silent keep-alive connections\n");
    println!("| proxy      | KiB/connection | of nginx | KiB before | KiB after |");
    println!("|------------|---------------:|---------:|-----------:|----------:|");
    for (proxy, growths) in series {
        println!(
            "| {proxy:<10} | {:>14.2} | {:>8} | {:>10.0} | {:>9.0} |",
            median(growths, Growth::per_connection),
            ratio(series, Proxy::Nginx, growths, Growth::per_connection),
            median(growths, |growth| growth.before_kib as f64),
            median(growths, |growth| growth.after_kib as f64),
        );
    }
}

/// The median of one proxy's runs over that of another's.
fn ratio<T>(series: &Series<T>, to: Proxy, runs: &[T], value: impl Fn(&T) -> f64) -> String {
    let Some((_, base)) = series.iter().find(|(proxy, _)| *proxy == to) else { return "–".into() };
    format!("{:.2}", median(runs, &value) / median(base, &value))
}

fn median<T>(runs: &[T], value: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

fn span<T>(runs: &[T], value: impl Fn(&T) -> f64) -> (f64, f64) {
    let values = runs.iter().map(value);
    values.fold((f64::INFINITY, 0.0), |(least, most), value| (f64::min(least, value), f64::max(most, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        assert_eq!((median(&[3.0, 1.0, 2.0], |v| *v), median(&[4.0, 1.0, 2.0, 3.0], |v| *v)), (2.0, 2.5));
    }

    #[test]
    fn ratios_are_of_medians_and_absent_without_their_base() {
        let series = vec![(Proxy::Nginx, vec![2.0, 4.0, 3.0]), (Proxy::Haproxy, vec![6.0])];
        assert_eq!(ratio(&series, Proxy::Nginx, &series[1].1, |v| *v), "2.00");
        assert_eq!(ratio(&series, Proxy::Floor, &series[1].1, |v| *v), "–");
    }
}
