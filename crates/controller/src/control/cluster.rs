//! A cluster as the source.

mod state;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lifecycle::Watch as Drain;
use model::Problem;
use tokio::sync::watch;

use super::{ControllerConfig, Error, FIRST_ANSWERS_TIME_MAX, blocking};
use crate::cluster::{Cluster, Connection, NamedConfigMaps, NamedSecrets, Part, Watches, connect};
use crate::external_name::ExternalNames;
use crate::index::Index;
use crate::own_pod;
use crate::publish::{Gather, Live, Publisher};
use crate::report::{self, ReportConfig, Told};
use crate::wait::until;
use state::State;

/// How often it is said what a start still waits for.
const WAITING_TOLD_EVERY: Duration = Duration::from_secs(5);

/// How often the dates of certificates are looked at while nothing changes: they are told of days before their end.
const DATES_LOOKED_AT_EVERY: Duration = Duration::from_secs(60 * 60);

/// Follows the cluster.
pub(super) async fn run(
    config: ControllerConfig,
    cluster: Cluster,
    live: Live,
    drain: Drain,
    synced: impl FnOnce(),
) -> Result<Infallible, Error> {
    let Connection { client, namespace } = connect(cluster.kubeconfig.as_deref()).await?;
    let mut watches = Watches::start(client.clone(), &cluster, Arc::clone(&live.stats));
    // Advice, for which nothing waits; it ends by itself.
    let _checked = cluster.pod.clone().map(|told| tokio::spawn(own_pod::check(client.clone(), told)));
    let (tell, told) = watch::channel(Told::default());
    let metrics = Arc::clone(&live.stats.report);
    let report = ReportConfig::new(cluster.report.clone(), &namespace, &config.settings.controller_name);
    let _reporting = report::start(client, report, told, drain, live.writes.clone(), metrics);

    let mut sources = Sources::new(config.dns_server, &watches, &cluster);
    let mut state = State::new(Publisher::new(live.clone(), config.settings), live, &cluster, &watches);
    state.follow_config_maps(&mut sources.config_maps);
    first_lists(&mut state, &mut watches).await;
    state = blocking(move || state.compiled()).await;
    first_answers(&mut state, &mut watches, &mut sources).await;
    state = blocking(move || state.published()).await;
    synced();
    let mut gather = Gather::eager(config.quiet, config.at_most);
    let mut dates = tokio::time::interval(DATES_LOOKED_AT_EVERY);
    loop {
        if std::mem::take(&mut state.has_new_table) {
            sources.want(&mut state);
        } else if state.gate.is_waiting() {
            sources.names.want(&state.external_names());
            state.follow_secrets_also(&mut sources.secrets);
            state.follow_config_maps(&mut sources.config_maps);
        }
        state.tell(&tell);
        let due = [gather.due().or(state.publisher.due()), state.gate.due()].into_iter().flatten().min();
        let mut changed = true;
        tokio::select! {
            change = watches.changed() => state.take_all(change, &mut watches),
            (name, answer) = sources.names.changed() => state.index.apply_resolved(name, answer),
            _ = dates.tick() => state.tell_dates(),
            () = until(due) => changed = false,
        }
        let now = Instant::now();
        changed |= state.gate.settle(&mut state.index, now);
        let is_over = state.publisher.due().is_some_and(|due| due <= now);
        if is_over && gather.due().is_none() || changed && state.is_dirty() {
            gather.mark(now, is_over || state.index.dirty().all);
        }
        if gather.due().is_some_and(|due| due <= now) {
            gather.clear(now);
            state = blocking(move || state.published()).await;
        }
    }
}

/// Reads what there is, and follows none of it.
pub(super) async fn read_once(
    config: ControllerConfig,
    cluster: Cluster,
    within: Duration,
) -> Result<(Index, Vec<Problem>), Error> {
    let Connection { client, .. } = connect(cluster.kubeconfig.as_deref()).await?;
    let live = Live::default();
    let mut watches = Watches::start(client, &cluster, Arc::clone(&live.stats));
    let mut sources = Sources::new(config.dns_server, &watches, &cluster);
    let mut state = State::new(Publisher::new(live.clone(), config.settings), live, &cluster, &watches);
    state.follow_config_maps(&mut sources.config_maps);
    let lists = tokio::time::timeout(within, first_lists(&mut state, &mut watches)).await;
    if lists.is_err() {
        return Err(Error::Unread(state.why_unsynced()));
    }
    state = blocking(move || state.compiled()).await;
    first_answers(&mut state, &mut watches, &mut sources).await;
    Ok(state.into_known())
}

/// Takes the first list of each part. What cannot be listed is waited for, however long: a table without it would
/// answer 404 and 503 to what is served now by others.
async fn first_lists(state: &mut State, watches: &mut Watches) {
    let mut tell = tokio::time::interval(WAITING_TOLD_EVERY);
    tell.reset();
    while !state.unsynced.is_empty() {
        tokio::select! {
            change = watches.changed() => state.take(change),
            _ = tell.tick() => {
                let parts: Vec<String> = state.unsynced.iter().map(Part::to_string).collect();
                tracing::info!("still waiting for the first list of {}", parts.join(", "));
            }
        }
        state.tell_faults();
    }
}

/// Waits for what the table needs and can only be asked for by name, so that no client is answered 503 for a Service
/// that only DNS knows.
async fn first_answers(state: &mut State, watches: &mut Watches, sources: &mut Sources) {
    sources.want(state);
    let answers = async {
        while state.is_unanswered() {
            tokio::select! {
                change = watches.changed() => state.take(change),
                (name, answer) = sources.names.changed() => state.index.apply_resolved(name, answer),
            }
        }
    };
    // What is not known by then is used as soon as it is; the rest does not wait for it.
    let _ = tokio::time::timeout(FIRST_ANSWERS_TIME_MAX, answers).await;
}

/// What is asked for only because the table needs it.
struct Sources {
    names: ExternalNames,
    config_maps: NamedConfigMaps,
    secrets: NamedSecrets,
}

impl Sources {
    fn new(dns_server: Option<SocketAddr>, watches: &Watches, cluster: &Cluster) -> Sources {
        let (config_maps, secrets) = (watches.config_maps(cluster), watches.secrets(cluster));
        Sources { names: ExternalNames::new(dns_server), config_maps, secrets }
    }

    fn want(&mut self, state: &mut State) {
        self.names.want(&state.external_names());
        state.follow_config_maps(&mut self.config_maps);
        state.follow_secrets(&mut self.secrets);
    }
}
