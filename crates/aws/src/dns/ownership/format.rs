//! The names of TXT records: from a record to its TXT and back.

use crate::dns::name::Name;
use crate::dns::ownership::Key;
use crate::dns::record::Kind;

/// Stands for the type in a prefix or suffix.
const TYPE: &str = "%{record_type}";

/// The types that external-dns reads in names, in its order.
const KINDS: [&str; 10] = ["A", "AAAA", "CNAME", "NS", "MX", "PTR", "SRV", "NAPTR", "TXT", "DNAME"];

/// How TXT records are named, as the flags of external-dns say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TxtFormat {
    /// Before the name (`--txt-prefix`).
    prefix: String,
    /// Behind the first label (`--txt-suffix`).
    suffix: String,
    /// In the place of a `*` (`--txt-wildcard-replacement`).
    wildcard: Option<String>,
}

impl TxtFormat {
    /// A format, in lower case as DNS is.
    ///
    /// # Errors
    /// If there is both a prefix and a suffix, which external-dns does not have.
    pub fn new(prefix: &str, suffix: &str, wildcard: Option<&str>) -> Result<TxtFormat, &'static str> {
        if !prefix.is_empty() && !suffix.is_empty() {
            return Err("write either a prefix or a suffix for TXT records, as external-dns has it");
        }
        // What stands for the type is in lower case, too.
        let lower = str::to_ascii_lowercase;
        let wildcard = wildcard.filter(|word| !word.is_empty()).map(lower);
        Ok(TxtFormat { prefix: lower(prefix), suffix: lower(suffix), wildcard })
    }

    /// The name of the TXT for a record.
    pub(in crate::dns) fn txt_name(&self, name: &Name, kind: &Kind) -> Name {
        let kind = kind.as_str().to_ascii_lowercase();
        let with_kind = |affix: &str| affix.replace(TYPE, &kind);
        let name = self.without_wildcard(name);
        let (first, rest) =
            name.as_str().split_once('.').map_or((name.as_str(), None), |(first, rest)| (first, Some(rest)));
        let typed = if self.has_type() { String::new() } else { format!("{kind}-") };
        let rest = rest.map(|rest| format!(".{rest}")).unwrap_or_default();
        Name::new(&format!("{}{typed}{first}{}{rest}", with_kind(&self.prefix), with_kind(&self.suffix)))
    }

    /// What a TXT of this name speaks of.
    pub(in crate::dns) fn speaks_of(&self, txt: &Name) -> Option<Key> {
        let (own, rest) = self.own_part(txt)?;
        let found = if self.has_type() { self.typed(own) } else { None };
        let (name, kind) = match found {
            Some((name, kind)) => (name, Some(kind)),
            None => typed_by_default(self.bare(own)?),
        };
        let rest = rest.map(|rest| format!(".{rest}")).unwrap_or_default();
        Some((Name::new(&format!("{name}{rest}")), kind))
    }

    /// The same by the rules before v0.12, by which no type was told.
    pub(in crate::dns) fn spoke_of(&self, txt: &Name) -> Option<Name> {
        let (own, rest) = self.own_part(txt)?;
        let rest = rest.map(|rest| format!(".{rest}")).unwrap_or_default();
        Some(Name::new(&format!("{}{rest}", self.bare(own)?)))
    }

    /// The name with the word for a wildcard in its place.
    pub(in crate::dns) fn without_wildcard(&self, name: &Name) -> Name {
        match (&self.wildcard, name.as_str().strip_prefix("*.")) {
            (Some(word), Some(parent)) => Name::new(&format!("{word}.{parent}")),
            _ => name.clone(),
        }
    }

    /// The wildcard that this name may stand for.
    pub(in crate::dns) fn wildcard_of(&self, name: &Name) -> Option<Name> {
        let (first, parent) = name.as_str().split_once('.')?;
        (Some(first) == self.wildcard.as_deref()).then(|| Name::new(&format!("*.{parent}")))
    }

    fn has_type(&self) -> bool {
        self.prefix.contains(TYPE) || self.suffix.contains(TYPE)
    }

    /// The part of a TXT's name that may have a suffix, and the rest. A prefix may reach over several labels.
    fn own_part<'n>(&self, txt: &'n Name) -> Option<(&'n str, Option<&'n str>)> {
        if self.suffix.is_empty() {
            return Some((txt.as_str(), None));
        }
        let dots = self.suffix.matches('.').count();
        let mut places = txt.as_str().match_indices('.').map(|(at, _)| at).skip(dots);
        match places.next() {
            Some(end) => Some((&txt.as_str()[..end], Some(&txt.as_str()[end + 1..]))),
            None => (txt.as_str().matches('.').count() == dots).then_some((txt.as_str(), None)),
        }
    }

    /// Without prefix or suffix, where these have the type.
    fn typed<'n>(&self, own: &'n str) -> Option<(&'n str, Kind)> {
        KINDS.iter().find_map(|word| {
            let with_kind = |affix: &str| affix.replace(TYPE, &word.to_ascii_lowercase());
            let name =
                own.strip_prefix(&*with_kind(&self.prefix))?.strip_suffix(&*with_kind(&self.suffix))?;
            Some((name, Kind::new(word)))
        })
    }

    /// Without prefix or suffix, these without what stands for the type.
    fn bare<'n>(&self, own: &'n str) -> Option<&'n str> {
        let plain = |affix: &str| affix.replace(TYPE, "");
        own.strip_prefix(&*plain(&self.prefix))?.strip_suffix(&*plain(&self.suffix))
    }
}

/// The type before the first dash, if it is one.
fn typed_by_default(name: &str) -> (&str, Option<Kind>) {
    let kind = |word: &str| KINDS.iter().find(|kind| kind.to_ascii_lowercase() == word);
    match name.split_once('-').map(|(word, rest)| (kind(word), rest)) {
        Some((Some(word), rest)) => (rest, Some(Kind::new(word))),
        _ => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(prefix: &str, suffix: &str, wildcard: Option<&str>) -> TxtFormat {
        TxtFormat::new(prefix, suffix, wildcard).unwrap()
    }

    /// Taken from what external-dns' own mapper does with the same flags.
    #[test]
    fn a_txt_is_named_as_external_dns_names_it_and_read_back() {
        let host = "shop.example.com";
        for (format, name, kind, txt) in [
            (format("", "", None), host, Kind::A, "a-shop.example.com"),
            (format("", "", None), host, Kind::Aaaa, "aaaa-shop.example.com"),
            (format("", "", None), "a-shop.example.com", Kind::Cname, "cname-a-shop.example.com"),
            (format("", "", None), "*.example.com", Kind::A, "a-*.example.com"),
            (format("Own.", "", None), host, Kind::A, "own.a-shop.example.com"),
            (format("%{record_type}-own.", "", None), host, Kind::Cname, "cname-own.shop.example.com"),
            (format("", "-own", None), host, Kind::A, "a-shop-own.example.com"),
            (format("", "-%{record_type}-own", None), host, Kind::Aaaa, "shop-aaaa-own.example.com"),
            (format("", ".own", None), host, Kind::A, "a-shop.own.example.com"),
            (format("", "", Some("any")), "*.example.com", Kind::A, "a-any.example.com"),
        ] {
            let name = Name::new(name);
            assert_eq!(format.txt_name(&name, &kind).as_str(), txt, "{format:?}");
            let key = (format.without_wildcard(&name), Some(kind));
            assert_eq!(format.speaks_of(&Name::new(txt)), Some(key), "{format:?}");
        }
    }

    #[test]
    fn a_txt_of_the_times_before_types_speaks_of_all_at_its_name() {
        let host = Name::new("shop.example.com");
        assert_eq!(format("", "", None).speaks_of(&host), Some((host.clone(), None)));
        assert_eq!(
            format("own-", "", None).speaks_of(&Name::new("own-shop.example.com")),
            Some((host.clone(), None))
        );
        assert_eq!(format("own-", "", None).speaks_of(&host), None, "it lacks the prefix");
        let typed = format("own-%{record_type}.", "", None);
        assert_eq!(typed.speaks_of(&Name::new("own-.shop.example.com")), Some((host, None)));
    }

    #[test]
    fn a_prefix_and_a_suffix_are_one_too_many() {
        assert!(TxtFormat::new("a", "b", None).is_err());
    }
}
