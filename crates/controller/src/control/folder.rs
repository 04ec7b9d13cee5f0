//! A folder of manifests as the source.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lifecycle::{Phase, Watch as Drain};
use model::Published;

use super::{ControllerConfig, Error, FIRST_ANSWERS_TIME_MAX, blocking};
use crate::external_name::ExternalNames;
use crate::index::Index;
use crate::manifests::{FolderWatch, Manifests, ReadError};
use crate::publish::{Gather, Live, Publisher};

/// The folder is looked at this often even if nothing was heard: events can be lost, links can lead out of the folder,
/// and a folder that was replaced is heard of no more. 10 000 files cost a few milliseconds.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The same while the folder cannot be watched, because it does not exist or the limit on watches is reached.
const LOOK_EVERY_UNWATCHED: Duration = Duration::from_secs(1);

/// Watches the folder.
pub(super) async fn run(
    config: ControllerConfig,
    manifests: PathBuf,
    live: Live,
    synced: impl FnOnce(),
) -> Result<Infallible, Error> {
    let mut watch = FolderWatch::new(manifests.clone());
    let mut names = ExternalNames::new(config.dns_server);
    let mut gather = Gather::new(config.quiet, config.at_most);
    watch.renew();
    let mut state = blocking(move || State::read(manifests, Publisher::new(live, config.settings))).await?;
    if !state.wanted.is_empty() {
        first_answers(&mut names, &mut state).await;
        state = blocking(move || state.published()).await;
    }
    synced();
    loop {
        names.want(&state.wanted);
        let again = state.again(&watch);
        let due = gather.due().map_or(again, |due| due.min(again));
        tokio::select! {
            () = watch.changed() => {
                gather.mark(Instant::now(), true);
                continue;
            }
            (name, answer) = names.changed() => {
                state.index.apply_resolved(name, answer);
                gather.mark(Instant::now(), true);
                continue;
            }
            () = tokio::time::sleep_until(due.into()) => {}
        }
        gather.clear(Instant::now());
        watch.renew();
        let written = watch.written();
        state = blocking(move || state.look(&written)).await;
    }
}

/// Of several processes with a folder each writes, as they know nothing of each other; but none that leaves.
pub(super) async fn write_until_drain(writes: Published<bool>, mut drain: Drain) -> Infallible {
    loop {
        writes.publish(true);
        drain.reached(Phase::Draining).await;
        writes.publish(false);
        drain.back_before(Phase::Draining).await;
    }
}

/// Waits for the first answer about each name, so that no client is answered 503 for a Service that only DNS knows.
async fn first_answers(names: &mut ExternalNames, state: &mut State) {
    names.want(&state.wanted);
    let mut waiting = state.wanted.clone();
    let answers = async {
        while !waiting.is_empty() {
            let (name, answer) = names.changed().await;
            waiting.remove(&name);
            state.index.apply_resolved(name, answer);
        }
    };
    // A name that is not resolved by then is served as soon as it is; the others do not wait for it.
    let _ = tokio::time::timeout(FIRST_ANSWERS_TIME_MAX, answers).await;
}

/// All that a pass works on.
struct State {
    index: Index,
    manifests: Manifests,
    publisher: Publisher,
    /// The DNS names that the live routes need.
    wanted: BTreeSet<String>,
    looked: Instant,
    /// When the folder wants to be looked at again, if it does.
    again: Option<Instant>,
}

impl State {
    fn read(folder: PathBuf, publisher: Publisher) -> Result<State, ReadError> {
        let mut index = Index::default();
        let mut manifests = Manifests::read(folder)?;
        manifests.feed(&mut index);
        let (wanted, looked) = (BTreeSet::new(), Instant::now());
        let mut state = State { index, manifests, publisher, wanted, looked, again: None };
        state.publish();
        Ok(state)
    }

    fn look(mut self, written: &HashMap<PathBuf, Instant>) -> State {
        self.looked = Instant::now();
        let scan = self.manifests.scan(written, self.looked);
        if scan.changed {
            self.manifests.feed(&mut self.index);
        }
        self.again = scan.again;
        self.published()
    }

    fn published(mut self) -> State {
        self.publish();
        self
    }

    fn publish(&mut self) {
        self.publisher.publish(&mut self.index, self.manifests.problems(), true);
        if let Some(compiled) = self.publisher.compiled() {
            self.wanted.clone_from(&compiled.external_names);
        }
        self.index.retain_resolved(&self.wanted);
    }

    /// When to look at the folder again, and to publish, if nothing is heard.
    fn again(&self, watch: &FolderWatch) -> Instant {
        let every = if watch.is_watching() { LOOK_EVERY } else { LOOK_EVERY_UNWATCHED };
        let sooner = [self.again, self.publisher.due()];
        sooner.into_iter().flatten().fold(self.looked + every, Instant::min)
    }
}
