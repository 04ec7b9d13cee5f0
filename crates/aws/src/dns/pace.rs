//! How fast Route 53 is asked. The limit is shared by all of an account, by consoles and Terraform too, and has long been five
//! calls a second (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>).

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

use super::api::{Fault, FaultKind, Route53};

/// Between two calls: at most five a second, others may want some.
const GAP: Duration = Duration::from_millis(200);
/// How often a call is made that was one too many or met another change. Together with the pauses some twenty seconds.
const ATTEMPTS_MAX: u32 = 6;
/// The pause after the first of those; each next one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(8);

/// Route 53, asked no faster than it likes to be.
pub struct Paced<R> {
    route53: R,
    next: Mutex<Instant>,
}

impl<R: Route53> Paced<R> {
    /// Nothing was asked yet.
    pub fn new(route53: R) -> Paced<R> {
        Paced { route53, next: Mutex::new(Instant::now()) }
    }

    /// Makes a call when it is its turn, and again if there were too many or another change was being made.
    ///
    /// # Errors
    /// If the call fails otherwise, or too often.
    pub async fn ask<'r, T, F>(&'r self, call: impl Fn(&'r R) -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let mut pause = PAUSE_MIN;
        for _ in 1..ATTEMPTS_MAX {
            self.turn().await;
            match call(&self.route53).await {
                Err(fault) if matches!(fault.kind, FaultKind::Throttled | FaultKind::Busy) => {
                    tracing::debug!("{fault}");
                    sleep(jittered(pause)).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                answer => return answer,
            }
        }
        self.turn().await;
        call(&self.route53).await
    }

    async fn turn(&self) {
        let mut next = self.next.lock().await;
        sleep_until(*next).await;
        *next = Instant::now() + GAP;
    }
}

/// So long or up to half as long again: of several programs that were told to wait not all come back at once.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(1.0 + fastrand::f64() / 2.0)
}
