//! The card of the machine: what was compared, where and how. It stands above the tables.

use std::fs;

use crate::Options;
use crate::cores::allowed;
use crate::programs::Programs;
use crate::proxy::Proxy;

/// What is the same for every proxy.
const COMMON: &str = "One worker each, alone on its core. Every peer keeps connections to its clients and to the upstream \
open for any number of requests (75 s idle), tells the upstream X-Forwarded-*, X-Real-IP and X-Request-ID where it can, and \
passes the same bytes, all of which the clients check. TLS is 1.3 with X25519, AES-128-GCM and one ECDSA P-256 certificate. \
nginx: worker_processes 1, keepalive_requests 10^9 on both sides, keepalive 2048 and proxy_http_version 1.1 upstream, no \
temporary files. haproxy: nbthread 1, http-reuse always, tune.* as it comes. envoy: concurrency 1, no circuit breakers. sozu: \
one worker, more buffers. sluicegate: one worker, its defaults.";

/// Writes the card, and returns the proxies that are there.
pub(crate) fn write(options: &Options, proxies: &[Proxy], programs: &Programs, core: usize) -> Vec<Proxy> {
    let cores = allowed().map_or(0, |cores| cores.len());
    println!("{}, {cores} cores, {} MiB; {}; load {}", cpu(), memory_mib(), kernel(), load());
    println!(
        "\nMedians of {} interleaved runs of {} s; ratios are medians of the ratios",
        options.turns(),
        options.seconds
    );
    println!(
        "of each turn, with the smallest and the largest. Access logs {}.",
        if options.access_log { "of nginx and sluicegate on" } else { "off" }
    );
    println!("Latencies and system calls are of keep-alive connections. {COMMON}\n");
    let mut there = Vec::new();
    for proxy in proxies {
        match programs.version(*proxy, core) {
            Ok(version) => {
                println!("- {proxy}: {version}");
                there.push(*proxy);
            }
            Err(why) => println!("- {proxy}: LEFT OUT: {why:#}"),
        }
    }
    if let Some(folder) = programs.debian() {
        println!("- nginx and haproxy are those of the Debian in {}", folder.display());
    }
    there
}

fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or("unknown CPU", |(_, name)| name).to_owned()
}

fn memory_mib() -> u64 {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = info.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next());
    total.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) >> 10
}

fn kernel() -> String {
    let read = |name| fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
    format!("{} {}", read("ostype").trim(), read("osrelease").trim())
}

fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
