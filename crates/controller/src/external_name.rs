//! The addresses behind ExternalName Services, kept fresh.
//!
//! Owns: which names are looked up and when, and what counts as their answer. Never: which addresses may be used; that
//! is [`compile`]'s. A name that cannot be resolved any more keeps its last good answer for a while: a DNS server that
//! is away must not cost a request.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ServerOrderingStrategy,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use tokio::task::JoinSet;

/// A name is not looked up more often, whatever its time to live: a server that says 0 must not be flooded.
const MIN_TTL: Duration = Duration::from_secs(1);

/// A name is looked up at least this often, so that a time to live of a day set by mistake does not last a day.
const MAX_TTL: Duration = Duration::from_secs(5 * 60);

/// A server that has not answered by then will not.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one server is waited for before the next try.
const SERVER_TIMEOUT: Duration = Duration::from_secs(1);

/// After failures, the wait before the next look-up doubles from [`MIN_TTL`] up to 2^5 times that.
const MAX_BACKOFF_DOUBLINGS: u32 = 5;

/// An answer is kept this long when it can no longer be refreshed. Addresses that are older may well belong to
/// another service by now.
const KEEP: Duration = Duration::from_secs(60 * 60);

/// More look-ups at once wait for one to end.
const MAX_LOOKUPS: usize = 64;

/// The addresses of a name, sorted, or why there are none.
pub(crate) type Answer = Result<Vec<IpAddr>, String>;

/// What a look-up gave for one address family: addresses and their time to live, or why none.
type FamilyOutcome = Result<(Vec<IpAddr>, Duration), String>;

/// IPv4 and IPv6: one may fail without the other.
type Outcome = [FamilyOutcome; 2];

/// Looks up names as long as they are wanted.
pub(crate) struct ExternalNames {
    resolver: Result<TokioResolver, String>,
    names: BTreeMap<String, Name>,
    lookups: JoinSet<(String, Outcome)>,
}

struct Name {
    /// When to look it up; `None` while that is under way.
    due: Option<Instant>,
    failures: u32,
    /// The last good answer of each family, and when it came.
    known: [Option<(Vec<IpAddr>, Instant)>; 2],
    told: Option<Answer>,
}

impl ExternalNames {
    /// Asks `server`, or the servers in `/etc/resolv.conf`. If that cannot be read, each name fails with the reason.
    pub(crate) fn new(server: Option<SocketAddr>) -> ExternalNames {
        let resolver = resolver(server).map_err(|error| format!("cannot set up DNS: {error}"));
        ExternalNames { resolver, names: BTreeMap::new(), lookups: JoinSet::new() }
    }

    /// Keeps exactly these names fresh.
    pub(crate) fn want(&mut self, names: &BTreeSet<String>) {
        self.names.retain(|name, _| names.contains(name));
        for name in names {
            if !self.names.contains_key(name) {
                self.names.insert(name.clone(), Name::new(Instant::now()));
            }
        }
    }

    /// Waits for the next name whose answer is another than before. Can be dropped and called again at any time.
    pub(crate) async fn changed(&mut self) -> (String, Answer) {
        loop {
            self.start_due(Instant::now());
            let next = self.next_due();
            let until_next = tokio::time::sleep_until(next.unwrap_or_else(Instant::now).into());
            tokio::select! {
                Some(done) = self.lookups.join_next() => {
                    if let Ok((name, outcome)) = done
                        && let Some(known) = self.names.get_mut(&name)
                        && let Some(answer) = known.take(&name, outcome, Instant::now())
                    {
                        return (name, answer);
                    }
                }
                () = until_next, if next.is_some() => {}
                else => std::future::pending().await,
            }
        }
    }

    fn start_due(&mut self, now: Instant) {
        let free = MAX_LOOKUPS.saturating_sub(self.lookups.len());
        let due = self.names.iter_mut().filter(|(_, state)| state.due.is_some_and(|due| due <= now));
        for (name, state) in due.take(free) {
            state.due = None;
            self.lookups.spawn(look_up(self.resolver.clone(), name.clone()));
        }
    }

    /// When the next look-up can start; `None` if one has to end first.
    fn next_due(&self) -> Option<Instant> {
        if self.lookups.len() >= MAX_LOOKUPS {
            return None;
        }
        self.names.values().filter_map(|state| state.due).min()
    }
}

impl Name {
    fn new(due: Instant) -> Name {
        Name { due: Some(due), failures: 0, known: [None, None], told: None }
    }

    /// Takes what a look-up gave, plans the next one, and returns the answer if it is another than before.
    fn take(&mut self, name: &str, outcome: Outcome, now: Instant) -> Option<Answer> {
        let mut wait = MAX_TTL;
        let mut error = None;
        for (known, outcome) in self.known.iter_mut().zip(or_no_address(outcome)) {
            match outcome {
                Ok((addresses, ttl)) => {
                    wait = wait.min(ttl);
                    *known = Some((addresses, now));
                }
                Err(why) => {
                    error = Some(why);
                    *known = known.take().filter(|(_, at)| now.duration_since(*at) < KEEP);
                }
            }
        }
        match &error {
            Some(error) if self.failures == 0 => tracing::warn!(name, error, "DNS name cannot be resolved"),
            None if self.failures > 0 => tracing::info!(name, "DNS name is resolved again"),
            _ => {}
        }
        self.failures = if error.is_some() { self.failures.saturating_add(1) } else { 0 };
        if let Some(doublings) = self.failures.checked_sub(1) {
            wait = wait.min(MIN_TTL * 2u32.pow(doublings.min(MAX_BACKOFF_DOUBLINGS)));
        }
        self.due = Some(now + wait.max(MIN_TTL));
        let answer = self.answer(error);
        (self.told.as_ref() != Some(&answer)).then(|| self.told.insert(answer).clone())
    }

    fn answer(&self, error: Option<String>) -> Answer {
        let mut addresses: Vec<IpAddr> =
            self.known.iter().flatten().flat_map(|(addresses, _)| addresses).copied().collect();
        addresses.sort_unstable();
        addresses.dedup();
        match error {
            Some(error) if addresses.is_empty() => Err(error),
            _ => Ok(addresses),
        }
    }
}

/// A name without any address is a failure like a silent server: far more often a mistake that is soon corrected than
/// a wish to have no endpoints.
fn or_no_address(outcome: Outcome) -> Outcome {
    let is_empty = |family: &FamilyOutcome| family.as_ref().is_ok_and(|(addresses, _)| addresses.is_empty());
    match outcome.iter().all(is_empty) {
        true => std::array::from_fn(|_| Err("the name has no address".into())),
        false => outcome,
    }
}

/// Looks up both families. The name of an ExternalName Service is the target of a CNAME, so it is always complete: no
/// search domain is tried.
async fn look_up(resolver: Result<TokioResolver, String>, name: String) -> (String, Outcome) {
    let resolver = match resolver {
        Ok(resolver) => resolver,
        Err(why) => return (name, [Err(why.clone()), Err(why)]),
    };
    let complete = format!("{name}.");
    let v4 = family(resolver.ipv4_lookup(complete.as_str()));
    let v6 = family(resolver.ipv6_lookup(complete.as_str()));
    let (v4, v6) = tokio::join!(v4, v6);
    (name, [v4, v6])
}

async fn family(lookup: impl Future<Output = Result<Lookup, NetError>>) -> FamilyOutcome {
    match tokio::time::timeout(LOOKUP_TIMEOUT, lookup).await {
        Ok(Ok(found)) => {
            let ttl = found.valid_until().saturating_duration_since(Instant::now());
            Ok((found.answers().iter().filter_map(|record| record.data.ip_addr()).collect(), ttl))
        }
        Ok(Err(error)) if error.is_no_records_found() => Ok((Vec::new(), MAX_TTL)),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", LOOKUP_TIMEOUT.as_secs())),
    }
}

fn resolver(server: Option<SocketAddr>) -> Result<TokioResolver, NetError> {
    let mut builder = match server {
        None => TokioResolver::builder_tokio()?,
        Some(server) => {
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                connection.port = server.port();
                connection
            });
            let server = NameServerConfig::new(server.ip(), true, connections.into());
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    options.timeout = SERVER_TIMEOUT;
    // Freshness is decided here alone.
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn v4(last: &[u8], ttl: Duration) -> Outcome {
        [Ok((last.iter().copied().map(address).collect(), ttl)), Ok((Vec::new(), MAX_TTL))]
    }

    fn failed() -> Outcome {
        std::array::from_fn(|_| Err("no answer".into()))
    }

    #[test]
    fn the_same_addresses_in_another_order_are_no_change() {
        let (now, mut name) = (Instant::now(), Name::new(Instant::now()));
        assert_eq!(name.take("a", v4(&[7, 8], SECOND), now), Some(Ok(vec![address(7), address(8)])));
        assert_eq!(name.take("a", v4(&[8, 7], SECOND), now), None);
    }

    #[test]
    fn a_name_is_looked_up_when_its_answer_expires_but_within_limits() {
        let (now, mut name) = (Instant::now(), Name::new(Instant::now()));
        for (ttl, wait) in [(30 * SECOND, 30 * SECOND), (Duration::ZERO, MIN_TTL), (86_400 * SECOND, MAX_TTL)]
        {
            name.take("a", v4(&[7], ttl), now);
            assert_eq!(name.due, Some(now + wait));
        }
    }

    #[test]
    fn a_failing_name_keeps_its_last_answer_for_an_hour_and_is_tried_less_and_less() {
        let (now, mut name) = (Instant::now(), Name::new(Instant::now()));
        name.take("a", v4(&[7], SECOND), now);
        let waits: Vec<u64> = (0..7)
            .map(|_| {
                assert_eq!(name.take("a", failed(), now), None);
                name.due.expect("it is tried again").duration_since(now).as_secs()
            })
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 32]);
        // An answer without any address is no better than none.
        assert_eq!(name.take("a", v4(&[], SECOND), now + KEEP / 2), None);
        assert_eq!(name.take("a", failed(), now + KEEP), Some(Err("no answer".into())));
        assert_eq!(name.take("a", v4(&[7], SECOND), now + KEEP), Some(Ok(vec![address(7)])));
    }

    #[test]
    fn one_address_family_that_fails_keeps_its_last_answer_while_the_other_is_taken() {
        let (now, mut name) = (Instant::now(), Name::new(Instant::now()));
        let six: IpAddr = "2001:db8::7".parse().expect("an address");
        name.take("a", [Ok((vec![address(7)], SECOND)), Ok((vec![six], SECOND))], now);
        let half = [Ok((vec![address(8)], SECOND)), Err("no answer".into())];
        assert_eq!(name.take("a", half, now), Some(Ok(vec![address(8), six])));
    }

    #[tokio::test]
    async fn a_name_that_is_not_used_any_more_is_not_looked_up() {
        let mut names = ExternalNames::new(None);
        names.want(&BTreeSet::from(["a".into(), "b".into()]));
        names.want(&BTreeSet::from(["b".into()]));
        assert_eq!(names.names.keys().collect::<Vec<_>>(), ["b"]);
        names.want(&BTreeSet::new());
        assert_eq!(names.next_due(), None);
    }
}
