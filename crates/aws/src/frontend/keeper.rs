//! Keeps this node registered while it serves, and takes it away before it drains.
//!
//! ```text
//! phase ─► Wanted ─► discover, from time to time ─► visit each place at once ─► tell ─► pause
//! ```
//!
//! Nothing here is on the way of a request, and nothing that AWS does or does not answer stops the process from serving.

mod departure;
mod tell;
mod visit;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use lifecycle::{Balancer, Phase, Waiting, Watch};
use model::Published;
use tokio::time::{Instant, sleep};

use super::discover::{Discovery, discover};
use super::fault::{Fault, Kind as FaultKind};
use super::identity::Needs;
use super::plan::{Wanted, patience};
use super::{Calls, Identity, PlaceState, Settings, State};
use crate::sdk;
use crate::target::Frontends;
use departure::Departure;
use visit::Visit;

/// Load balancers are discovered anew each so many looks, and at once if one is gone. It asks for the tags of all load
/// balancers of the account, which is the expensive part.
const LOOKS_PER_DISCOVERY: u32 = 10;
/// Between two looks while AWS is at work: at a registration, or at a drain.
const BUSY_PAUSE: Duration = Duration::from_secs(5);
/// The first pause after a failure; each one more doubles it, up to the interval.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Keeps the registrations of one process.
pub struct Keeper {
    settings: Settings,
    phase: Watch,
    balancer: Balancer,
    live: Published<State>,
    frontends: Published<Frontends>,
    state: State,
    calls: Option<Arc<Calls>>,
    identity: Identity,
    is_discovered: bool,
    /// Looks until the next discovery.
    looks_left: u32,
    failures: u32,
    departure: Option<Departure>,
}

impl Keeper {
    /// Follows the phases of this process, and says of `balancer` when it has let go.
    pub fn new(settings: Settings, phase: Watch, balancer: Balancer) -> Keeper {
        Keeper {
            settings,
            phase,
            balancer,
            live: Published::new(State::default()),
            frontends: Published::new(Frontends::default()),
            state: State::default(),
            calls: None,
            identity: Identity::default(),
            is_discovered: false,
            looks_left: 0,
            failures: 0,
            departure: None,
        }
    }

    /// What is known of the registrations, kept up to date.
    pub fn state(&self) -> Published<State> {
        self.live.clone()
    }

    /// The load balancers that were found, for DNS, kept up to date.
    pub fn frontends(&self) -> Published<Frontends> {
        self.frontends.clone()
    }

    /// Keeps the registrations for as long as the process lives. `arrival` is done once this node is in service everywhere.
    pub async fn run(mut self, arrival: Option<Waiting>) -> Infallible {
        let (state, longest) = (self.live.clone(), self.settings.ready_wait);
        let arrive = async move {
            if let Some(arrival) = arrival {
                arrive(arrival, state, longest).await;
            }
        };
        tokio::join!(self.keep(), arrive).0
    }

    async fn keep(&mut self) -> Infallible {
        loop {
            let Some(wanted) = wanted(self.phase.phase()) else {
                // The successor is at the same address, and registers it.
                self.departure = None;
                changed(self.phase.clone(), None).await;
                continue;
            };
            let phase = self.phase.clone();
            tokio::select! {
                () = changed(phase, Some(wanted)) => {}
                () = self.look(wanted) => {}
            }
        }
    }

    /// Looks at all places once, does what is to be done there, and waits until it is time to look again.
    async fn look(&mut self, wanted: Wanted) {
        match wanted {
            Wanted::Out if self.departure.is_some() => {}
            _ => {
                self.departure = (wanted == Wanted::Out).then(|| Departure::new(self.settings.drain_max));
                // What was let go of in an earlier departure says nothing of the next one.
                self.balancer.set_let_go(false);
            }
        }
        let done = self.attend(wanted).await;
        self.note(done);
        self.live.publish(self.state.clone());
        if let Some(departure) = &mut self.departure {
            let has_let_go = departure.is_over(&self.state.places, self.is_discovered);
            self.balancer.set_let_go(has_let_go);
        }
        sleep(self.pause(wanted)).await;
    }

    /// What is known is cared for, whatever else cannot be found out.
    ///
    /// # Errors
    /// A fault that concerns more than one place.
    async fn attend(&mut self, wanted: Wanted) -> Result<(), Fault> {
        let (calls, mut fault) = (self.calls().await?, None);
        if self.looks_left == 0 && (wanted == Wanted::In || !self.is_discovered) {
            match discover(&calls, &self.settings.selector).await {
                Ok(found) => self.take(found),
                Err(why) => fault = Some(why),
            }
        }
        self.looks_left = self.looks_left.saturating_sub(1);
        let needs = Needs::of(self.state.places.iter().map(|one| &one.place));
        if !self.identity.has(needs) {
            match Identity::find(&self.settings.identity, needs).await {
                Ok(identity) => self.identity = identity,
                Err(why) => fault = fault.or(Some(why)),
            }
        }
        self.visit_all(wanted, &calls).await;
        fault.map_or(Ok(()), Err)
    }

    async fn visit_all(&mut self, wanted: Wanted, calls: &Arc<Calls>) {
        let visits = self.state.places.iter().filter_map(|one| {
            let id = one.place.registers(&self.identity)?;
            Some(Visit::new(one.place.clone(), id, self.settings.port, wanted))
        });
        for (place, visited) in visit::all(visits.collect(), calls).await {
            self.take_visit(&place, visited, wanted);
        }
    }

    async fn calls(&mut self) -> Result<Arc<Calls>, Fault> {
        if let Some(calls) = &self.calls {
            return Ok(Arc::clone(calls));
        }
        let calls = Arc::new(Calls::new(&sdk::load(&self.settings.sdk).await)?);
        self.calls = Some(Arc::clone(&calls));
        Ok(calls)
    }

    /// Takes what was discovered, and keeps what is known of places that are still there.
    fn take(&mut self, found: Discovery) {
        let Discovery { places, frontends, mut notes } = found;
        let mut before = std::mem::take(&mut self.state.places);
        self.state.places = places
            .into_iter()
            .map(|place| match before.iter().position(|one| one.place.at == place.at) {
                Some(at) => PlaceState { place, ..before.swap_remove(at) },
                None => {
                    tracing::info!("load balancer found: {place}");
                    PlaceState::new(place)
                }
            })
            .collect();
        before
            .iter()
            .for_each(|gone| tracing::info!("load balancer gone, or no longer ours: {}", gone.place));
        notes.extend(self.misfits());
        for note in notes.iter().filter(|note| !self.state.notes.contains(note)) {
            tracing::warn!("load balancers: {note}");
        }
        self.state.notes = notes;
        self.frontends.publish(frontends);
        (self.is_discovered, self.looks_left) = (true, LOOKS_PER_DISCOVERY);
    }

    /// How long until the next look.
    fn pause(&self, wanted: Wanted) -> Duration {
        let is_busy = match wanted {
            Wanted::In => !self.state.is_in_service() && !self.state.places.is_empty(),
            Wanted::Out => true,
        };
        let longest = if is_busy { BUSY_PAUSE.min(self.settings.interval) } else { self.settings.interval };
        let after_failures = match self.failures {
            0 => longest,
            failures => RETRY_PAUSE.saturating_mul(1 << (failures - 1).min(16)),
        };
        // One that leaves is in a hurry, also if it fails.
        let bound = if wanted == Wanted::In { self.settings.interval } else { longest };
        jittered(after_failures.min(bound))
    }

    /// What the process' own settings do not fit.
    fn misfits(&self) -> impl Iterator<Item = String> {
        let longest = self.settings.drain_max;
        let slow = self.state.places.iter().filter(move |one| patience(Some(&one.place)) > longest);
        slow.map(move |one| {
            let needs = patience(Some(&one.place));
            format!(
                "{} may drain for {needs:?}, and --frontend-drain-max is {longest:?}: raise it",
                one.place
            )
        })
    }

    fn fail(&mut self, fault: &Fault) {
        self.state.count_failure(fault.kind.as_str());
        if fault.kind == FaultKind::NotFound {
            self.looks_left = 0;
        }
    }
}

/// Between three quarters of it and all, so that the nodes of a cluster do not ask in step.
fn jittered(time: Duration) -> Duration {
    time.mul_f64(0.75 + fastrand::f64() / 4.0)
}

/// What a process in this phase wants; none if it is for its successor to say, or if it is too late for anything.
fn wanted(phase: Phase) -> Option<Wanted> {
    match phase {
        Phase::Serving => Some(Wanted::In),
        Phase::LameDuck | Phase::Draining => Some(Wanted::Out),
        Phase::HandedOver | Phase::LetGo | Phase::Stopping => None,
    }
}

/// Waits until the phase wants something else.
async fn changed(mut phase: Watch, from: Option<Wanted>) {
    loop {
        let now = phase.phase();
        if wanted(now) != from {
            return;
        }
        if now == Phase::Stopping {
            return std::future::pending().await;
        }
        phase.other_than(now).await;
    }
}

/// Is done once this node is in service everywhere, and at the latest after `longest`: AWS being away must not keep a node
/// from serving for ever.
async fn arrive(arrival: Waiting, state: Published<State>, longest: Duration) {
    /// Between two looks at what is known.
    const LOOK_EVERY: Duration = Duration::from_millis(200);
    let deadline = Instant::now() + longest;
    while !state.load().is_in_service() {
        if Instant::now() >= deadline {
            tracing::warn!("not in service at all load balancers after {longest:?}: ready all the same");
            break;
        }
        sleep(LOOK_EVERY).await;
    }
    arrival.done();
}
