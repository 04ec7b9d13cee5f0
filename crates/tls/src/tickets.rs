//! Session tickets: a client that reconnects skips most of the handshake (RFC 5077, RFC 8446 §2.2), at any replica, if all
//! have the same keys.
//!
//! A ticket is the session itself, encrypted; nothing is stored here. It is bound to the name that the client asked for
//! by what rustls puts into it, and to what was demanded of the client: else a session resumes where more is demanded than where
//! it began (CVE-2025-23419).

mod bound;
mod key;

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::ProducesTickets;

pub(crate) use bound::Bound;
pub use key::{KEY_BYTES, KeyError, TicketKey};

/// Most keys in use. A dozen overlapping rotations are more than enough.
pub const KEYS_MAX: usize = 16;

/// How long a ticket is valid, in seconds. Browsers keep none for longer than a day or so, and a stolen key decrypts what
/// was resumed with it: half a day is what rustls takes too.
const LIFETIME_SECONDS: u32 = 12 * 60 * 60;

/// How far the clocks of two replicas may be apart, in seconds.
const CLOCK_SKEW_SECONDS: u64 = 5 * 60;

/// The longest ticket. A session takes some 200 bytes and a host name; the rest is left to certificates of clients.
const TICKET_BYTES_MAX: usize = 8 * 1024;

/// Seals and opens tickets. Clones share the keys.
#[derive(Clone)]
pub struct Tickets(Arc<ArcSwap<Keys>>);

enum Keys {
    /// Made by this process, which alone can resume with them. `None` where there is no randomness.
    Own(Option<Arc<dyn ProducesTickets>>),
    /// Shared by all replicas; the first encrypts, all decrypt.
    Shared(Vec<TicketKey>),
}

impl Default for Tickets {
    /// With keys of its own, which are changed every six hours.
    fn default() -> Tickets {
        Tickets(Arc::new(ArcSwap::from_pointee(Keys::Own(Ticketer::new().ok()))))
    }
}

impl Tickets {
    /// Uses these keys from now on: the first seals new tickets, all open those that clients bring, of which at most
    /// [`KEYS_MAX`] count. Without any, what was used before stays.
    pub fn share(&self, keys: impl IntoIterator<Item = TicketKey>) {
        let keys: Vec<TicketKey> = keys.into_iter().take(KEYS_MAX).collect();
        if !keys.is_empty() {
            self.0.store(Arc::new(Keys::Shared(keys)));
        }
    }

    /// Whether the keys are shared with other processes.
    pub fn are_shared(&self) -> bool {
        matches!(**self.0.load(), Keys::Shared(_))
    }
}

impl fmt::Debug for Tickets {
    /// Keys must not get into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("shared", &self.are_shared()).finish_non_exhaustive()
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        match &**self.0.load() {
            Keys::Own(ticketer) => ticketer.is_some(),
            Keys::Shared(_) => true,
        }
    }

    fn lifetime(&self) -> u32 {
        LIFETIME_SECONDS
    }

    fn encrypt(&self, session: &[u8]) -> Option<Vec<u8>> {
        match &**self.0.load() {
            Keys::Own(ticketer) => ticketer.as_ref()?.encrypt(session),
            Keys::Shared(keys) => seal(keys.first()?, session, now()),
        }
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        match &**self.0.load() {
            Keys::Own(ticketer) => ticketer.as_ref()?.decrypt(ticket),
            Keys::Shared(keys) => open(keys, ticket, now()),
        }
    }
}

/// The session with the time it was sealed: else a key that is never changed would keep all its tickets good for ever.
fn seal(key: &TicketKey, session: &[u8], now: u64) -> Option<Vec<u8>> {
    let ticket = key.seal([&now.to_be_bytes(), session].concat())?;
    (ticket.len() <= TICKET_BYTES_MAX).then_some(ticket)
}

fn open(keys: &[TicketKey], ticket: &[u8], now: u64) -> Option<Vec<u8>> {
    if ticket.len() > TICKET_BYTES_MAX {
        return None;
    }
    let mut session = keys.iter().find_map(|key| key.open(ticket))?;
    let sealed = u64::from_be_bytes(*session.first_chunk()?);
    let good = sealed.saturating_sub(CLOCK_SKEW_SECONDS)..=sealed.saturating_add(LIFETIME_SECONDS.into());
    good.contains(&now).then(|| session.split_off(size_of::<u64>()))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
