//! Names and what is kept of their passwords.

use std::fmt;

/// The largest cost of a bcrypt hash that is verified: each step doubles the time, and 15 takes some two seconds.
pub const BCRYPT_COST_MAX: u32 = 15;
/// The most rounds of a SHA crypt that are verified, which take as long; 5000 are common.
const SHA_ROUNDS_MAX: u32 = 1_000_000;

/// Which user has which password. Never shown.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Users {
    /// Sorted, each name once.
    entries: Box<[(Box<[u8]>, PasswordHash)]>,
}

/// What is kept of a password.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PasswordHash {
    /// How it was made.
    pub scheme: Scheme,
    /// All of it, as it was written.
    pub text: Box<str>,
}

/// How a hash was made. Each is recognized by what it begins with, as nginx and crypt(3) do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `{PLAIN}`: the password itself.
    Plain,
    /// `{SHA}`: SHA-1 without salt.
    Sha1,
    /// `{SSHA}`: SHA-1 with salt behind it.
    SaltedSha1,
    /// `$apr1$`: what `htpasswd` makes by default.
    Apr1,
    /// `$1$`: the same with another word in it.
    Md5Crypt,
    /// `$5$`.
    Sha256Crypt,
    /// `$6$`.
    Sha512Crypt,
    /// `$2y$` and its kin.
    Bcrypt,
    /// Thirteen characters: what crypt(3) made first, of eight characters of a password.
    DesCrypt,
}

/// Why a hash cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashError {
    /// It is made in no way that is known; or it is the password itself.
    Unknown,
    /// To verify it would take seconds.
    TooCostly,
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HashError::Unknown => "no hash of a password that is known",
            HashError::TooCostly => "a hash that would take seconds to verify",
        })
    }
}

impl std::error::Error for HashError {}

impl PasswordHash {
    /// Reads a hash.
    ///
    /// # Errors
    /// Says why it cannot be used.
    pub fn read(text: &str) -> Result<PasswordHash, HashError> {
        let scheme = match text {
            _ if text.starts_with("{PLAIN}") => Scheme::Plain,
            _ if text.starts_with("{SHA}") => Scheme::Sha1,
            _ if text.starts_with("{SSHA}") => Scheme::SaltedSha1,
            _ if text.starts_with("$apr1$") => Scheme::Apr1,
            _ if text.starts_with("$1$") => Scheme::Md5Crypt,
            _ if text.starts_with("$5$") => sha_crypt(text, Scheme::Sha256Crypt)?,
            _ if text.starts_with("$6$") => sha_crypt(text, Scheme::Sha512Crypt)?,
            _ if ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|begin| text.starts_with(begin)) => {
                bcrypt(text)?
            }
            _ if is_des_crypt(text) => Scheme::DesCrypt,
            _ => return Err(HashError::Unknown),
        };
        Ok(PasswordHash { scheme, text: text.into() })
    }

    /// Whether it is verified in less time than it takes to ask another thread.
    pub fn is_quick(&self) -> bool {
        matches!(self.scheme, Scheme::Plain | Scheme::Sha1 | Scheme::SaltedSha1)
    }
}

fn bcrypt(text: &str) -> Result<Scheme, HashError> {
    let cost = text.get(4..6).and_then(|cost| cost.parse::<u32>().ok()).ok_or(HashError::Unknown)?;
    if cost > BCRYPT_COST_MAX { Err(HashError::TooCostly) } else { Ok(Scheme::Bcrypt) }
}

fn sha_crypt(text: &str, scheme: Scheme) -> Result<Scheme, HashError> {
    let Some(rounds) = text.get(3..).and_then(|rest| rest.strip_prefix("rounds=")) else { return Ok(scheme) };
    let rounds = rounds.split('$').next().unwrap_or_default();
    let rounds = rounds.parse::<u32>().map_err(|_| HashError::Unknown)?;
    if rounds > SHA_ROUNDS_MAX { Err(HashError::TooCostly) } else { Ok(scheme) }
}

fn is_des_crypt(text: &str) -> bool {
    text.len() == 13 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'/')
}

impl Users {
    /// Of two entries for the same name the first counts, as with nginx.
    pub fn new(mut entries: Vec<(Box<[u8]>, PasswordHash)>) -> Users {
        entries.sort_by(|(one, _), (two, _)| one.cmp(two));
        entries.dedup_by(|(later, _), (first, _)| later == first);
        Users { entries: entries.into() }
    }

    /// What is kept of this user's password.
    pub fn find(&self, name: &[u8]) -> Option<&PasswordHash> {
        let place = self.entries.binary_search_by(|(user, _)| (**user).cmp(name)).ok()?;
        Some(&self.entries[place].1)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.entries.len()
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} users", self.count())
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a hash ({:?})", self.scheme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_known_by_what_it_begins_with_and_one_that_costs_too_much_is_none() {
        for (text, read) in [
            ("{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=", Ok(Scheme::Sha1)),
            ("$apr1$a$b", Ok(Scheme::Apr1)),
            ("$2y$15$", Ok(Scheme::Bcrypt)),
            ("$2y$16$", Err(HashError::TooCostly)),
            ("$2y$", Err(HashError::Unknown)),
            ("$5$salt$hash", Ok(Scheme::Sha256Crypt)),
            ("$6$rounds=1000000$salt$hash", Ok(Scheme::Sha512Crypt)),
            ("$6$rounds=1000001$salt$hash", Err(HashError::TooCostly)),
            ("rl0uLdZxtqZ6s", Ok(Scheme::DesCrypt)),
            ("secret", Err(HashError::Unknown)),
            ("", Err(HashError::Unknown)),
        ] {
            assert_eq!(PasswordHash::read(text).map(|hash| hash.scheme), read, "{text}");
        }
    }

    #[test]
    fn of_two_entries_for_a_name_the_first_counts_and_none_is_ever_shown() {
        let entry =
            |name: &str, hash: &str| (name.as_bytes().into(), PasswordHash::read(hash).expect("a hash"));
        let users = Users::new(vec![entry("b", "{PLAIN}x"), entry("a", "{PLAIN}y"), entry("b", "{PLAIN}z")]);
        assert_eq!(users.count(), 2);
        assert_eq!(users.find(b"b").map(|hash| &*hash.text), Some("{PLAIN}x"));
        assert_eq!(users.find(b"c"), None);
        assert!(!format!("{users:?} {:?}", users.find(b"a")).contains('y'));
    }
}
