//! When load balancers have let go of a process that leaves.

use std::time::Duration;

use tokio::time::Instant;

use super::super::plan::patience;
use super::super::{Health, PlaceState};

/// A process that leaves its load balancers.
pub(super) struct Departure {
    begun: Instant,
    /// When no place is waited for any longer.
    ends: Instant,
    /// Places that have not said in time that they have let go, told once.
    given_up: Vec<String>,
    /// When each place was deregistered.
    deregistered: Vec<(String, Instant)>,
}

impl Departure {
    pub(super) fn new(longest: Duration) -> Departure {
        let begun = Instant::now();
        Departure { begun, ends: begun + longest, given_up: Vec::new(), deregistered: Vec::new() }
    }

    /// This node was deregistered at this place; only the first time counts.
    pub(super) fn deregistered(&mut self, id: &str) {
        if !self.deregistered.iter().any(|(known, _)| known == id) {
            self.deregistered.push((id.to_owned(), Instant::now()));
        }
    }

    /// Whether all have let go, or had the time that they may need.
    pub(super) fn is_over(&mut self, places: &[PlaceState], is_discovered: bool) -> bool {
        if !is_discovered {
            let until = self.ends.min(self.begun + patience(None));
            return self.has_passed(until, "AWS could not be asked which load balancers send to this node");
        }
        // Each is asked, so that each that is given up is told.
        let holding = places.iter().filter(|one| !self.has_let_go(one)).count();
        holding == 0
    }

    fn has_let_go(&mut self, one: &PlaceState) -> bool {
        let is_gone = one.health == Health::Absent && one.fault.is_none();
        if is_gone {
            return true;
        }
        let known = self.deregistered.iter().find(|(id, _)| id == one.place.at.id());
        let since = known.map_or(self.begun, |(_, at)| *at);
        let until = self.ends.min(since + patience(Some(&one.place)));
        self.has_passed(
            until,
            &format!("{} has not let go of this node ({})", one.place, one.health.as_str()),
        )
    }

    fn has_passed(&mut self, until: Instant, what: &str) -> bool {
        let has_passed = Instant::now() >= until;
        if has_passed && !self.given_up.iter().any(|told| told == what) {
            tracing::warn!("{what} after {:?}: it is not waited for any longer", self.begun.elapsed());
            self.given_up.push(what.to_owned());
        }
        has_passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::plan::{DRAIN_MARGIN, DRAIN_TIME_DEFAULT};
    use crate::frontend::{At, Kind, Place};

    const MAX: Duration = Duration::from_secs(600);
    const DELAY: Duration = Duration::from_secs(60);

    fn place(health: Health) -> PlaceState {
        let place = Place {
            at: At::Classic("web".into()),
            kind: Kind::Classic,
            name: "web".into(),
            scheme: None,
            drain_time: Some(DELAY),
        };
        PlaceState { health, ..PlaceState::new(place) }
    }

    fn leaving() -> [PlaceState; 1] {
        [place(Health::Leaving("in progress".into()))]
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_over_when_all_have_let_go() {
        let mut departure = Departure::new(MAX);
        assert!(!departure.is_over(&leaving(), true));
        assert!(departure.is_over(&[place(Health::Absent)], true));
        let failed = PlaceState { fault: Some("no answer".into()), ..place(Health::Absent) };
        assert!(!departure.is_over(&[failed], true), "an answer of before says nothing");
        assert!(departure.is_over(&[], true), "there is none");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_drains_is_waited_for_as_long_as_it_says_from_its_deregistration_on() {
        let mut departure = Departure::new(MAX);
        tokio::time::advance(DELAY).await;
        departure.deregistered("web");
        tokio::time::advance(DELAY).await;
        departure.deregistered("web");
        assert!(!departure.is_over(&leaving(), true));
        tokio::time::advance(DRAIN_MARGIN).await;
        assert!(departure.is_over(&leaving(), true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deregistration_that_fails_does_not_shorten_the_wait() {
        let mut departure = Departure::new(MAX);
        let failed = [PlaceState { fault: Some("denied".into()), ..place(Health::InService) }];
        tokio::time::advance(DELAY).await;
        assert!(!departure.is_over(&failed, true));
        tokio::time::advance(DRAIN_MARGIN).await;
        assert!(departure.is_over(&failed, true));
    }

    #[tokio::test(start_paused = true)]
    async fn where_nothing_is_known_it_is_waited_as_long_as_aws_drains_by_default() {
        let mut departure = Departure::new(MAX);
        tokio::time::advance(DRAIN_TIME_DEFAULT).await;
        assert!(!departure.is_over(&[], false));
        tokio::time::advance(DRAIN_MARGIN).await;
        assert!(departure.is_over(&[], false));
    }

    #[tokio::test(start_paused = true)]
    async fn no_wait_is_longer_than_the_longest() {
        let longest = Duration::from_secs(20);
        for (places, is_discovered) in [(leaving().to_vec(), true), (Vec::new(), false)] {
            let mut departure = Departure::new(longest);
            tokio::time::advance(longest - Duration::from_secs(1)).await;
            assert!(!departure.is_over(&places, is_discovered));
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(departure.is_over(&places, is_discovered));
        }
    }
}
