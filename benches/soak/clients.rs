//! All clients of one proxy, on a thread of their own. They go on until they are told to end, and then finish what they
//! have begun, so that the end itself costs no request.

mod balancer;
mod closed_loop;
mod open_loop;
mod site;
mod streams;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Handle};
use tokio::task::LocalSet;

use crate::certificates::Authority;
use crate::connection::Connection;
use crate::door::{Door, Doors};
use crate::proxy::Addresses;
use crate::request::Request;
use crate::tally::{Kind, Shared};
use site::Site;

/// How long a pool keeps a connection that is not used, as AWS's classic load balancers do. It is less than what any proxy
/// here allows, so that a proxy that closes an idle connection before does it because of a change.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// After a loss a client waits, so that a proxy that is down is not flooded and the tally not with it.
const AFTER_LOSS: Duration = Duration::from_millis(50);
/// The longest time that a client thinks.
const THINKS_AT_MOST: Duration = Duration::from_secs(1);
/// Between two looks whether a change is live.
const PROBE_EVERY: Duration = Duration::from_millis(2);

/// How many clients of each kind there are, and how often they ask.
#[derive(Clone, clap::Args)]
pub(crate) struct Load {
    /// Connections that ask again as soon as they have their answer
    #[arg(long, default_value_t = 32)]
    pub(crate) busy: u32,
    /// Connections that think for 0 to 1 s before each request
    #[arg(long, default_value_t = 300)]
    pub(crate) thinking: u32,
    /// Requests a second of the open-loop client, whatever the answers do
    #[arg(long, default_value_t = 300)]
    pub(crate) steady: u32,
    /// Requests a second that each come on a new connection
    #[arg(long, default_value_t = 100)]
    pub(crate) newcomers: u32,
    /// Connections of the load balancer's pool
    #[arg(long, default_value_t = 300)]
    pub(crate) balancer: u32,
    /// Requests a second that it sends; few, so that its connections are idle for seconds
    #[arg(long, default_value_t = 40)]
    pub(crate) balancer_rate: u32,
    /// Connections in TLS that think for 0 to 1 s before each request
    #[arg(long, default_value_t = 100)]
    pub(crate) secure: u32,
    /// Clients that think as well and share HTTP/2 connections, 16 to each
    #[arg(long, default_value_t = 320)]
    pub(crate) streams: u32,
}

/// Endpoints that have answered, and how often; those without a name are losses.
pub(crate) type Others = BTreeMap<String, u32>;

/// The clients, while they run.
pub(crate) struct Clients {
    runtime: Handle,
    doors: Doors,
    ended: Arc<AtomicBool>,
    ids: Arc<AtomicU64>,
    pub(crate) tally: Shared,
    thread: JoinHandle<()>,
}

impl Clients {
    pub(crate) fn start(addresses: Addresses, authority: &Authority, load: &Load) -> Result<Clients> {
        let doors = Doors::new(addresses, authority)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (ended, ids, tally) = (Arc::default(), Arc::default(), Shared::new());
        let handle = runtime.handle().clone();
        let site = Site {
            doors: doors.clone(),
            ended: Arc::clone(&ended),
            ids: Arc::clone(&ids),
            tally: tally.clone(),
        };
        let load = load.clone();
        let thread = std::thread::Builder::new().name("clients".into());
        let thread = thread.spawn(move || {
            let clients = LocalSet::new();
            clients.block_on(&runtime, all(Rc::new(site), load));
            // The requests of the open loops that are still under way.
            runtime.block_on(clients);
        })?;
        Ok(Clients { runtime: handle, doors, ended, ids, tally, thread })
    }

    /// Asks again and again on new connections until this endpoint answers, but not for ever; returns which have
    /// answered before, and whether it has. Every answer counts, as any client's does.
    pub(crate) fn until_live(
        &self,
        path: &'static str,
        wanted: String,
        patience: Duration,
    ) -> Result<(Others, bool)> {
        self.until(&self.doors.plain, path, wanted, patience)
    }

    /// The same, until this certificate is presented.
    pub(crate) fn until_presented(&self, wanted: String, patience: Duration) -> Result<(Others, bool)> {
        self.until(&self.doors.secure, "/", wanted, patience)
    }

    fn until(
        &self,
        door: &Door,
        path: &'static str,
        wanted: String,
        patience: Duration,
    ) -> Result<(Others, bool)> {
        let (sender, receiver) = mpsc::channel();
        let (door, ids, tally) = (door.clone(), Arc::clone(&self.ids), self.tally.clone());
        self.runtime.spawn(async move {
            let (begun, mut others) = (Instant::now(), Others::new());
            while begun.elapsed() < patience {
                let seen = probe(&door, &ids, &tally, path).await.unwrap_or_default();
                if seen == wanted {
                    let _ = sender.send((others, true));
                    return;
                }
                *others.entry(seen).or_default() += 1;
                tokio::time::sleep(PROBE_EVERY).await;
            }
            let _ = sender.send((others, false));
        });
        receiver.recv().context("the clients have ended")
    }

    /// Requests so far.
    pub(crate) fn requests(&self) -> u64 {
        self.ids.load(Ordering::Relaxed)
    }

    /// Lets every client finish what it has begun.
    pub(crate) fn end(self) -> Result<Shared> {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().ok().context("the clients panicked")?;
        Ok(self.tally)
    }
}

async fn all(site: Rc<Site>, load: Load) {
    let spawn = |count: u32, kind| {
        (0..count)
            .map(|_| tokio::task::spawn_local(closed_loop::run(Rc::clone(&site), kind)))
            .collect::<Vec<_>>()
    };
    let mut tasks = spawn(load.busy, Kind::Busy);
    tasks.extend(spawn(load.thinking, Kind::Thinking));
    tasks.extend(spawn(load.secure, Kind::Secure));
    tasks.push(tokio::task::spawn_local(streams::run(Rc::clone(&site), load.streams)));
    tasks.push(tokio::task::spawn_local(open_loop::steady(Rc::clone(&site), load.steady)));
    tasks.push(tokio::task::spawn_local(open_loop::newcomers(Rc::clone(&site), load.newcomers)));
    tasks.push(tokio::task::spawn_local(balancer::run(Rc::clone(&site), load.balancer, load.balancer_rate)));
    for task in tasks {
        task.await.expect("no client panics");
    }
}

/// One look on a new connection: the certificate that was presented or, without TLS, the endpoint that has answered.
async fn probe(door: &Door, ids: &AtomicU64, tally: &Shared, path: &'static str) -> Option<String> {
    let request = Request::probe(ids.fetch_add(1, Ordering::Relaxed), path);
    let begun = Instant::now();
    let outcome = match Connection::open(door).await {
        Ok(mut connection) => connection.ask(&request).await.map(|answer| (connection, answer)),
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok((connection, answer)) => {
            tally.lock().answered(Kind::Prober, begun.elapsed());
            if let Some(certificate) = connection.presented() {
                return Some(certificate);
            }
            let words = String::from_utf8_lossy(&answer.body).into_owned();
            words.split_whitespace().next().map(str::to_owned)
        }
        Err(failure) => {
            tally.lock().lost(Kind::Prober, failure, false, &format!("{path}, request {}", request.id));
            None
        }
    }
}

/// For a time that is different each time.
async fn think() {
    tokio::time::sleep(THINKS_AT_MOST.mul_f64(fastrand::f64())).await;
}

/// Calls `due` at a fixed rate, with the moment that each call was due at, until the clients end. A moment that was
/// missed is made up for.
async fn at_rate(site: &Site, rate: u32, mut due: impl FnMut(Instant)) {
    const NANOS: u64 = 1_000_000_000;
    if rate == 0 {
        return;
    }
    let begun = tokio::time::Instant::now();
    let mut ticks = 0;
    while !site.has_ended() {
        let moment = begun + Duration::from_nanos(NANOS * ticks / u64::from(rate));
        tokio::time::sleep_until(moment).await;
        site.tally.lock().was_late(moment.elapsed());
        due(moment.into_std());
        ticks += 1;
    }
}
