//! Names in DNS, in one form: lower case, without the final dot, and with no character written as a number.
//!
//! Route 53 stores names in lower case and shows each character but `a-z 0-9 - _ .` as a backslash and three octal digits:
//! `*.example.com` comes back as `\052.example.com.`
//! (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>).

use std::fmt;
use std::sync::Arc;

/// Longest label, in bytes (RFC 1035 §2.3.4).
const LABEL_BYTES_MAX: usize = 63;
/// Longest name, in bytes without its final dot (RFC 1035 §2.3.4).
const NAME_BYTES_MAX: usize = 253;
/// What Route 53 puts before the name of a load balancer that its console was asked for, and what leads to the same one.
const DUALSTACK: &str = "dualstack.";

/// A name in its one form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// Reads a name as Route 53, an operator or an object writes it. A name in another script is as DNS has it (`xn--…`).
    pub fn new(raw: &str) -> Name {
        let plain = unescaped(raw.strip_suffix('.').unwrap_or(raw));
        let ascii = if plain.is_ascii() { None } else { idna::domain_to_ascii(&plain).ok() };
        Name(ascii.unwrap_or(plain).to_ascii_lowercase().into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this zone's name, or below it: whole labels count.
    pub fn is_in(&self, zone: &Name) -> bool {
        let Some(start) = self.0.strip_suffix(zone.as_str()) else { return false };
        start.is_empty() || start.ends_with('.')
    }

    /// Why DNS could not have it, if it could not.
    pub fn fault(&self) -> Option<&'static str> {
        if self.0.len() > NAME_BYTES_MAX {
            return Some("is longer than 253 characters");
        }
        let mut labels = self.0.split('.');
        if labels.clone().any(str::is_empty) {
            return Some("has an empty label");
        }
        labels.any(|label| label.len() > LABEL_BYTES_MAX).then_some("has a label longer than 63 characters")
    }

    /// Whether both lead to the same load balancer.
    pub fn is_same_target(&self, other: &Name) -> bool {
        let plain = |name: &'_ Name| name.0.strip_prefix(DUALSTACK).unwrap_or(&name.0).to_owned();
        plain(self) == plain(other)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// With each `\ooo` as the character that it stands for.
fn unescaped(raw: &str) -> String {
    let mut plain = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let octal = (byte == b'\\').then(|| after.get(..3).and_then(octal)).flatten();
        plain.push(octal.unwrap_or(byte));
        rest = if octal.is_some() { &after[3..] } else { after };
    }
    String::from_utf8(plain).unwrap_or_else(|_| raw.to_owned())
}

fn octal(digits: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(digits).ok()?;
    if digits.starts_with('+') { None } else { u8::from_str_radix(digits, 8).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_however_it_is_written() {
        for (raw, plain) in [
            ("\\052.Example.com.", "*.example.com"),
            ("*.example.com", "*.example.com"),
            ("a\\055b.example.com.", "a-b.example.com"),
            ("bücher.example.com", "xn--bcher-kva.example.com"),
            ("a\\9.example.com", "a\\9.example.com"),
        ] {
            assert_eq!(Name::new(raw).as_str(), plain);
        }
    }

    #[test]
    fn a_name_is_in_a_zone_by_whole_labels() {
        let zone = Name::new("james.com.");
        assert!(Name::new("james.com").is_in(&zone) && Name::new("a.b.james.com").is_in(&zone));
        assert!(!Name::new("xjames.com").is_in(&zone) && !Name::new("com").is_in(&zone));
    }

    #[test]
    fn a_name_that_dns_could_not_have_says_why() {
        assert_eq!(Name::new("a.example.com").fault(), None);
        let label = "a".repeat(64);
        assert!(Name::new(&format!("{label}.com")).fault().is_some_and(|why| why.contains("63")));
        assert!(Name::new("a..com").fault().is_some());
        assert!(Name::new(&"a.".repeat(130)).fault().is_some_and(|why| why.contains("253")));
    }
}
