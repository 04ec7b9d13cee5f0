//! What many objects cost.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use control_plane::{ControlPlane, own_address};
use tokio::task::JoinSet;

use crate::api::{Api, name};
use crate::figures::percentiles;
use crate::gate::Gate;
use crate::probe::{Probe, upstream};

/// Lone changes for the CPU time of one.
const LONE_CHANGES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(30);
/// Changes that wait for the API server at once.
const CHANGES_AT_ONCE: usize = 64;

/// How many objects.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) services: usize,
    pub(crate) endpoints: usize,
}

impl Size {
    /// Addresses that are not asked. Another turn gives others.
    fn endpoints_of(self, service: usize, turn: usize) -> Vec<SocketAddr> {
        let first =
            (service * (self.endpoints + 1) + turn % 2) as u32 + u32::from(Ipv4Addr::new(10, 0, 0, 1));
        let address = |at: u32| SocketAddr::new(IpAddr::V4(Ipv4Addr::from(first + at)), 8080);
        (0..self.endpoints as u32).map(address).collect()
    }
}

pub(crate) async fn run(
    plane: &ControlPlane,
    api: &Api,
    size: Size,
    rate: u32,
    time: Duration,
) -> Result<()> {
    let Size { services, endpoints } = size;
    println!("{services} Ingresses, {services} Services, {} endpoints:", services * endpoints);
    let upstreams = [('a', upstream(own_address()?, 'a')?), ('b', upstream(own_address()?, 'b')?)];
    api.create("scaled", "scaled.example", &[upstreams[0].1]).await?;
    let started = Instant::now();
    api.create_all(services, |at| size.endpoints_of(at, 0)).await?;
    println!("  (created in {:.0?})", started.elapsed());

    let gate = Gate::start(plane.kubeconfig())?;
    println!("  first sync: {:.2?} from the start of the process until it serves", gate.serving_after);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let usage = gate.usage()?;
    println!("  memory: {} MiB resident, {} MiB at the most", usage.resident_kib >> 10, usage.peak_kib >> 10);

    lone_changes(api, &gate, size).await?;
    many_changes(api, &gate, size, upstreams, rate, time).await?;
    let usage = gate.usage()?;
    println!(
        "  memory then: {} MiB resident, {} MiB at the most",
        usage.resident_kib >> 10,
        usage.peak_kib >> 10
    );
    Ok(())
}

async fn lone_changes(api: &Api, gate: &Gate, size: Size) -> Result<()> {
    let (idle, started) = (gate.usage()?.cpu, Instant::now());
    tokio::time::sleep(PAUSE * LONE_CHANGES).await;
    let idle = (gate.usage()?.cpu - idle).div_f64(started.elapsed().as_secs_f64());
    let (before, started) = (gate.usage()?.cpu, Instant::now());
    for change in 1..=LONE_CHANGES as usize {
        let service = change * 7 % size.services;
        api.change(&name(service), &size.endpoints_of(service, change)).await?;
        tokio::time::sleep(PAUSE).await;
    }
    let cpu = (gate.usage()?.cpu - before).saturating_sub(idle.mul_f64(started.elapsed().as_secs_f64()));
    println!("  one lone endpoint change: {:.2?} of CPU time (mean of {LONE_CHANGES})", cpu / LONE_CHANGES);
    Ok(())
}

async fn many_changes(
    api: &Api,
    gate: &Gate,
    size: Size,
    upstreams: [(char, SocketAddr); 2],
    rate: u32,
    time: Duration,
) -> Result<()> {
    let probe = Probe::start(gate.http, "scaled.example");
    let before = gate.usage()?.cpu;
    let started = Instant::now();
    let churn = tokio::spawn(churn(api.clone(), size, rate, time));
    let mut watch = api.watch("scaled").await?;
    let (mut times, mut watched, mut turn) = (Vec::new(), Vec::new(), 0);
    while started.elapsed() < time {
        turn += 1;
        let (name, address) = upstreams[turn % 2];
        api.change("scaled", &[address]).await?;
        let accepted = Instant::now();
        times.push(probe.answers(name).await?.saturating_duration_since(accepted));
        let told = watch.recv().await.context("the plain watch has ended")?;
        watched.push(told.saturating_duration_since(accepted));
    }
    let changes = churn.await??;
    let (requests, seconds) = (probe.end()?, started.elapsed().as_secs_f64());
    println!(
        "  with {:.0} endpoint changes a second beside it: {}",
        changes as f64 / seconds,
        percentiles(times)
    );
    println!("    a plain watch was told of them after: {}", percentiles(watched));
    let cpu = (gate.usage()?.cpu - before).as_secs_f64() / seconds;
    println!(
        "  {:.0} % of a core meanwhile, for that and {requests} requests, of which none failed",
        cpu * 100.0
    );
    Ok(())
}

async fn churn(api: Api, size: Size, rate: u32, time: Duration) -> Result<usize> {
    let mut tick = tokio::time::interval(Duration::from_secs(1) / rate);
    let (started, mut running, mut changes) = (Instant::now(), JoinSet::new(), 0);
    while started.elapsed() < time {
        tick.tick().await;
        if running.len() >= CHANGES_AT_ONCE {
            running.join_next().await.transpose()?.transpose()?;
        }
        changes += 1;
        let (api, service) = (api.clone(), changes * 7 % size.services);
        let endpoints = size.endpoints_of(service, changes / size.services + changes);
        running.spawn(async move { api.change(&name(service), &endpoints).await });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok(changes)
}
