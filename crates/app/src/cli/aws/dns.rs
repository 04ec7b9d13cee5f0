//! The records of hosts in Route 53.

use std::collections::BTreeMap;
use std::time::Duration;

use aws::dns::guard::{CYCLES, Limits, PERCENT_MAX};
use aws::dns::keeper::Config;
use aws::dns::name::Name;
use aws::dns::ownership::TxtFormat;
use aws::dns::plan::{Policy, Settings, Target};
use aws::dns::zones::ZoneFilter;
use aws::sdk::Settings as Sdk;
use aws::target::Scheme;
use clap::{Args, Subcommand};

use super::super::before::Format;
use super::super::{ClassArgs, SourceArgs};
use super::AwsArgs;
use super::frontend::WhichArgs;
use crate::units::Span;

/// As external-dns: for how long resolvers may keep a CNAME.
const TTL: &str = "300s";
/// As external-dns. A change of an Ingress does not wait for it.
const INTERVAL: &str = "60s";
/// A faster look is for tests: Route 53 takes few calls per account.
const INTERVAL_MIN: Duration = Duration::from_millis(100);
/// No owner of external-dns is that long, and a TXT record has 255 characters.
const OWNER_BYTES_MAX: usize = 64;

/// The commands about DNS.
#[derive(Debug, Subcommand)]
pub(crate) enum DnsCommand {
    /// Show what would change in Route 53, and why. Changes nothing
    Plan(Box<DnsPlanArgs>),
}

/// The arguments of `dns plan`.
#[derive(Debug, Args)]
pub(crate) struct DnsPlanArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    #[command(flatten)]
    pub(crate) classes: ClassArgs,

    #[command(flatten)]
    pub(crate) dns: DnsArgs,

    #[command(flatten)]
    pub(crate) which: WhichArgs,

    #[command(flatten)]
    pub(crate) aws: AwsArgs,

    /// The form of the output
    #[arg(long, default_value = "text")]
    pub(crate) format: Format,
}

/// Which records, whose they are, and what may be done.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "DNS records in Route 53")]
pub(crate) struct DnsArgs {
    /// Keep the DNS records of all hosts, and mark them with this owner: the only records that are ever changed. That of
    /// external-dns (--txt-owner-id) takes over what it has written. One of several processes writes: the holder of the Lease
    #[arg(long, value_name = "ID", env = "SLUICEGATE_DNS_OWNER")]
    dns_owner: Option<String>,

    /// What may be done: sync, upsert-only (nothing is deleted) or dry-run (nothing is written)
    #[arg(long, value_name = "POLICY", env = "SLUICEGATE_DNS_POLICY", default_value = Policy::Sync.as_str())]
    dns_policy: Policy,

    /// Where the hosts of a scheme lead, as internet-facing=lb.example.com: by CNAME records, in place of aliases to the load
    /// balancer that is found
    #[arg(long, value_name = "SCHEME=NAME", env = "SLUICEGATE_DNS_TARGET", value_delimiter = ',', value_parser = target)]
    dns_target: Vec<(Scheme, Name)>,

    /// The scheme of hosts of which no Ingress says one (annotation sluicegate.io/frontend-scheme): internal or
    /// internet-facing. By default they get no records
    #[arg(long, value_name = "SCHEME", env = "SLUICEGATE_DNS_DEFAULT_SCHEME")]
    dns_default_scheme: Option<Scheme>,

    /// Look only at the hosted zones with these names or identifiers. By default at all of the account
    #[arg(long, value_name = "ZONE", env = "SLUICEGATE_DNS_ZONE", value_delimiter = ',')]
    dns_zone: Vec<String>,

    /// Look only at public or only at private zones
    #[arg(long, value_name = "TYPE", env = "SLUICEGATE_DNS_ZONE_TYPE", value_parser = zone_type)]
    dns_zone_type: Option<ZoneType>,

    /// What the names of the TXT records begin with that say whose a record is, as --txt-prefix of external-dns; it may have
    /// %{record_type} in it. With one that ends with a dot no TXT record can be in the way of a host
    #[arg(
        long,
        value_name = "TEXT",
        env = "SLUICEGATE_DNS_TXT_PREFIX",
        default_value = "",
        hide_default_value = true
    )]
    dns_txt_prefix: String,

    /// What their first labels end with, as --txt-suffix of external-dns
    #[arg(
        long,
        value_name = "TEXT",
        env = "SLUICEGATE_DNS_TXT_SUFFIX",
        default_value = "",
        hide_default_value = true
    )]
    dns_txt_suffix: String,

    /// What stands for the * of a wildcard there, as --txt-wildcard-replacement of external-dns
    #[arg(long, value_name = "WORD", env = "SLUICEGATE_DNS_TXT_WILDCARD_REPLACEMENT")]
    dns_txt_wildcard_replacement: Option<String>,

    /// Make records ours that have no owner and are exactly as we would write them, as those of feed
    #[arg(long, env = "SLUICEGATE_DNS_ADOPT")]
    dns_adopt: bool,

    /// For how long resolvers may keep a CNAME
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_DNS_TTL", default_value = TTL)]
    dns_ttl: Span,

    /// How often all records are looked at while nothing changes here
    #[arg(long, value_name = "TIME", env = "SLUICEGATE_DNS_INTERVAL", default_value = INTERVAL)]
    dns_interval: Span,

    /// In how many cycles in a row a deletion has to be planned before it is made
    #[arg(long, value_name = "N", env = "SLUICEGATE_DNS_DELETE_CYCLES", default_value_t = CYCLES)]
    dns_delete_cycles: u32,

    /// How many of a hundred names may be deleted at once; ten names always may. If more would be, or all hosts are gone,
    /// nothing is deleted. 100: all may
    #[arg(
        long,
        value_name = "PERCENT",
        env = "SLUICEGATE_DNS_DELETE_PERCENT_MAX",
        default_value_t = PERCENT_MAX,
        value_parser = clap::value_parser!(u8).range(0..=100)
    )]
    dns_delete_percent_max: u8,
}

/// Who sees a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ZoneType {
    Public,
    Private,
}

impl DnsArgs {
    /// What is meant; none if no records are to be kept.
    ///
    /// # Errors
    /// Names the flag that cannot be used.
    pub(crate) fn config(&self, sdk: Sdk) -> Result<Option<Config>, &'static str> {
        let Some(owner) = &self.dns_owner else {
            let says_more = !self.dns_target.is_empty() || self.dns_adopt || !self.dns_zone.is_empty();
            return if says_more {
                Err("--dns-owner: say whose records these are, as my-cluster")
            } else {
                Ok(None)
            };
        };
        let is_word = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b',' | b'=' | b'"' | b'\\');
        if owner.is_empty() || owner.len() > OWNER_BYTES_MAX || !owner.bytes().all(is_word) {
            return Err(
                "--dns-owner: write up to 64 characters without spaces, quotes, comma and equals sign",
            );
        }
        if self.dns_interval.0 < INTERVAL_MIN {
            return Err("--dns-interval: at least 100ms");
        }
        let mut given = BTreeMap::new();
        for (scheme, name) in &self.dns_target {
            if given.insert(*scheme, Target::Name(name.clone())).is_some() {
                return Err("--dns-target: name one target for each scheme");
            }
        }
        let wildcard = self.dns_txt_wildcard_replacement.as_deref();
        let format = TxtFormat::new(&self.dns_txt_prefix, &self.dns_txt_suffix, wildcard)?;
        let ttl = i64::try_from(self.dns_ttl.0.as_secs()).map_err(|_| "--dns-ttl: too long")?;
        let (policy, adopt) = (self.dns_policy, self.dns_adopt);
        let is_private = self.dns_zone_type.map(|zone_type| zone_type == ZoneType::Private);
        Ok(Some(Config {
            sdk,
            settings: Settings { format, policy, adopt, ttl, ..Settings::new(owner) },
            filter: ZoneFilter { named: self.dns_zone.clone(), is_private },
            limits: Limits { cycles: self.dns_delete_cycles, percent: self.dns_delete_percent_max },
            given,
            default_scheme: self.dns_default_scheme,
            interval: self.dns_interval.0,
        }))
    }
}

fn target(raw: &str) -> Result<(Scheme, Name), String> {
    let (scheme, name) = raw.split_once('=').ok_or("write SCHEME=NAME, as internet-facing=lb.example.com")?;
    let name = Name::new(name);
    match name.fault() {
        Some(fault) => Err(format!("{name:?} {fault}", name = name.as_str())),
        None => Ok((scheme.parse()?, name)),
    }
}

fn zone_type(raw: &str) -> Result<ZoneType, &'static str> {
    match raw {
        "public" => Ok(ZoneType::Public),
        "private" => Ok(ZoneType::Private),
        _ => Err("write public or private"),
    }
}
