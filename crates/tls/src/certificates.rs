//! Which certificate a name gets.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use model::HostMatch;
use rustls::SignatureScheme;
use rustls::sign::CertifiedKey;

use crate::Certificate;

/// The certificates for a name: one, or several of different kinds.
#[derive(Debug)]
pub struct Entry {
    name: Arc<str>,
    certificates: Vec<Arc<Certificate>>,
}

impl Entry {
    /// An entry with these certificates; `name` says where they come from. `None` without any.
    pub fn new(name: impl Into<Arc<str>>, mut certificates: Vec<Arc<Certificate>>) -> Option<Entry> {
        certificates.sort_by_key(|certificate| certificate.kind());
        (!certificates.is_empty()).then(|| Entry { name: name.into(), certificates })
    }

    /// Where the certificates come from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The certificates, the preferred kind first.
    pub fn certificates(&self) -> &[Arc<Certificate>] {
        &self.certificates
    }

    /// The first certificate that a client which verifies these signatures can use. If there is none, the last: it makes
    /// the handshake fail with the right alert.
    pub(crate) fn choose(&self, verifies: &[SignatureScheme]) -> Option<&Arc<CertifiedKey>> {
        let usable = |key: &&Arc<CertifiedKey>| key.key.choose_scheme(verifies).is_some();
        let keys = || self.certificates.iter().map(|certificate| certificate.key());
        keys().find(usable).or_else(|| keys().next_back())
    }
}

/// All certificates, by name. A snapshot: it never changes.
#[derive(Debug, Default)]
pub struct Certificates {
    entries: Vec<Arc<Entry>>,
    exact: HashMap<Arc<str>, Arc<Entry>, RandomState>,
    /// By what follows the first label.
    wildcard: HashMap<Arc<str>, Arc<Entry>, RandomState>,
    default: Option<Arc<Entry>>,
}

impl Certificates {
    /// Entries and the hosts that each is for; [`HostMatch::Any`] makes one the default. The first entry for a host has it.
    pub fn new(entries: impl IntoIterator<Item = (Entry, Vec<HostMatch>)>) -> Certificates {
        let mut all = Certificates::default();
        for (entry, hosts) in entries {
            let entry = Arc::new(entry);
            for host in hosts {
                all.add(&host, &entry);
            }
            all.entries.push(entry);
        }
        all
    }

    fn add(&mut self, host: &HostMatch, entry: &Arc<Entry>) {
        let (names, name) = match host {
            HostMatch::Exact(name) => (&mut self.exact, name),
            HostMatch::Wildcard(parent) => (&mut self.wildcard, parent),
            HostMatch::Any => {
                self.default.get_or_insert_with(|| Arc::clone(entry));
                return;
            }
        };
        names.entry(name.as_str().into()).or_insert_with(|| Arc::clone(entry));
    }

    /// All entries.
    pub fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    /// The entry for the name that a client asks for (RFC 6066 §3): that of this very name, else that of its wildcard, else
    /// the default. A client that asks for none gets the default.
    pub fn find(&self, sni: Option<&str>) -> Option<&Arc<Entry>> {
        sni.and_then(|sni| self.find_named(&normal(sni))).or(self.default.as_ref())
    }

    fn find_named(&self, name: &str) -> Option<&Arc<Entry>> {
        let by_wildcard = || name.split_once('.').and_then(|(_, parent)| self.wildcard.get(parent));
        self.exact.get(name).or_else(by_wildcard)
    }

    /// Whether a connection that was opened for `sni` may carry requests for `host` (without port): both have the same
    /// certificates. Else the client took one host's certificate for another's, and is told to open a connection of its own
    /// (421, RFC 9110 §15.5.20).
    ///
    /// A client without SNI could do no better on a new connection: it may ask for any host. Those that demand a certificate of it
    /// it finds closed, since it was not asked for one.
    pub fn serves_alike(&self, sni: Option<&str>, host: &str) -> bool {
        let Some(sni) = sni else { return true };
        let (sni, host) = (normal(sni), normal(host));
        sni == host
            || match (self.find(Some(&sni)), self.find(Some(&host))) {
                (Some(opened), Some(asked)) => Arc::ptr_eq(opened, asked),
                // Without certificates no client could have connected: they have all been removed since.
                (None, None) => true,
                _ => false,
            }
    }
}

/// Lower case, without final dot.
fn normal(name: &str) -> Cow<'_, str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    }
}
