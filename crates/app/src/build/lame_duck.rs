//! The lame duck: why the process asks for no new clients, and whether load balancers have had the time to notice.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use controller::Node;
use lifecycle::{Balancers, Phase, Trigger};
use model::Published;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::config::Leave;

/// How often to check for new connections.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Without a new connection for this long, load balancers have noticed: they check and send more often than that.
const QUIET: Duration = Duration::from_secs(10);

/// Why the process is a lame duck: it is one as long as there is a reason.
#[derive(Clone)]
pub(super) struct LameDuck {
    trigger: Arc<Trigger>,
    leave: Arc<Leave>,
    /// Load balancers that say themselves when they have let go.
    balancers: Balancers,
    reasons: Arc<Mutex<Reasons>>,
}

#[derive(Default)]
struct Reasons {
    /// What asked the process to leave; that is never taken back.
    leaving: Option<&'static str>,
    requested: bool,
    taints: Vec<String>,
    since: Option<Instant>,
    newcomers: Option<Newcomers>,
}

/// How many connections were accepted so far, and when the last one was.
#[derive(Clone, Copy)]
struct Newcomers {
    count: u64,
    last: Instant,
}

impl LameDuck {
    pub(super) fn new(trigger: Arc<Trigger>, leave: Leave, balancers: Balancers) -> LameDuck {
        LameDuck { trigger, leave: Arc::new(leave), balancers, reasons: Arc::default() }
    }

    /// An operator has asked for it, or no longer does.
    pub(super) fn set_requested(&self, requested: bool) {
        self.change(|reasons| reasons.requested = requested);
    }

    /// The process is to leave.
    pub(super) fn leaving(&self, cause: &'static str) {
        self.change(|reasons| reasons.leaving = Some(cause));
    }

    /// After the sockets were taken back: the phase becomes what it would be without the handover.
    pub(super) fn take_back(&self) {
        let reasons = self.lock();
        let to = if reasons.words().is_empty() { Phase::Serving } else { Phase::LameDuck };
        // The successor may have been registered.
        self.balancers.serve_again();
        self.trigger.take_back(to);
    }

    fn taints(&self, node: Option<&Node>) {
        let taints = node.map(|node| node.taints.as_slice()).unwrap_or_default();
        let meant = taints.iter().filter(|taint| self.leave.taints.iter().any(|known| known.matches(taint)));
        let meant: Vec<String> = meant.cloned().collect();
        self.change(|reasons| reasons.taints = meant);
    }

    fn change(&self, change: impl FnOnce(&mut Reasons)) {
        let mut reasons = self.lock();
        let before = reasons.words();
        change(&mut reasons);
        let words = reasons.words();
        if words == before {
            return;
        }
        if words.is_empty() {
            reasons.since = None;
            self.balancers.serve_again();
            self.trigger.recover();
            tracing::info!("not a lame duck any more: serving");
        } else {
            reasons.since.get_or_insert_with(Instant::now);
            self.trigger.advance(Phase::LameDuck);
            tracing::info!(
                "lame duck ({}): /ready fails, clients are told to leave with their next answer, and new ones are \
                 still served",
                words.join(", ")
            );
        }
    }

    /// Why, in words; empty if it is none.
    pub(super) fn reasons(&self) -> Vec<String> {
        self.lock().words()
    }

    /// Whether load balancers have had their time, those that can be asked have let go, and no new connections come.
    pub(super) fn let_go(&self) -> bool {
        if !self.balancers.have_let_go() {
            return false;
        }
        let (reasons, time) = (self.lock(), self.leave.lame_duck_time);
        let last = reasons.newcomers.map_or(Duration::MAX, |newcomers| newcomers.last.elapsed());
        reasons.since.is_some_and(|since| since.elapsed() >= time) && last >= QUIET.min(time)
    }

    /// Waits until load balancers have noticed, at most twice the time that they need, or as long as those may need that can
    /// be asked.
    pub(super) async fn over(&self) {
        let asked = Instant::now();
        while !self.let_go() && asked.elapsed() < self.leave.lame_duck_max() {
            sleep(LOOK_EVERY).await;
        }
    }

    /// Follows the number of accepted connections, `count`, for as long as the process lives.
    pub(super) async fn count(self, count: impl Fn() -> u64) -> Infallible {
        loop {
            self.came(count());
            sleep(LOOK_EVERY).await;
        }
    }

    fn came(&self, count: u64) {
        let newcomers = &mut self.lock().newcomers;
        if newcomers.is_none_or(|before| before.count != count) {
            *newcomers = Some(Newcomers { count, last: Instant::now() });
        }
    }

    /// Follows the taints of our node.
    pub(super) async fn follow(self, node: Published<Option<Node>>) -> Infallible {
        let changed = Arc::new(Notify::new());
        let told = Arc::clone(&changed);
        node.subscribe(move || told.notify_one());
        loop {
            self.taints(node.load().as_ref().as_ref());
            changed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Reasons> {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reasons {
    fn words(&self) -> Vec<String> {
        let leaving = self.leaving.map(str::to_owned);
        let requested = self.requested.then(|| "sluicegate drain".to_owned());
        let taints = self.taints.iter().map(|taint| format!("taint {taint} of our node"));
        leaving.into_iter().chain(requested).chain(taints).collect()
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::Watch;
    use lifecycle::drain::drain;

    use super::*;

    const TIME: Duration = Duration::from_secs(30);

    fn duck() -> (LameDuck, Watch) {
        let (trigger, watch) = drain();
        let taints = vec!["example.org/going".parse().unwrap()];
        let leave = Leave { lame_duck_time: TIME, taints, ..Leave::default() };
        (LameDuck::new(Arc::new(trigger), leave, Balancers::default()), watch)
    }

    fn node(taint: &str) -> Node {
        Node { taints: vec![taint.into()], ..Node::default() }
    }

    #[tokio::test]
    async fn it_is_one_as_long_as_there_is_a_reason() {
        let (duck, watch) = duck();
        duck.taints(Some(&node("example.org/other:NoSchedule")));
        assert_eq!(watch.phase(), Phase::Serving);
        duck.taints(Some(&node("example.org/going:NoSchedule")));
        duck.set_requested(true);
        assert_eq!(duck.reasons(), ["sluicegate drain", "taint example.org/going:NoSchedule of our node"]);
        duck.set_requested(false);
        assert_eq!(watch.phase(), Phase::LameDuck);
        duck.taints(None);
        assert_eq!((watch.phase(), duck.reasons().len()), (Phase::Serving, 0));
    }

    #[tokio::test]
    async fn what_happens_after_a_handover_counts_when_it_is_taken_back() {
        let (duck, watch) = duck();
        for (requested, phase) in [(true, Phase::LameDuck), (false, Phase::Serving)] {
            duck.trigger.advance(Phase::HandedOver);
            duck.set_requested(requested);
            assert_eq!(watch.phase(), Phase::HandedOver);
            duck.take_back();
            assert_eq!(watch.phase(), phase);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn load_balancers_have_the_time_they_need_from_the_first_reason_on() {
        let (duck, _watch) = duck();
        duck.set_requested(true);
        tokio::time::advance(TIME - Duration::from_secs(1)).await;
        duck.leaving("SIGTERM");
        assert!(!duck.let_go());
        let asked = Instant::now();
        duck.over().await;
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_load_balancer_that_can_be_asked_is_waited_for_until_it_has_let_go_but_not_for_ever() {
        let (mut duck, _watch) = duck();
        let longest = 4 * TIME;
        let balancer = duck.balancers.register("a load balancer");
        duck.leave = Arc::new(Leave { balancers_max: longest, ..Leave::clone(&duck.leave) });
        duck.leaving("SIGTERM");
        tokio::time::advance(3 * TIME).await;
        assert!(!duck.let_go());
        balancer.set_let_go(true);
        assert!(duck.let_go());

        balancer.set_let_go(false);
        let asked = Instant::now();
        duck.over().await;
        assert!(asked.elapsed() >= longest, "{:?}", asked.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_load_balancer_that_has_let_go_is_asked_again_once_the_process_has_served_again() {
        let (duck, _watch) = duck();
        let balancer = duck.balancers.register("a load balancer");
        duck.set_requested(true);
        balancer.set_let_go(true);
        duck.set_requested(false);
        duck.set_requested(true);
        tokio::time::advance(TIME).await;
        assert!(!duck.let_go());
    }

    #[tokio::test(start_paused = true)]
    async fn new_connections_are_waited_for_but_not_for_ever() {
        let (duck, _watch) = duck();
        duck.leaving("SIGTERM");
        duck.came(1);
        tokio::time::advance(TIME - Duration::from_secs(2)).await;
        duck.came(2);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!duck.let_go(), "the last new connection was two seconds ago");
        tokio::time::advance(QUIET).await;
        assert!(duck.let_go());

        let coming = tokio::spawn({
            let (duck, mut count) = (duck.clone(), 2);
            async move {
                loop {
                    count += 1;
                    duck.came(count);
                    sleep(LOOK_EVERY).await;
                }
            }
        });
        sleep(LOOK_EVERY).await;
        let asked = Instant::now();
        duck.over().await;
        assert!(asked.elapsed() >= 2 * TIME, "{:?}", asked.elapsed());
        coming.abort();
    }
}
