//! Which endpoint a request goes to where something of it decides: the cookie of a client that is to stay, or a text.
//!
//! Nothing is remembered. An endpoint follows from the key and from the endpoints' identities alone, so that all
//! workers, processes and replicas come to the same one; of two that differ for a moment in what they know of
//! endpoints, each is right by what it knows.

use std::rc::Rc;

use model::{Balance, Digest, Stickiness, StickyValue, weigh};

use super::pool::{BackendPool, EndpointPool};

/// How often a key is drawn that leads to an endpoint that takes requests: with one of two that does not, all are in vain in one of
/// a million cases.
const DRAWS_MAX: usize = 20;

/// What decides on the endpoint of one request.
pub(crate) struct Keyed {
    /// The digest of the key that the request came with.
    key: Option<u64>,
    pub(crate) stay: Option<Stay>,
}

/// For a client that is to stay.
pub(crate) struct Stay {
    pub(crate) stickiness: Stickiness,
    pub(crate) change_on_failure: bool,
    /// Whether it speaks https.
    pub(crate) is_secure: bool,
    /// Whether it takes `SameSite=None` for what it is.
    pub(crate) knows_same_site_none: bool,
    /// The endpoint that the client names.
    pub(crate) named: Option<u64>,
    /// The key that it is told to come with from now on.
    pub(crate) issued: Option<u64>,
}

impl Keyed {
    /// By a text.
    pub(crate) fn by_text(text: &[u8]) -> Keyed {
        Keyed { key: Some(Digest::new().with(text).finish()), stay: None }
    }

    /// By the value of the client's cookie, if it has one.
    pub(crate) fn by_cookie(value: Option<StickyValue<'_>>, stay: Stay) -> Keyed {
        Keyed { key: value.and_then(|value| value.key).map(Digest::of), stay: Some(stay) }
    }
}

impl BackendPool {
    /// An endpoint that was not tried yet: the one that the key leads to. While that fails, or has just refused a connection,
    /// another one, which the client keeps if its route says so; one without a cookie keeps the one that it gets.
    pub(crate) fn pick_keyed(
        &self,
        keyed: &mut Keyed,
        balance: Balance,
        untried: impl Fn(&Rc<EndpointPool>) -> bool,
        now: u32,
    ) -> Option<Rc<EndpointPool>> {
        let good = |endpoint: &Rc<EndpointPool>| endpoint.is_good(now) && untried(endpoint);
        let any =
            || keyed.key.and_then(|key| self.highest(key, good).or_else(|| self.highest(key, &untried)));
        let Some(stay) = &mut keyed.stay else { return any() };
        let held = match stay.stickiness {
            Stickiness::Balanced => keyed.key.and_then(|key| self.highest(key, |_| true)),
            Stickiness::Persistent => stay.named.and_then(|named| self.named(named)),
        };
        let is_kept = held.is_some() && !stay.change_on_failure;
        if let Some(held) = held.filter(good) {
            return Some(held);
        }
        let (endpoint, issued) = match stay.stickiness {
            Stickiness::Balanced if is_kept => (any()?, None),
            Stickiness::Balanced => self.draw(good).or_else(|| self.draw(&untried))?,
            Stickiness::Persistent => {
                let endpoint = self.pick(balance, untried, now)?;
                let digest = endpoint.digest;
                (endpoint, Some(digest).filter(|_| !is_kept))
            }
        };
        stay.issued = issued.or(stay.issued);
        Some(endpoint)
    }

    /// The endpoint with the highest weight for a key.
    fn highest(&self, key: u64, fits: impl Fn(&Rc<EndpointPool>) -> bool) -> Option<Rc<EndpointPool>> {
        let endpoints = self.endpoints.borrow();
        let fitting = endpoints.iter().filter(|endpoint| fits(endpoint));
        fitting.max_by_key(|endpoint| weigh(key, endpoint.digest)).map(Rc::clone)
    }

    fn named(&self, digest: u64) -> Option<Rc<EndpointPool>> {
        self.endpoints.borrow().iter().find(|endpoint| endpoint.digest == digest).map(Rc::clone)
    }

    /// A new key, and the endpoint that it leads to.
    fn draw(&self, fits: impl Fn(&Rc<EndpointPool>) -> bool) -> Option<(Rc<EndpointPool>, Option<u64>)> {
        (0..DRAWS_MAX).find_map(|_| {
            let key = fastrand::u64(..);
            let endpoint = self.highest(StickyValue::digest_of(key), |_| true).filter(|one| fits(one))?;
            Some((endpoint, Some(key)))
        })
    }
}
