//! The ways in which hashes of passwords are made, as `htpasswd` and crypt(3) have them.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA1_OUTPUT_LEN, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{PasswordHash, Scheme};
use sha_crypt::{PasswordHashRef, PasswordVerifier, ShaCrypt};

use super::{des_crypt, md5_crypt};

/// Longest password that is looked at: the time that the older ways take grows with it.
const PASSWORD_BYTES_MAX: usize = 256;

/// Whether this is the password. A hash that is spoilt has none.
pub(super) fn is_right(password: &[u8], hash: &PasswordHash) -> bool {
    let text = &*hash.text;
    if password.len() > PASSWORD_BYTES_MAX {
        return false;
    }
    match hash.scheme {
        Scheme::Plain => is_plain(password, text).unwrap_or(false),
        Scheme::Sha1 => is_sha1(password, text, "{SHA}").unwrap_or(false),
        Scheme::SaltedSha1 => is_sha1(password, text, "{SSHA}").unwrap_or(false),
        Scheme::Apr1 => md5_crypt::is_right(password, text, "$apr1$"),
        Scheme::Md5Crypt => md5_crypt::is_right(password, text, "$1$"),
        Scheme::Sha256Crypt | Scheme::Sha512Crypt => is_sha_crypt(password, text),
        Scheme::Bcrypt => bcrypt::verify(password, text).unwrap_or(false),
        Scheme::DesCrypt => des_crypt::is_right(password, text),
    }
}

fn is_plain(password: &[u8], text: &str) -> Option<bool> {
    Some(verify_slices_are_equal(password, text.strip_prefix("{PLAIN}")?.as_bytes()).is_ok())
}

/// What stands behind the hash is its salt; of one without salt nothing does.
fn is_sha1(password: &[u8], text: &str, begin: &str) -> Option<bool> {
    let stored = STANDARD.decode(text.strip_prefix(begin)?).ok()?;
    let (hash, salt) = stored.split_at_checked(SHA1_OUTPUT_LEN)?;
    let salt = if begin == "{SHA}" { &[][..] } else { salt };
    let made = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[password, salt].concat());
    Some(verify_slices_are_equal(made.as_ref(), hash).is_ok())
}

fn is_sha_crypt(password: &[u8], text: &str) -> bool {
    let hash = PasswordHashRef::new(text);
    hash.is_ok_and(|hash| ShaCrypt::default().verify_password(password, hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `htpasswd` and `openssl passwd`.
    #[test]
    fn each_way_of_making_a_hash_is_verified() {
        for text in [
            "{PLAIN}secret",
            "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
            "{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0",
            "$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0",
            "$1$saltsalt$9xy1btjgzLYfb7hivXtC//",
            "$1$ab$dslkcXxVH.x8LwW1W/oAB/",
            "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA",
            "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1",
            "$6$rounds=1500$abc$F2.P6iSAFLF.06eJJhrWJrLoNFr9TdmGOJ3HNhFCs4KFYVW3TBrMkDC4CRKRjihyhxez15iQzKMjQRhcJcFz90",
            "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
        ] {
            let hash = PasswordHash::read(text).expect(text);
            assert!(is_right(b"secret", &hash), "{text}");
            for wrong in [&b""[..], b"secre", b"secret\0", b"Secret", &[b'x'; 300]] {
                assert!(!is_right(wrong, &hash), "{text}: {wrong:?}");
            }
        }
    }

    #[test]
    fn a_spoilt_hash_has_no_password() {
        for text in [
            "{SHA}",
            "{SHA}x",
            "{SSHA}AAAA",
            "$apr1$",
            "$apr1$$",
            "$1$salt",
            "$5$",
            "$5$rounds=1000$",
            "$6$salt$x$y",
            "$2y$04$short",
            "$2y$05$!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!",
        ] {
            let Ok(hash) = PasswordHash::read(text) else { continue };
            for password in [&b""[..], b"x", b"secret"] {
                assert!(!is_right(password, &hash), "{text}");
            }
        }
    }
}
