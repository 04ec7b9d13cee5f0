//! What may be done, and how records are written.

use std::str::FromStr;

use crate::dns::ownership::TxtFormat;

/// For how many seconds resolvers may keep a CNAME, by default: as external-dns.
pub const CNAME_TTL: i64 = 300;

/// What may be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Records of hosts that are gone are deleted.
    #[default]
    Sync,
    /// Nothing is ever deleted.
    UpsertOnly,
    /// Nothing is written.
    DryRun,
}

impl Policy {
    /// All there are.
    pub const ALL: [Policy; 3] = [Policy::Sync, Policy::UpsertOnly, Policy::DryRun];

    /// As the command line has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Policy::Sync => "sync",
            Policy::UpsertOnly => "upsert-only",
            Policy::DryRun => "dry-run",
        }
    }
}

impl FromStr for Policy {
    type Err = &'static str;

    fn from_str(raw: &str) -> Result<Policy, Self::Err> {
        let found = Policy::ALL.into_iter().find(|policy| policy.as_str() == raw);
        found.ok_or("write sync, upsert-only or dry-run")
    }
}

/// How records are written, and whose they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Marks what is ours. Installations must not share it, unless they serve the same hosts.
    pub owner: String,
    /// How the TXT records are named that say so.
    pub format: TxtFormat,
    /// What may be done.
    pub policy: Policy,
    /// Whether a record of nobody which already is as it should be becomes ours.
    pub adopt: bool,
    /// For how many seconds resolvers may keep a CNAME.
    pub ttl: i64,
}

impl Settings {
    /// Of this owner, all else as external-dns has it by default.
    pub fn new(owner: &str) -> Settings {
        let (format, policy) = (TxtFormat::default(), Policy::default());
        Settings { owner: owner.to_owned(), format, policy, adopt: false, ttl: CNAME_TTL }
    }
}
