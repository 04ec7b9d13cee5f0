//! One key that tickets are sealed with.

use std::fmt;
use std::ops::RangeInclusive;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};

/// How many random bytes a key is made of: more than 32 add no strength; 48 and 80 are the sizes that nginx reads.
pub const KEY_BYTES: RangeInclusive<usize> = 32..=80;

/// A ticket begins with the name of its key, so that of several keys only the right one is tried.
const NAME_BYTES: usize = 16;
/// AES-256.
const SEALING_BYTES: usize = 32;
/// Another use of the same bytes, or another format of tickets, gives other keys.
const PURPOSE: &[u8] = b"sluicegate session ticket 1";

/// Why bytes are no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("has {bytes} bytes; a key has {} to {}", KEY_BYTES.start(), KEY_BYTES.end())]
pub struct KeyError {
    /// How many there are.
    pub bytes: usize,
}

/// A key that tickets are sealed with. The same bytes make the same key in every process.
pub struct TicketKey {
    name: [u8; NAME_BYTES],
    // GCM-SIV: all replicas draw nonces at random, and with plain GCM two that are equal give the key away. A key should
    // then seal no more than 2^32 tickets (NIST SP 800-38D §8.3), which busy replicas do in some days.
    sealing: RandomizedNonceKey,
}

impl TicketKey {
    /// Makes a key of random bytes.
    ///
    /// # Errors
    /// If there are too few or too many.
    pub fn new(secret: &[u8]) -> Result<TicketKey, KeyError> {
        let wrong = || KeyError { bytes: secret.len() };
        if !KEY_BYTES.contains(&secret.len()) {
            return Err(wrong());
        }
        let mut derived = [0; NAME_BYTES + SEALING_BYTES];
        let extracted = Salt::new(HKDF_SHA256, &[]).extract(secret);
        let expanded = extracted.expand(&[PURPOSE], Derived);
        expanded.and_then(|expanded| expanded.fill(&mut derived)).map_err(|_| wrong())?;
        let (name, sealing) = derived.split_first_chunk().expect("it is longer than a name");
        let sealing = RandomizedNonceKey::new(&AES_256_GCM_SIV, sealing).map_err(|_| wrong())?;
        Ok(TicketKey { name: *name, sealing })
    }

    /// Name, nonce, ciphertext and tag. `None` if there is no randomness.
    pub(super) fn seal(&self, mut plain: Vec<u8>) -> Option<Vec<u8>> {
        let nonce = self.sealing.seal_in_place_append_tag(Aad::from(self.name), &mut plain).ok()?;
        Some([&self.name, nonce.as_ref().as_slice(), &plain].concat())
    }

    /// What was sealed, if with this key and unchanged since.
    pub(super) fn open(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let rest = ticket.strip_prefix(&self.name)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let (nonce, mut sealed) = (Nonce::assume_unique_for_key(*nonce), sealed.to_vec());
        let length = self.sealing.open_in_place(nonce, Aad::from(self.name), &mut sealed).ok()?.len();
        sealed.truncate(length);
        Some(sealed)
    }
}

impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketKey")
    }
}

/// How much is derived.
struct Derived;

impl KeyType for Derived {
    fn len(&self) -> usize {
        NAME_BYTES + SEALING_BYTES
    }
}
