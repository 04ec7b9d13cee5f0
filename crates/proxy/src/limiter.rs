//! What is remembered of clients whose requests are limited by a route: how often they came of late, and how many requests of
//! them are in flight. All workers share it, since the connections of one client are spread over them.
//!
//! It is two tables of fixed size in which a word of memory is a client, changed by compare-and-swap: no lock, no entry that is
//! allocated, nothing to be swept, and no way to make it grow. The tables are there from the first request that is limited.
//!
//! A client that finds the places of its set taken gets that of the one which has used up the least of its rate: it is
//! forgotten that this one came, which costs it nothing. So a flood of addresses drives out itself, and neither
//! the clients that are held back nor honest ones suffer. Which set a client has is known to nobody outside.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use model::{ObjectRef, RateLimit};

/// Clients whose rates are remembered, for all objects together: half a megabyte. nginx has about as many in each of its zones,
/// of ten times the size.
const RATES: usize = 1 << 16;
/// Clients with requests in flight: a quarter of a megabyte. Far more than requests may be in flight by default.
const IN_FLIGHT: usize = 1 << 15;
/// Places that a client may have: a cache line.
const SET: usize = 8;
/// The smallest time that is told apart.
const UNIT_MICROS: u128 = 10;
/// The rest of a word says of whom it is. Two clients of one set are taken for one once in a hundred thousand times.
const TIME_BITS: u32 = 44;
/// After five years of one process.
const TIME_MAX: u64 = (1 << TIME_BITS) - 1;
const COUNT_BITS: u32 = 32;
const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;

/// What all workers remember; cheap to clone.
#[derive(Clone)]
pub(crate) struct Limiter(Arc<Shared>);

struct Shared {
    started: Instant,
    hasher: RandomState,
    rates: OnceLock<Table>,
    in_flight: OnceLock<Table>,
}

/// Who is counted, for what.
#[derive(Clone, Copy)]
pub(crate) struct Key(u64);

/// Where a request in flight is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(NonZeroU32);

impl Limiter {
    pub(crate) fn new() -> Limiter {
        Limiter(Arc::new(Shared {
            started: Instant::now(),
            hasher: RandomState::new(),
            rates: OnceLock::new(),
            in_flight: OnceLock::new(),
        }))
    }

    /// A client of an object's routes, for one of their limits.
    pub(crate) fn key(&self, object: &ObjectRef, limit: usize, client: IpAddr) -> Key {
        Key(self.0.hasher.hash_one((&object.namespace, &object.name, limit, client)))
    }

    /// Counts one more request, if it is within all limits; otherwise none of them counts it.
    pub(crate) fn admit(&self, rates: impl Iterator<Item = (Key, RateLimit)> + Clone) -> bool {
        let now = u64::try_from(self.0.started.elapsed().as_micros() / UNIT_MICROS).unwrap_or(u64::MAX);
        self.admit_at(now.min(TIME_MAX), rates)
    }

    fn admit_at(&self, now: u64, mut rates: impl Iterator<Item = (Key, RateLimit)> + Clone) -> bool {
        let table = self.0.rates.get_or_init(|| Table::new(RATES));
        let is_within = |(key, limit)| table.fill(key, limit, now, false);
        rates.clone().all(is_within) && rates.all(|(key, limit)| table.fill(key, limit, now, true))
    }

    /// Counts one more request in flight, if there are fewer than `most`. Where more clients than there are places have some at
    /// a time, it is served and not counted.
    pub(crate) fn begin(&self, key: Key, most: NonZeroU32) -> Result<Option<Place>, TooMany> {
        self.0.in_flight.get_or_init(|| Table::new(IN_FLIGHT)).enter(key, most)
    }

    /// A request in flight has ended.
    pub(crate) fn end(&self, Place(place): Place) {
        if let Some(table) = self.0.in_flight.get() {
            table.words[place.get() as usize - 1].fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// As many requests as may be are in flight.
#[derive(Debug)]
pub(crate) struct TooMany;

/// Sets of words. Each has in its upper bits of whom it is; zero is nobody's.
struct Table {
    words: Box<[AtomicU64]>,
}

impl Table {
    fn new(places: usize) -> Table {
        Table { words: (0..places).map(|_| AtomicU64::new(0)).collect() }
    }

    /// The places that a client may have: the number of the first, and all of them.
    fn set(&self, Key(hash): Key) -> (usize, &[AtomicU64]) {
        #[expect(clippy::cast_possible_truncation, reason = "it is taken modulo the number of sets")]
        let first = (hash >> 32) as usize % (self.words.len() / SET) * SET;
        (first, &self.words[first..first + SET])
    }

    /// Fills the client's bucket by one request, or only says whether there is room for it. A word has the time at
    /// which the bucket is empty.
    fn fill(&self, key: Key, limit: RateLimit, now: u64, counts: bool) -> bool {
        let every = u64::try_from(limit.every.as_micros() / UNIT_MICROS).unwrap_or(TIME_MAX).max(1);
        let (owner, (_, set)) = (owner(key, TIME_BITS), self.set(key));
        loop {
            let words = set.iter().map(|word| (word, word.load(Ordering::Relaxed)));
            let found = words.clone().find(|(_, value)| value & !TIME_MAX == owner);
            let (word, value, empty_at) = match found {
                // As with nginx, the request which finds it empty does not fill it.
                Some((word, value)) => (word, value, now.max((value & TIME_MAX).saturating_add(every))),
                None => match words.min_by_key(|(_, value)| value & TIME_MAX) {
                    Some((word, value)) => (word, value, now),
                    None => return true,
                },
            };
            if empty_at - now > every.saturating_mul(limit.burst.into()) {
                return false;
            }
            let filled = owner | empty_at.min(TIME_MAX);
            if !counts || word.compare_exchange(value, filled, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return true;
            }
        }
    }

    /// Counts one more of the client. A word has how many there are; without any the place is free.
    fn enter(&self, key: Key, most: NonZeroU32) -> Result<Option<Place>, TooMany> {
        let (owner, (first, set)) = (owner(key, COUNT_BITS), self.set(key));
        let is_owners = |value: u64| value & !COUNT_MAX == owner;
        loop {
            let words = set.iter().enumerate().map(|(at, word)| (at, word, word.load(Ordering::Relaxed)));
            let own = words.clone().find(|(_, _, value)| is_owners(*value));
            let free = || words.clone().find(|(_, _, value)| value & COUNT_MAX == 0);
            let Some((at, word, value)) = own.or_else(free) else { return Ok(None) };
            let count = if is_owners(value) { value & COUNT_MAX } else { 0 };
            if count >= u64::from(most.get()) {
                return Err(TooMany);
            }
            let more = owner | (count + 1);
            if word.compare_exchange(value, more, Ordering::Relaxed, Ordering::Relaxed).is_err() {
                continue;
            }
            // Another worker may have begun to count the same client at an earlier place.
            if set[..at].iter().any(|word| is_owners(word.load(Ordering::Relaxed))) {
                word.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            return Ok(u32::try_from(first + at + 1).ok().and_then(NonZeroU32::new).map(Place));
        }
    }
}

/// Whose a word is, in its upper bits; never nobody's.
fn owner(Key(hash): Key, low_bits: u32) -> u64 {
    (hash << low_bits).max(1 << low_bits)
}

#[cfg(test)]
mod tests;
