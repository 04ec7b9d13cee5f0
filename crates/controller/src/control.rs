//! The loop: something changed, wait for quiet, look, compile, publish.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use compile::Settings;

use crate::external_name::ExternalNames;
use crate::index::Index;
use crate::manifests::{Manifests, ReadError, Watch};
use crate::publish::{Gather, Live, Publisher};

/// The folder is looked at this often even if nothing was heard: events can be lost, links can lead out of the folder,
/// and a folder that was replaced is heard of no more. 10 000 files cost a few milliseconds.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The same while the folder cannot be watched, because it does not exist or the limit on watches is reached.
const LOOK_EVERY_UNWATCHED: Duration = Duration::from_secs(1);

/// How long a start waits for DNS. Longer than one server's time out, so that a second one is asked.
const FIRST_ANSWERS_TIME_MAX: Duration = Duration::from_secs(3);

/// What the controller reads, and how soon a change is live.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder of manifests.
    pub manifests: PathBuf,
    /// What bears on the table.
    pub settings: Settings,
    /// A change is taken once nothing has changed for this long, so that a burst gives one publication.
    pub quiet: Duration,
    /// A change waits for quiet at most this long.
    pub at_most: Duration,
    /// Asked about ExternalName Services instead of the servers in `/etc/resolv.conf`.
    pub dns_server: Option<SocketAddr>,
}

impl Config {
    /// This folder, with a quiet time of 10 ms and at most 100 ms.
    pub fn new(manifests: impl Into<PathBuf>, settings: Settings) -> Config {
        let (quiet, at_most) = (Duration::from_millis(10), Duration::from_millis(100));
        Config { manifests: manifests.into(), settings, quiet, at_most, dns_server: None }
    }
}

/// Why [`run`] ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder could not be read at the start. Later, that is a problem, and the last good state stays.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Watches the folder, compiles and publishes until it is dropped. `synced` is called once, after the first
/// publication; nothing is published before the whole folder was read.
///
/// # Errors
/// If the folder cannot be read at the start.
pub async fn run(config: Config, live: Live, synced: impl FnOnce()) -> Result<Infallible, Error> {
    let mut watch = Watch::new(config.manifests.clone());
    let mut names = ExternalNames::new(config.dns_server);
    let mut gather = Gather::new(config.quiet, config.at_most);
    watch.renew();
    let mut state = blocking(move || State::read(config, live)).await?;
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
                gather.mark(Instant::now());
                continue;
            }
            (name, answer) = names.changed() => {
                state.index.apply_resolved(name, answer);
                gather.mark(Instant::now());
                continue;
            }
            () = tokio::time::sleep_until(due.into()) => {}
        }
        gather.clear();
        watch.renew();
        let written = watch.written();
        state = blocking(move || state.look(&written)).await;
    }
}

/// Waits for the first answer about each name, so that nobody is served a 503 for a Service that only DNS knows.
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
    // Who is not resolved by then is served as soon as it is; the others do not wait for it.
    let _ = tokio::time::timeout(FIRST_ANSWERS_TIME_MAX, answers).await;
}

/// Reading and compiling may take longer than others on this runtime should wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
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
    fn read(config: Config, live: Live) -> Result<State, ReadError> {
        let (mut index, publisher) = (Index::default(), Publisher::new(live, config.settings));
        let mut manifests = Manifests::read(config.manifests)?;
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
        self.publisher.publish(&self.index, self.manifests.problems());
        self.wanted.clone_from(self.publisher.external_names());
        self.index.retain_resolved(&self.wanted);
    }

    /// When to look at the folder again if nothing is heard.
    fn again(&self, watch: &Watch) -> Instant {
        let every = if watch.is_watching() { LOOK_EVERY } else { LOOK_EVERY_UNWATCHED };
        let regularly = self.looked + every;
        self.again.map_or(regularly, |again| again.min(regularly))
    }
}
