//! The pace at which watches are begun again.
//!
//! A watch that ends without an error is begun again at once, by `kube` too: it has only reached its time. Where
//! something before the API server ends each at once, that would be a loop without a pause, from every replica.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::Request;
use tower::{Layer, Service};

use crate::wait::doubled;

/// The pause after the first watch that was short, doubled up to a second as that after an error.
const FIRST: Duration = Duration::from_millis(50);
const MAX: Duration = Duration::from_secs(1);

/// When each kind's watch was last begun, and how often in haste.
type Begun = Arc<Mutex<BTreeMap<String, (Instant, u32)>>>;

/// Puts [`Pace`] around a client.
#[derive(Clone, Default)]
pub(super) struct PaceLayer(Begun);

impl<S> Layer<S> for PaceLayer {
    type Service = Pace<S>;

    fn layer(&self, inner: S) -> Pace<S> {
        Pace { inner, begun: Arc::clone(&self.0) }
    }
}

/// A client that waits before it begins a watch which was begun only just now.
#[derive(Clone)]
pub(super) struct Pace<S> {
    inner: S,
    begun: Begun,
}

impl<S, B> Service<Request<B>> for Pace<S>
where
    S: Service<Request<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let wait = watched(&request).map(|path| wait(&self.begun, path, Instant::now())).unwrap_or_default();
        // Nothing is sent before the future is polled.
        let answer = self.inner.call(request);
        Box::pin(async move {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            answer.await
        })
    }
}

/// What is watched; single objects are asked for at a pace of their own (`named.rs`).
fn watched<B>(request: &Request<B>) -> Option<&str> {
    let query = request.uri().query()?;
    (query.contains("watch=true") && !query.contains("fieldSelector=")).then(|| request.uri().path())
}

/// How long to wait before it is begun again.
fn wait(begun: &Begun, path: &str, now: Instant) -> Duration {
    let mut begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
    let Some((last, haste)) = begun.get_mut(path) else {
        begun.insert(path.to_owned(), (now, 0));
        return Duration::ZERO;
    };
    *haste = if now.saturating_duration_since(*last) < MAX { *haste + 1 } else { 0 };
    let pause = haste.checked_sub(1).map_or(Duration::ZERO, |times| doubled(FIRST, times, MAX));
    let wait = (*last + pause).saturating_duration_since(now);
    *last = now + wait;
    wait
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watches_that_end_at_once_are_begun_ever_later_and_one_that_lasted_at_once() {
        let (begun, mut now) = (Begun::default(), Instant::now());
        let mut next = |after: Duration| {
            now += after;
            let wait = wait(&begun, "/api/v1/services", now);
            now += wait;
            wait.as_millis()
        };
        let waits: Vec<u128> = (0..7).map(|_| next(Duration::ZERO)).collect();
        assert_eq!(waits, [0, 50, 100, 200, 400, 800, 1000]);
        assert_eq!(next(Duration::from_secs(2)), 0);
        assert_eq!(next(Duration::from_millis(10)), 40);
    }

    #[test]
    fn only_watches_of_whole_kinds_have_this_pace() {
        let path = |uri: &str| watched(&Request::get(uri).body(()).expect("a request")).map(str::to_owned);
        assert_eq!(
            path("/api/v1/services?&watch=true&timeoutSeconds=30").as_deref(),
            Some("/api/v1/services")
        );
        assert_eq!(path("/api/v1/services?&limit=500"), None);
        assert_eq!(path("/api/v1/namespaces/a/secrets?&watch=true&fieldSelector=metadata.name%3Da"), None);
    }
}
