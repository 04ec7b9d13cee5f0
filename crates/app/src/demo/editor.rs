//! Changes the manifests, one change at a time, and waits until each is live.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use model::{Get, Published, RequestHost, RequestPath, RouteTable};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::Stopping;
use super::expected::Expected;
use super::shop::{Shop, URLS, UpstreamSet};
use super::tally::Tally;

/// A change is begun this often, or once the last one is live.
const CHANGE_EVERY: Duration = Duration::from_millis(75);
/// A change that is not live by then never will be. Far above what is promised: a busy machine is no failure here.
const LIVE_WITHIN: Duration = Duration::from_secs(10);

pub(super) struct Editor {
    pub(super) shop: Shop,
    pub(super) live: Published<RouteTable>,
    pub(super) expected: Expected,
    pub(super) tally: Tally,
    pub(super) stopping: Stopping,
}

impl Editor {
    /// Edits until the demo ends.
    ///
    /// # Errors
    /// If a file cannot be written, or a change does not become live.
    pub(super) async fn run(mut self) -> anyhow::Result<()> {
        let (sender, mut published) = watch::channel(());
        self.live.subscribe(move || {
            sender.send_replace(());
        });
        let mut ticks = interval(CHANGE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        self.until_live(&mut published, 0).await.context("the first manifests")?;
        while !self.stopping.is_set() {
            ticks.tick().await;
            let (before, old) = (self.live.load().generation, self.shop.state().clone());
            let begun = Instant::now();
            let what =
                self.shop.change(|new| self.expected.both(&old, new)).context("cannot edit a manifest")?;
            self.until_live(&mut published, before + 1).await.with_context(|| what.clone())?;
            self.expected.only(self.shop.state());
            self.tally.change(what, begun.elapsed());
        }
        Ok(())
    }

    /// Waits for a table of at least this generation that says what the manifests say.
    async fn until_live(&self, published: &mut watch::Receiver<()>, generation: u64) -> anyhow::Result<()> {
        let is_live = |table: &RouteTable| table.generation >= generation && self.is_said_by(table);
        let waited = timeout(LIVE_WITHIN, async {
            while !is_live(&self.live.load()) {
                published.changed().await?;
            }
            anyhow::Ok(())
        });
        let waited = waited.await;
        ensure!(waited.is_ok(), "this change was not live within {LIVE_WITHIN:?}");
        waited?
    }

    /// Whether the table sends each URL to the upstreams that the manifests name.
    fn is_said_by(&self, table: &RouteTable) -> bool {
        (0..URLS.len()).all(|url| self.usable(table, url) == Some(self.shop.state().allowed(url)))
    }

    fn usable(&self, table: &RouteTable, url: usize) -> Option<UpstreamSet> {
        let (host, target) = URLS[url];
        let (host, path) =
            (RequestHost::parse(host).ok()?, RequestPath::parse(target.split('?').next()?).ok()?);
        let route = table.find(&Get { host: Some(&host), path: &path })?;
        let endpoints = route.target.backends().flat_map(|place| table.backend_at(place).usable());
        let places = endpoints.map(|endpoint| self.shop.upstream(endpoint.key.address));
        places.map(|place| place.map(|at| 1 << at)).try_fold(0, |set, bit| Some(set | bit?))
    }
}
