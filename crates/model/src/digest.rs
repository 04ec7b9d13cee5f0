//! Digests that are the same in every process, on every node and in every version of this program: what clients are told today must
//! mean the same to the process that they meet tomorrow.

/// A digest of 64 bits (FNV-1a, and the finalizer of SplitMix64, without which similar texts have similar digests). It protects
/// nothing: a client that finds two texts with one digest has found them for itself.
#[derive(Clone, Copy, Debug)]
pub struct Digest(u64);

impl Digest {
    /// The digest of nothing yet.
    pub fn new() -> Digest {
        Digest(0xcbf2_9ce4_8422_2325)
    }

    /// The same with these bytes behind what came before. Where a part ends counts.
    #[must_use]
    pub fn with(self, part: &[u8]) -> Digest {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        // No part has this byte, which UTF-8 does not have.
        Digest(step(part.iter().fold(self.0, |hash, byte| step(hash, *byte)), 0xff))
    }

    /// The number.
    pub fn finish(self) -> u64 {
        mix(self.0)
    }

    /// The digest of one text.
    pub fn of(text: &str) -> u64 {
        Digest::new().with(text.as_bytes()).finish()
    }
}

impl Default for Digest {
    fn default() -> Digest {
        Digest::new()
    }
}

/// Two digests as one: for one key the weight of each of several candidates, of which the highest has it (rendezvous hashing). If a
/// candidate goes only its keys move, evenly to all others; one that comes takes its share from all.
pub fn weigh(key: u64, candidate: u64) -> u64 {
    mix(key ^ mix(candidate))
}

fn mix(hash: u64) -> u64 {
    let hash = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_never_change_from_version_to_version() {
        assert_eq!(Digest::of(""), 0x01df_27c8_adb0_f2d1);
        assert_eq!(Digest::of("10.0.0.1:8080"), 0x1b1e_f425_ea17_4d15);
        assert_eq!(weigh(1, 2), 0xe06d_d043_328b_d285);
    }

    #[test]
    fn where_a_part_ends_counts() {
        let of =
            |parts: [&str; 2]| parts.iter().fold(Digest::new(), |d, part| d.with(part.as_bytes())).finish();
        assert_ne!(of(["a", "bc"]), of(["ab", "c"]));
    }

    fn highest(key: u64, candidates: &[u64]) -> u64 {
        *candidates.iter().max_by_key(|one| weigh(key, **one)).expect("a candidate")
    }

    #[test]
    fn keys_are_shared_evenly_and_only_those_of_a_candidate_that_goes_move() {
        let candidates: Vec<u64> = (0..8).map(|n| Digest::of(&format!("10.0.0.{n}:80"))).collect();
        let keys: Vec<u64> = (0..8000).map(|n| Digest::of(&format!("key {n}"))).collect();
        let (gone, left) = candidates.split_last().expect("candidates");
        let mut counts = std::collections::BTreeMap::new();
        for key in &keys {
            let before = highest(*key, &candidates);
            *counts.entry(before).or_insert(0_u32) += 1;
            assert!(before == *gone || highest(*key, left) == before);
        }
        assert!(counts.len() == 8 && counts.values().all(|count| (800..1200).contains(count)), "{counts:?}");
    }
}
