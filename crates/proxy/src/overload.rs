//! More than can be served: what is turned away at once, with a 503 that says when to come back, so that all others are
//! served as ever.
//!
//! Owns: how many connections each client has, whether memory is short, and what was asked to be given up for want of
//! files. All workers share it; a request reads one flag.
//! Never: how memory is measured. What runs the process knows what it may use, and tells.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Refusal;

/// When a client that is turned away may try again, in seconds: bursts are what is common, and they are over by then.
pub(crate) const RETRY_AFTER_SECONDS: u32 = 1;
/// An IPv6 customer has at least that long a prefix to himself (RFC 6177), and any address in it.
const IPV6_PREFIX_BITS: u32 = 64;

/// What the workers share about overload; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Overload(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    memory_is_short: AtomicBool,
    /// Counted up each time that a file could not be had.
    files_ran_out: AtomicU32,
    connections: Mutex<HashMap<IpAddr, usize>>,
}

impl Overload {
    /// Says that memory is short, or is so no longer. While it is, new connections and requests are turned away.
    pub fn set_memory_short(&self, short: bool) {
        self.0.memory_is_short.store(short, Ordering::Relaxed);
    }

    /// Whether there is memory for one more connection or request.
    ///
    /// # Errors
    /// [`Refusal::Memory`].
    pub(crate) fn check_memory(&self) -> Result<(), Refusal> {
        if self.0.memory_is_short.load(Ordering::Relaxed) { Err(Refusal::Memory) } else { Ok(()) }
    }

    /// A file could not be had: whatever is open for the sake of speed alone is to be closed.
    pub fn files_ran_out(&self) {
        self.0.files_ran_out.fetch_add(1, Ordering::Relaxed);
    }

    /// Changes whenever files have run out.
    pub(crate) fn files_mark(&self) -> u32 {
        self.0.files_ran_out.load(Ordering::Relaxed)
    }

    /// One more connection of this client, unless it has so many already. The count ends with what is returned.
    ///
    /// # Errors
    /// [`Refusal::ClientConnections`].
    pub(crate) fn count(&self, client: IpAddr, max: usize) -> Result<Counted, Refusal> {
        let client = network(client);
        let mut connections = self.0.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let count = connections.entry(client).or_default();
        // A client that is turned away had at least one before, so no entry without a connection is left behind.
        if *count >= max.max(1) {
            return Err(Refusal::ClientConnections);
        }
        *count += 1;
        Ok(Counted { client, overload: self.clone() })
    }
}

/// A client's connection, counted as long as it lasts.
#[derive(Debug)]
pub(crate) struct Counted {
    client: IpAddr,
    overload: Overload,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut connections = self.overload.0.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = connections.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                connections.remove(&self.client);
            }
        }
    }
}

/// The network that counts as one client with this address.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mask = u128::MAX << (Ipv6Addr::BITS - IPV6_PREFIX_BITS);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_only_so_many_connections_and_those_that_end_count_no_more() {
        let overload = Overload::default();
        let take = |client: &str| overload.count(client.parse().unwrap(), 2);
        let (first, second) = (take("192.0.2.1").unwrap(), take("::ffff:192.0.2.1").unwrap());
        assert_eq!(take("192.0.2.1").unwrap_err(), Refusal::ClientConnections);
        take("192.0.2.2").unwrap();
        drop(first);
        let third = take("192.0.2.1").unwrap();
        drop((second, third));
        assert!(overload.0.connections.lock().unwrap().is_empty());
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_client() {
        let overload = Overload::default();
        let take = |client: &str| overload.count(client.parse().unwrap(), 1);
        let _first = take("2001:db8::1").unwrap();
        assert!(take("2001:db8::ffff:0:0:2").is_err());
        assert!(take("2001:db8:0:1::1").is_ok());
    }
}
