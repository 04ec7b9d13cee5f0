//! Regular expressions, bounded in size and matched in a time that grows no faster than what is matched.
//!
//! No source asks for one yet: tables of tests do.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use regex::bytes::{Captures as Groups, Regex, RegexBuilder};

/// Longest pattern accepted, in bytes. A path in a rule is rarely longer than a hundred.
const PATTERN_BYTES_MAX: usize = 1024;
/// Most that a compiled pattern may take, in bytes: one that counts a class up to some hundreds of times (`[a-z]{1,63}`)
/// stays far below. It bounds the time of a look, too, which is at worst the size of the program for each byte of the path.
const PROGRAM_BYTES_MAX: usize = 64 * 1024;
/// Most that each thread remembers of what a pattern has met, in bytes. With less it matches more slowly.
const CACHE_BYTES_MAX: usize = 64 * 1024;
/// How deep groups may stand in each other.
const NESTING_MAX: u32 = 32;

/// Why a pattern was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// It is longer than 1024 bytes.
    TooLong,
    /// Its program would be too large.
    TooLarge,
    /// A byte that no path in normal form has: it must be percent-encoded.
    Byte,
    /// It is no regular expression, or uses what takes more than linear time (back references, look-around).
    Syntax(String),
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PatternError::TooLong => write!(f, "the pattern is longer than {PATTERN_BYTES_MAX} bytes"),
            PatternError::TooLarge => f.write_str("the pattern is too large when it is compiled"),
            PatternError::Byte => {
                f.write_str("the pattern has a space or a byte that is not ASCII, which paths have as %XX")
            }
            PatternError::Syntax(why) => write!(f, "the pattern is no regular expression: {why}"),
        }
    }
}

impl std::error::Error for PatternError {}

/// A regular expression over bytes: classes as `\w` mean ASCII. Two are equal if they are written equally.
#[derive(Clone)]
pub struct Pattern(Arc<Compiled>);

struct Compiled {
    /// What the operator wrote.
    written: Box<str>,
    /// The whole of it, with our anchor and flags.
    regex: Regex,
}

impl Pattern {
    /// A pattern for paths: it must match from their beginning, and need not reach their end.
    ///
    /// # Errors
    /// Refuses what is too large, what is no regular expression, and what no path could match.
    pub fn of_path(written: &str, ignore_case: bool) -> Result<Pattern, PatternError> {
        if written.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(PatternError::Byte);
        }
        // By itself it must be whole: else `a)|(b` would be one here, and not anchored.
        compile(written)?;
        let case = if ignore_case { "(?i)" } else { "" };
        Pattern::new(written, &format!("{case}^(?:{written})"))
    }

    /// A pattern for values of fields: it may match anywhere in them.
    ///
    /// # Errors
    /// Refuses what is too large and what is no regular expression.
    pub fn of_value(written: &str) -> Result<Pattern, PatternError> {
        Pattern::new(written, written)
    }

    fn new(written: &str, expression: &str) -> Result<Pattern, PatternError> {
        Ok(Pattern(Arc::new(Compiled { regex: compile(expression)?, written: written.into() })))
    }

    /// Whether it matches.
    pub fn matches(&self, text: &str) -> bool {
        self.0.regex.is_match(text.as_bytes())
    }

    /// The groups of its match.
    pub fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        let groups = self.0.regex.captures(text.as_bytes())?;
        Some(Captures { text, groups })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0.written
    }

    /// All that tells it from another.
    fn expression(&self) -> &str {
        self.0.regex.as_str()
    }
}

fn compile(expression: &str) -> Result<Regex, PatternError> {
    // What we put around it is a few bytes.
    if expression.len() > PATTERN_BYTES_MAX + 16 {
        return Err(PatternError::TooLong);
    }
    let built = RegexBuilder::new(expression)
        .unicode(false)
        .size_limit(PROGRAM_BYTES_MAX)
        .dfa_size_limit(CACHE_BYTES_MAX)
        .nest_limit(NESTING_MAX)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => PatternError::TooLarge,
        // Its last line says what is wrong; those before it draw where.
        other => PatternError::Syntax(other.to_string().lines().last().unwrap_or_default().into()),
    })
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.expression() == other.expression()
    }
}

impl Eq for Pattern {}

impl PartialOrd for Pattern {
    fn partial_cmp(&self, other: &Pattern) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pattern {
    fn cmp(&self, other: &Pattern) -> Ordering {
        self.expression().cmp(other.expression())
    }
}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expression().hash(state);
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.expression()).finish()
    }
}

/// The groups of a match.
#[derive(Debug)]
pub struct Captures<'t> {
    text: &'t str,
    groups: Groups<'t>,
}

impl<'t> Captures<'t> {
    /// What a group has matched; 0 is the whole match. None if there is no such group, or it had no part in the match.
    pub fn get(&self, group: usize) -> Option<&'t str> {
        self.text.get(self.groups.get(group)?.range())
    }

    /// What the group of this name has matched.
    pub fn name(&self, group: &str) -> Option<&'t str> {
        self.text.get(self.groups.name(group)?.range())
    }

    /// Where the whole match lies.
    pub fn range(&self) -> Range<usize> {
        self.groups.get_match().range()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(written: &str) -> Pattern {
        Pattern::of_path(written, false).unwrap_or_else(|error| panic!("{written}: {error}"))
    }

    #[test]
    fn a_pattern_of_paths_matches_from_their_beginning_and_need_not_reach_their_end() {
        for (written, matching, other) in [
            ("/a", "/a/b", "/x/a"),
            ("^/a$", "/a", "/a/"),
            ("/a|/b", "/b", "/x/b"),
            ("/api/v[0-9]+/", "/api/v12/x", "/api/vx/"),
            ("/[^/]+/b$", "/a/b", "/a/a/b"),
        ] {
            assert!(path(written).matches(matching) && !path(written).matches(other), "{written}");
        }
    }

    #[test]
    fn case_counts_unless_it_is_to_be_ignored() {
        assert!(!path("/Api").matches("/aPI"));
        let ignoring = Pattern::of_path("/Api", true).expect("a pattern");
        assert!(ignoring.matches("/aPI"));
        assert_ne!(ignoring, path("/Api"));
        assert_eq!((ignoring.as_str(), path("/Api")), ("/Api", path("/Api")));
    }

    #[test]
    fn the_groups_of_a_match_are_known() {
        let pattern = path("/(?P<first>[^/]+)(/|$)(.*)|/");
        let captures = pattern.captures("/shop/cart/1").expect("a match");
        assert_eq!([0, 1, 3].map(|group| captures.get(group)), ["/shop/cart/1", "shop", "cart/1"].map(Some));
        assert_eq!((captures.name("first"), captures.get(4), captures.range()), (Some("shop"), None, 0..12));
        assert_eq!(pattern.captures("/").expect("a match").get(1), None);
        assert!(pattern.captures("x").is_none());
    }

    #[test]
    fn a_pattern_of_values_may_match_anywhere() {
        let pattern = Pattern::of_value("v[12]\\b").expect("a pattern");
        assert!(pattern.matches("\u{e9} v2") && !pattern.matches("v23"));
    }

    #[test]
    fn what_is_too_large_or_no_pattern_is_refused() {
        let refused = |written: &str| Pattern::of_path(written, false).expect_err(written);
        assert_eq!(refused(&format!("/{}", "a".repeat(2000))), PatternError::TooLong);
        assert_eq!(refused("/(([a-z]{100}){100}){100}"), PatternError::TooLarge);
        assert_eq!(refused("/caf\u{e9}"), PatternError::Byte);
        for written in ["/a)|(/b", "/(a", "/(a)\\1", "/(?=a)", "/(?!a)", "/[", "/a{2,1}"] {
            assert!(matches!(refused(written), PatternError::Syntax(_)), "{written}");
        }
        assert!(matches!(refused(&"(".repeat(100)), PatternError::Syntax(_)));
    }

    #[test]
    fn the_patterns_of_usual_rules_are_small_enough() {
        for written in [
            "/something(/|$)(.*)",
            "/(?:[a-z0-9-]{1,63})/(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/(.*)",
            "/(en|de|fr)/[\\w.%+-]{1,255}\\.(?:html|json|css|js|png|jpe?g|gif|svg|woff2?)$",
        ] {
            assert!(Pattern::of_path(written, true).is_ok(), "{written}");
        }
    }
}
