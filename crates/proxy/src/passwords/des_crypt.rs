//! What crypt(3) made first: twenty-five rounds of DES (FIPS 46) with a salt that swaps bits of its expansion. Only eight
//! characters of a password count, and of each seven bits.
//!
//! Bits are numbered as in the standard, from 1 at the left.

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ITERATIONS: usize = 25;
/// Every how many bits the two halves of a key are turned in each round.
const TURNS: [u32; 16] = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];
#[rustfmt::skip]
const KEY_BITS: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
    63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
];
#[rustfmt::skip]
const ROUND_KEY_BITS: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
    41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];
#[rustfmt::skip]
const EXPANSION: [u8; 48] = [
    32, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11, 12, 13, 12, 13, 14, 15, 16, 17,
    16, 17, 18, 19, 20, 21, 20, 21, 22, 23, 24, 25, 24, 25, 26, 27, 28, 29, 28, 29, 30, 31, 32, 1,
];
#[rustfmt::skip]
const BOXES: [[u8; 64]; 8] = [
    [14, 4, 13, 1, 2, 15, 11, 8, 3, 10, 6, 12, 5, 9, 0, 7, 0, 15, 7, 4, 14, 2, 13, 1, 10, 6, 12, 11, 9, 5, 3, 8,
     4, 1, 14, 8, 13, 6, 2, 11, 15, 12, 9, 7, 3, 10, 5, 0, 15, 12, 8, 2, 4, 9, 1, 7, 5, 11, 3, 14, 10, 0, 6, 13],
    [15, 1, 8, 14, 6, 11, 3, 4, 9, 7, 2, 13, 12, 0, 5, 10, 3, 13, 4, 7, 15, 2, 8, 14, 12, 0, 1, 10, 6, 9, 11, 5,
     0, 14, 7, 11, 10, 4, 13, 1, 5, 8, 12, 6, 9, 3, 2, 15, 13, 8, 10, 1, 3, 15, 4, 2, 11, 6, 7, 12, 0, 5, 14, 9],
    [10, 0, 9, 14, 6, 3, 15, 5, 1, 13, 12, 7, 11, 4, 2, 8, 13, 7, 0, 9, 3, 4, 6, 10, 2, 8, 5, 14, 12, 11, 15, 1,
     13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5, 10, 14, 7, 1, 10, 13, 0, 6, 9, 8, 7, 4, 15, 14, 3, 11, 5, 2, 12],
    [7, 13, 14, 3, 0, 6, 9, 10, 1, 2, 8, 5, 11, 12, 4, 15, 13, 8, 11, 5, 6, 15, 0, 3, 4, 7, 2, 12, 1, 10, 14, 9,
     10, 6, 9, 0, 12, 11, 7, 13, 15, 1, 3, 14, 5, 2, 8, 4, 3, 15, 0, 6, 10, 1, 13, 8, 9, 4, 5, 11, 12, 7, 2, 14],
    [2, 12, 4, 1, 7, 10, 11, 6, 8, 5, 3, 15, 13, 0, 14, 9, 14, 11, 2, 12, 4, 7, 13, 1, 5, 0, 15, 10, 3, 9, 8, 6,
     4, 2, 1, 11, 10, 13, 7, 8, 15, 9, 12, 5, 6, 3, 0, 14, 11, 8, 12, 7, 1, 14, 2, 13, 6, 15, 0, 9, 10, 4, 5, 3],
    [12, 1, 10, 15, 9, 2, 6, 8, 0, 13, 3, 4, 14, 7, 5, 11, 10, 15, 4, 2, 7, 12, 9, 5, 6, 1, 13, 14, 0, 11, 3, 8,
     9, 14, 15, 5, 2, 8, 12, 3, 7, 0, 4, 10, 1, 13, 11, 6, 4, 3, 2, 12, 9, 5, 15, 10, 11, 14, 1, 7, 6, 0, 8, 13],
    [4, 11, 2, 14, 15, 0, 8, 13, 3, 12, 9, 7, 5, 10, 6, 1, 13, 0, 11, 7, 4, 9, 1, 10, 14, 3, 5, 12, 2, 15, 8, 6,
     1, 4, 11, 13, 12, 3, 7, 14, 10, 15, 6, 8, 0, 5, 9, 2, 6, 11, 13, 8, 1, 4, 10, 7, 9, 5, 0, 15, 14, 2, 3, 12],
    [13, 2, 8, 4, 6, 15, 11, 1, 10, 9, 3, 14, 5, 0, 12, 7, 1, 15, 13, 8, 10, 3, 7, 4, 12, 5, 6, 11, 0, 14, 9, 2,
     7, 11, 4, 1, 9, 12, 14, 2, 0, 6, 10, 13, 15, 3, 5, 8, 2, 1, 14, 7, 4, 10, 8, 13, 15, 12, 9, 0, 3, 5, 6, 11],
];
#[rustfmt::skip]
const SPREAD: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
    2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
];
#[rustfmt::skip]
const LAST: [u8; 64] = [
    40, 8, 48, 16, 56, 24, 64, 32, 39, 7, 47, 15, 55, 23, 63, 31, 38, 6, 46, 14, 54, 22, 62, 30, 37, 5, 45, 13, 53, 21,
    61, 29, 36, 4, 44, 12, 52, 20, 60, 28, 35, 3, 43, 11, 51, 19, 59, 27, 34, 2, 42, 10, 50, 18, 58, 26, 33, 1, 41, 9,
    49, 17, 57, 25,
];

/// Whether thirteen characters are the hash of the password.
pub(super) fn is_right(password: &[u8], text: &str) -> bool {
    let Some(made) = made(password, text.as_bytes()) else { return false };
    aws_lc_rs::constant_time::verify_slices_are_equal(&made, text.as_bytes()).is_ok()
}

/// The hash of the password with the salt that stands before this one.
fn made(password: &[u8], stored: &[u8]) -> Option<Vec<u8>> {
    let salt_bits = |at: usize| ALPHABET.iter().position(|letter| stored.get(at) == Some(letter));
    let salt = salt_bits(0)? | salt_bits(1)? << 6;
    let password = &password[..password.iter().position(|b| *b == 0).unwrap_or(password.len())];
    let key =
        (0..8).fold(0, |key: u64, at| key << 8 | u64::from(password.get(at).copied().unwrap_or(0) << 1));
    let keys = round_keys(key);
    // The block begins as zeros, and zeros permuted are zeros: the first permutation is left out.
    let block = (0..ITERATIONS).fold(0, |block, _| encrypt(block, &keys, salt));
    let block = permute(block, 64, &LAST);
    let letter = |at: u32| ALPHABET[((u128::from(block) << 2) >> (60 - 6 * at) & 63) as usize];
    Some(stored[..2].iter().copied().chain((0..11).map(letter)).collect())
}

/// The bits of these numbers, of so many that there are.
fn permute(bits: u64, count: u32, order: &[u8]) -> u64 {
    order.iter().fold(0, |out, at| out << 1 | bits >> (count - u32::from(*at)) & 1)
}

fn round_keys(key: u64) -> [u64; 16] {
    const HALF: u64 = (1 << 28) - 1;
    let key = permute(key, 64, &KEY_BITS);
    let (mut left, mut right) = (key >> 28, key & HALF);
    let turn = |half: u64, by: u32| (half << by | half >> (28 - by)) & HALF;
    TURNS.map(|by| {
        (left, right) = (turn(left, by), turn(right, by));
        permute(left << 28 | right, 56, &ROUND_KEY_BITS)
    })
}

/// One DES between its first and its last permutation, which in a row undo each other.
fn encrypt(block: u64, keys: &[u64; 16], salt: usize) -> u64 {
    let (mut left, mut right) = (block >> 32, block & 0xffff_ffff);
    for key in keys {
        (left, right) = (right, left ^ mix(right, *key, salt));
    }
    right << 32 | left
}

fn mix(half: u64, key: u64, salt: usize) -> u64 {
    let mut bits = permute(half, 32, &EXPANSION);
    for at in (0..12).filter(|at| salt >> at & 1 == 1) {
        let (one, other) = (47 - at, 23 - at);
        if (bits >> one ^ bits >> other) & 1 == 1 {
            bits ^= 1 << one | 1 << other;
        }
    }
    bits ^= key;
    let boxed = BOXES.iter().enumerate().fold(0, |out, (at, table)| {
        let six = (bits >> (42 - 6 * at) & 63) as usize;
        let place = six & 32 | (six & 1) << 4 | six >> 1 & 15;
        out << 4 | u64::from(table[place])
    });
    permute(boxed, 32, &SPREAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by crypt(3).
    #[test]
    fn a_hash_is_that_of_eight_characters_of_its_password() {
        for (password, text) in CASES {
            assert!(is_right(password.as_bytes(), text), "{password}");
            assert!(!is_right(b"other", text), "{password}");
        }
        assert!(is_right(b"12345678 and more", CASES[1].1));
    }

    const CASES: [(&str, &str); 5] = [
        ("secret", "rlcg0.fZequS."),
        ("12345678", "..EXlUiP8mHCU"),
        ("", "abmF1QH4PEr.E"),
        ("pä", "zZXNbn/qVR1DM"),
        ("~~~~", "/9/orW4/3RN7."),
    ];
}
