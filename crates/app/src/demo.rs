//! `sluicegate demo` shows the promise: three upstreams, the real proxy on real manifests and its clients, all in
//! one process, while routes and endpoints keep changing.
//!
//! ```text
//! clients ──HTTP/1.1──► Bound (the proxy as `run` runs it) ──► upstreams one, two, three
//!    │                       ▲ watches
//!    ▼                    a folder of manifests ◄── editor
//! tally ◄── what each answer may be ◄── expected ◄──┘
//! ```
//!
//! Nothing is spared: an edit is a file that is really replaced, a client never tries a request again, and an answer
//! counts only if the table that was live at some moment of the request allows the upstream that gave it.

mod clients;
mod editor;
mod expected;
mod histogram;
mod shop;
mod tally;
mod upstreams;

use std::io::{IsTerminal, Write, stdout};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use anyhow::Context;
use tracing::Level;

use crate::build::{Shutdown, ShutdownHandle, build};
use crate::cli::DemoArgs;
use crate::config::{Config, Leave, Protocols};
use crate::fd::FdLimit;
use crate::run::on_control_runtime;
use crate::{FAILED, USAGE, log};

use clients::Clients;
use editor::Editor;
use expected::Expected;
use shop::Shop;
use tally::{Tally, Totals};
use upstreams::Upstreams;

/// How often the live line is written anew on a terminal.
const LINE_EVERY: Duration = Duration::from_millis(250);
/// How often a line is written elsewhere.
const LOG_LINE_EVERY: Duration = Duration::from_secs(2);
/// Clients here are never silent, so a drain need not wait for those that are.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// No upstream here takes longer than a moment.
const MAX_REQUEST_TIME: Duration = Duration::from_secs(10);

/// Exit codes: 0 nothing was lost, 1 something was or the demo failed, 2 the configuration cannot be used.
pub(crate) fn run(args: &DemoArgs) -> u8 {
    if let Err(error) = log::start(Level::WARN) {
        eprintln!("error: {error:#}");
        return USAGE;
    }
    match play(args) {
        Ok(totals) if totals.dropped() == 0 => 0,
        Ok(_) => FAILED,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            FAILED
        }
    }
}

fn play(args: &DemoArgs) -> anyhow::Result<Totals> {
    let folder = tempfile::tempdir().context("cannot make a folder for the manifests")?;
    let upstreams = Upstreams::start().context("cannot start the upstreams")?;
    let shop = Shop::open(folder.path(), upstreams.addresses()).context("cannot write the manifests")?;
    let config = config(args, &shop, FdLimit::raise());
    on_control_runtime(show(args, config, shop))
}

fn config(args: &DemoArgs, shop: &Shop, files: FdLimit) -> Config {
    let settings = compile::Settings { allow_loopback: true, ..compile::Settings::default() };
    let downstream =
        proxy::Downstream { connections_max: files.connections_max(), ..proxy::Downstream::default() };
    Config {
        http: vec![args.http],
        https: Vec::new(),
        protocols: Protocols::default(),
        admin: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        health: None,
        control: None,
        handover: None,
        leave: Leave::default(),
        program: None,
        #[cfg(feature = "aws")]
        dns: None,
        #[cfg(feature = "aws")]
        frontend: None,
        memory_max: None,
        controller: controller::ControllerConfig::new(
            controller::Source::Folder(shop.manifests().into()),
            settings,
        ),
        proxy: proxy::Config {
            workers: available_parallelism().map_or(1, NonZeroUsize::get),
            idle_timeout: IDLE_TIMEOUT,
            max_request_time: MAX_REQUEST_TIME,
            downstream,
            access_log: proxy::AccessLog::Off,
            ..proxy::Config::default()
        },
    }
}

/// The demo from the first connection to the totals.
async fn show(args: &DemoArgs, config: Config, shop: Shop) -> anyhow::Result<Totals> {
    let bound = build(config).await?;
    let address = bound.http[0];
    greet(address, bound.admin, &shop);
    let (tally, expected) = (Tally::default(), Expected::new(shop.state()));
    let stopping = Stopping::default();
    let (ask, shutdown) = Shutdown::new();
    let live = bound.live.clone();
    let mut serving = tokio::spawn(bound.run(shutdown));
    // Clients may connect before the first table: they wait in the socket's backlog.
    let clients = Clients::start(address, &tally, &expected, &stopping)?;
    let stop = tokio::spawn(stop_when_asked(args.duration.map(|span| span.0), stopping.clone(), ask.clone()));
    let lines = tokio::spawn(show_lines(tally.clone()));
    let editor =
        Editor { shop, live: live.routes, expected, tally: tally.clone(), stopping: stopping.clone() };
    let (edited, outcome) = tokio::select! {
        edited = editor.run() => {
            if edited.is_err() {
                stopping.set();
                ask.leave("the demo");
            }
            (edited, serving.await??)
        }
        ended = &mut serving => {
            let outcome = ended??;
            anyhow::ensure!(stopping.is_set(), "the proxy ended before it was asked to");
            (Ok(()), outcome)
        }
    };
    tally.cut_by_proxy(outcome.cut);
    // The proxy is gone, so every client has had its last answer.
    tokio::task::spawn_blocking(move || clients.join()).await??;
    lines.abort();
    stop.abort();
    let totals = tally.totals();
    // On a terminal the live line still stands there.
    say(&format!("{}{totals}\n", if stdout().is_terminal() { "\n" } else { "" }));
    edited.map(|()| totals)
}

/// Whether the end of the demo has come. Clients then go on until they are told to leave, and do not come back.
#[derive(Clone, Default)]
struct Stopping(Arc<AtomicBool>);

impl Stopping {
    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Passes on SIGINT, SIGTERM and the end of `duration`; clients learn of it before the proxy does, since a client
/// that is told to leave must know whether to reconnect.
async fn stop_when_asked(
    duration: Option<Duration>,
    stopping: Stopping,
    ask: ShutdownHandle,
) -> anyhow::Result<()> {
    let mut signals = lifecycle::Signals::install().context("cannot handle SIGTERM and SIGINT")?;
    let over = async {
        match duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    let cause = tokio::select! {
        signal = signals.leave() => signal,
        () = over => "the end of --duration",
    };
    stopping.set();
    ask.leave(cause);
    loop {
        ask.leave(signals.leave().await);
    }
}

fn greet(http: SocketAddr, admin: SocketAddr, shop: &Shop) {
    say(&format!(
        "serving  http://{http}   try: curl -H 'Host: shop.example.com' http://{http}/cart\n\
         admin    http://{admin}   try: curl http://{admin}/routes\n\
         reading  {}\n",
        shop.manifests().display()
    ));
}

async fn show_lines(tally: Tally) {
    let started = Instant::now();
    let terminal = stdout().is_terminal();
    let every = if terminal { LINE_EVERY } else { LOG_LINE_EVERY };
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    let mut last = Instant::now();
    loop {
        ticks.tick().await;
        let line = tally.line(started.elapsed(), last.elapsed());
        last = Instant::now();
        // On a terminal the line is written over the last one, what is left of a longer one is erased, and it must fit.
        say(&if terminal {
            format!("\r{line}\x1b[K")
        } else {
            format!("{line} | {}\n", tally.last_change())
        });
    }
}

/// Writes to standard output. A reader that closes the pipe early has read enough.
fn say(text: &str) {
    let mut out = stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
