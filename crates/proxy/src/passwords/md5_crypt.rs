//! MD5 crypt: what FreeBSD made (`$1$`), and Apache with another word in it (`$apr1$`).

use md5::{Digest, Md5};

const ROUNDS: usize = 1000;
/// What counts of a salt.
const SALT_BYTES_MAX: usize = 8;
const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Which bytes of the digest become four letters together.
const TRIPLES: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];

/// Whether a hash that begins with this word is that of the password.
pub(super) fn is_right(password: &[u8], text: &str, word: &str) -> bool {
    let parts = text.strip_prefix(word).and_then(|rest| rest.split_once('$'));
    let Some((salt, hash)) = parts else { return false };
    let salt = &salt.as_bytes()[..salt.len().min(SALT_BYTES_MAX)];
    let made = encode(&digest(password, salt, word.as_bytes()));
    aws_lc_rs::constant_time::verify_slices_are_equal(&made, hash.as_bytes()).is_ok()
}

fn digest(password: &[u8], salt: &[u8], word: &[u8]) -> [u8; 16] {
    let inner: [u8; 16] =
        Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize().into();
    let mut outer = Md5::new().chain_update(password).chain_update(word).chain_update(salt);
    for at in (0..password.len()).step_by(inner.len()) {
        outer.update(&inner[..inner.len().min(password.len() - at)]);
    }
    let mut bits = password.len();
    while bits > 0 {
        outer.update(if bits & 1 == 1 { &[0][..] } else { &password[..1] });
        bits >>= 1;
    }
    let mut digest: [u8; 16] = outer.finalize().into();
    for round in 0..ROUNDS {
        let mut next = Md5::new();
        next.update(if round & 1 == 1 { password } else { &digest });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(if round & 1 == 1 { &digest[..] } else { password });
        digest = next.finalize().into();
    }
    digest
}

fn encode(digest: &[u8; 16]) -> Vec<u8> {
    let triple = |[high, middle, low]: [usize; 3]| [digest[high], digest[middle], digest[low]];
    let letters = |[high, middle, low]: [u8; 3]| {
        let bits = u32::from_be_bytes([0, high, middle, low]);
        [0, 6, 12, 18].map(|shift| ALPHABET[(bits >> shift & 63) as usize])
    };
    let mut text: Vec<u8> = TRIPLES.into_iter().map(triple).flat_map(letters).collect();
    text.extend(&letters([0, 0, digest[11]])[..2]);
    text
}
