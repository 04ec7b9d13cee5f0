//! Regular expressions, bounded in size and matched in a time that grows no faster than what is matched.

#[cfg(test)]
mod tests;

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
/// The first size that is tried for a program; it is doubled until it is enough. Most take less.
const PROGRAM_BYTES_MIN: usize = 2 * 1024;
/// Least of what each thread may remember of what a pattern has met, in bytes: as much as its program takes, which is enough
/// for those that are not made to need more. With less it matches more slowly.
const CACHE_BYTES_MIN: usize = 16 * 1024;
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
    expression: Box<str>,
    /// What each match begins with, in whatever case: most of a host's patterns are passed over by it.
    prefix: Box<str>,
    /// What finds out the rest; nothing where there is no more to it.
    program: Option<Program>,
}

struct Program {
    regex: Regex,
    /// What it takes at most, in bytes.
    size: usize,
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
        if written.len() > PATTERN_BYTES_MAX {
            return Err(PatternError::TooLong);
        }
        compile(written)?;
        let case = if ignore_case { "(?i)" } else { "" };
        Pattern::new(written, format!("{case}^(?:{written})"), "", false)
    }

    /// A pattern as ingress-nginx makes one of a path (`location ~* "^PATH"`): it ignores case and begins where the path
    /// does; of several alternatives, which no group holds together, that is said of the first alone. It is asked in the place
    /// that `written` has in the order of patterns.
    ///
    /// # Errors
    /// Refuses what is too large and what is no regular expression.
    pub fn of_location(written: &str, path: &str) -> Result<Pattern, PatternError> {
        let prefix = if path.contains('|') { "" } else { literal_prefix(path) };
        Pattern::new(written, format!("(?i)^{path}"), prefix, prefix == path)
    }

    /// A pattern for values of fields: it may match anywhere in them.
    ///
    /// # Errors
    /// Refuses what is too large and what is no regular expression.
    pub fn of_value(written: &str) -> Result<Pattern, PatternError> {
        Pattern::new(written, written.into(), "", false)
    }

    fn new(
        written: &str,
        expression: String,
        prefix: &str,
        is_prefix: bool,
    ) -> Result<Pattern, PatternError> {
        // What we put around it is a few bytes.
        if expression.len() > PATTERN_BYTES_MAX + 16 {
            return Err(PatternError::TooLong);
        }
        let program = if is_prefix { None } else { Some(compile(&expression)?) };
        let (written, prefix, expression) = (written.into(), prefix.into(), expression.into());
        Ok(Pattern(Arc::new(Compiled { written, expression, prefix, program })))
    }

    /// Whether it matches.
    pub fn matches(&self, text: impl AsRef<[u8]>) -> bool {
        let text = text.as_ref();
        let program = || self.0.program.as_ref();
        self.may_match(text) && program().is_none_or(|program| program.regex.is_match(text))
    }

    /// Whether what it begins with is there; costs next to nothing.
    pub(crate) fn may_match(&self, text: &[u8]) -> bool {
        let prefix = self.0.prefix.as_bytes();
        text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    }

    /// How much it takes at worst to look at so many bytes, beyond what [`may_match`](Pattern::may_match) does.
    pub(crate) fn work(&self, bytes: usize) -> usize {
        self.size().saturating_mul(bytes)
    }

    /// What its program takes at most, in bytes; nothing where it needs none.
    pub fn size(&self) -> usize {
        self.0.program.as_ref().map_or(0, |program| program.size)
    }

    /// Whether it has a group of this name.
    pub fn has_group(&self, name: &str) -> bool {
        let names = self.0.program.iter().flat_map(|program| program.regex.capture_names());
        names.flatten().any(|one| one == name)
    }

    /// The groups of its match; none, too, of one that has no groups and needs no program.
    pub fn captures<'t>(&self, text: &'t [u8]) -> Option<Captures<'t>> {
        Some(Captures { groups: self.0.program.as_ref()?.regex.captures(text)? })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0.written
    }

    /// All that tells it from another.
    fn expression(&self) -> &str {
        &self.0.expression
    }
}

/// A program and the size that is enough for it.
fn compile(expression: &str) -> Result<Program, PatternError> {
    let mut size = PROGRAM_BYTES_MIN;
    while size <= PROGRAM_BYTES_MAX {
        let built = RegexBuilder::new(expression)
            .unicode(false)
            .size_limit(size)
            .dfa_size_limit(size.max(CACHE_BYTES_MIN))
            .nest_limit(NESTING_MAX)
            .build();
        match built {
            Ok(regex) => return Ok(Program { regex, size }),
            Err(regex::Error::CompiledTooBig(_)) => size *= 2,
            // Its last line says what is wrong; those before it draw where.
            Err(other) => {
                let why = other.to_string();
                return Err(PatternError::Syntax(why.lines().last().unwrap_or_default().into()));
            }
        }
    }
    Err(PatternError::TooLarge)
}

/// What stands before the first character that means something. One that a count follows may not be there.
fn literal_prefix(path: &str) -> &str {
    let end = path.find(['\\', '.', '[', ']', '(', ')', '{', '}', '*', '+', '?', '^', '$']);
    let Some(end) = end else { return path };
    let counts = path[end..].starts_with(['*', '?', '{', '+']);
    let before = if counts { path[..end].char_indices().next_back().map_or(0, |(at, _)| at) } else { end };
    &path[..before]
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
    groups: Groups<'t>,
}

impl<'t> Captures<'t> {
    /// What a group has matched; 0 is the whole match. None if there is no such group, or it had no part in the match.
    pub fn get(&self, group: usize) -> Option<&'t [u8]> {
        Some(self.groups.get(group)?.as_bytes())
    }

    /// What the group of this name has matched.
    pub fn name(&self, group: &str) -> Option<&'t [u8]> {
        Some(self.groups.name(group)?.as_bytes())
    }

    /// Where the whole match lies.
    pub fn range(&self) -> Range<usize> {
        self.groups.get_match().range()
    }
}
