//! An Event for each problem, so that `kubectl describe` shows it to the author of the object.

mod calendar;
mod draft;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::events::v1::{Event, EventSeries};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use model::Problem;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Told;
use super::api::{Failures, Trouble, text};
use super::config::ReportConfig;
use super::metrics::{ReportMetrics, count};
use super::pace::pause;
use crate::wait::until;
use calendar::{Bucket, Calendar};
use draft::{Draft, Reporter};

/// An Event of a problem that stays is refreshed this often. The API server forgets Events an hour after their last
/// change, and half of that leaves time for a replica to take over.
const REFRESHED_EVERY: Duration = Duration::from_secs(30 * 60);

const REMEDY: &str = "see that the API server can be reached, and that our ServiceAccount may get, create and patch \
                      events of events.k8s.io; it is tried again";

/// Writes Events.
pub(super) struct Events {
    client: Client,
    /// `None` if none are to be written.
    reporter: Option<Reporter>,
    manager: String,
    /// The problems that the calendar has.
    problems: Arc<Vec<(Problem, Option<String>)>>,
    calendar: Calendar,
    bucket: Bucket,
    failures: Failures,
    metrics: Arc<ReportMetrics>,
}

impl Events {
    pub(super) fn new(client: Client, config: &ReportConfig, metrics: Arc<ReportMetrics>) -> Events {
        Events {
            client,
            reporter: config.events.then(|| Reporter::new(config)),
            manager: config.field_manager.clone(),
            problems: Arc::default(),
            calendar: Calendar::default(),
            bucket: Bucket::full(Instant::now()),
            failures: Failures::new(REMEDY),
            metrics,
        }
    }

    /// Keeps an Event for each problem. Can be dropped at any time and called again.
    pub(super) async fn run(&mut self, mut told: watch::Receiver<Told>) -> Infallible {
        let Some(reporter) = self.reporter.clone() else { return std::future::pending().await };
        let mut in_a_row = 0;
        loop {
            let problems = Arc::clone(&told.borrow_and_update().problems);
            self.take(problems, &reporter);
            if self.write_due(&reporter).await {
                in_a_row = 0;
                let next = self.calendar.next().map(|next| next.max(self.bucket.next()));
                tokio::select! {
                    Ok(()) = told.changed() => {}
                    () = until(next) => {}
                }
            } else {
                in_a_row += 1;
                tokio::time::sleep(pause(in_a_row)).await;
            }
        }
    }

    fn take(&mut self, problems: Arc<Vec<(Problem, Option<String>)>>, reporter: &Reporter) {
        if Arc::ptr_eq(&self.problems, &problems) {
            return;
        }
        let drafts = problems.iter().filter_map(|(problem, uid)| reporter.draft(problem, uid.as_deref()));
        self.calendar.set(drafts, Instant::now());
        self.problems = problems;
    }

    /// Writes what is due, as fast as may be; returns whether the API server was there.
    async fn write_due(&mut self, reporter: &Reporter) -> bool {
        while let Some(draft) = self.calendar.due(Instant::now()) {
            if !self.bucket.take(Instant::now()) {
                break;
            }
            match self.write(&draft, reporter).await {
                Ok(again) => self.calendar.written(&draft, Instant::now() + again),
                Err(error) => {
                    count(&self.metrics.event_errors);
                    let event = format_args!("cannot write Event {}/{}", draft.namespace, draft.name);
                    self.failures.tell(event, text(&error));
                    self.calendar.failed(&draft, Instant::now());
                    if Trouble::of(&error) == Trouble::Away {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Writes the Event if it is not there, or old; returns when to look at it again. Another replica, or we in an
    /// earlier life, may have written it a moment ago.
    async fn write(&self, draft: &Draft, reporter: &Reporter) -> kube::Result<Duration> {
        let api = Api::<Event>::namespaced(self.client.clone(), &draft.namespace);
        let now = Timestamp::now();
        let Some(event) = api.get_opt(&draft.name).await? else {
            return self.create(&api, &reporter.event(draft, now)).await;
        };
        let fresh_for = fresh_for(&event, now);
        if fresh_for > Duration::ZERO {
            return Ok(fresh_for);
        }
        let series = EventSeries {
            count: event.series.map_or(1, |series| series.count).saturating_add(1),
            last_observed_time: MicroTime(now),
        };
        let params = PatchParams { field_manager: Some(self.manager.clone()), ..PatchParams::default() };
        api.patch(&draft.name, &params, &Patch::Merge(json!({ "series": series }))).await?;
        count(&self.metrics.events_written);
        Ok(REFRESHED_EVERY)
    }

    async fn create(&self, api: &Api<Event>, event: &Event) -> kube::Result<Duration> {
        let params = PostParams { field_manager: Some(self.manager.clone()), ..PostParams::default() };
        match api.create(&params, event).await {
            Ok(_) => count(&self.metrics.events_written),
            // Another writer was quicker, and so it is as new as ours would be.
            Err(error) if Trouble::of(&error) == Trouble::Exists => {}
            Err(error) => return Err(error),
        }
        Ok(REFRESHED_EVERY)
    }
}

/// How long the Event need not be refreshed. A clock that is wrong makes it no longer.
fn fresh_for(event: &Event, now: Timestamp) -> Duration {
    let observed =
        event.series.as_ref().map(|series| &series.last_observed_time).or(event.event_time.as_ref());
    let age = observed.and_then(|observed| Duration::try_from(now.duration_since(observed.0)).ok());
    REFRESHED_EVERY.saturating_sub(age.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_fresh_for_half_an_hour_after_it_was_last_observed() {
        let now = Timestamp::now();
        let (minutes, ago) = (
            |n: u64| Duration::from_secs(60 * n),
            |n: i64| MicroTime(now - jiff::SignedDuration::from_mins(n)),
        );
        let mut event = Event { event_time: Some(ago(40)), ..Event::default() };
        assert_eq!(fresh_for(&event, now), Duration::ZERO);
        event.series = Some(EventSeries { count: 2, last_observed_time: ago(10) });
        assert_eq!(fresh_for(&event, now), minutes(20));
        event.series = Some(EventSeries { count: 3, last_observed_time: ago(-600) });
        assert_eq!(fresh_for(&event, now), minutes(30), "another's clock is ahead");
    }
}
