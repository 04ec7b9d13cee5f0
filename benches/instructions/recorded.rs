//! The numbers that are committed, in `benches/instructions.toml`: what each row may cost.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Lines of comments and of `name = number`, which is TOML.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.toml");
/// How much more is still the same, in parts of a thousand: what the compiler and the hash seeds do.
const TOLERANCE: u64 = 20;

/// What was committed.
pub(crate) struct Recorded {
    file: PathBuf,
    text: String,
}

/// What a number is beside the committed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is none to compare with.
    New,
    /// As before, give or take.
    Same,
    /// Less: the file should say so, or half of a later rise goes unseen.
    Less,
    /// More than it may be.
    More,
}

impl Recorded {
    pub(crate) fn read() -> Result<Recorded> {
        let file = Path::new(FILE).to_owned();
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Recorded { file, text })
    }

    /// The number of this row.
    pub(crate) fn get(&self, name: &str) -> Option<u64> {
        self.text.lines().find_map(|line| number(line, name))
    }

    /// Puts another number into its line, or adds one, and writes the file.
    pub(crate) fn set(&mut self, name: &str, instructions: u64) -> Result<()> {
        self.text = with(&self.text, name, instructions);
        fs::write(&self.file, &self.text).with_context(|| format!("cannot write {}", self.file.display()))
    }
}

impl Verdict {
    pub(crate) fn of(instructions: u64, recorded: Option<u64>) -> Verdict {
        let Some(recorded) = recorded else { return Verdict::New };
        if instructions * 1000 > recorded * (1000 + TOLERANCE) {
            Verdict::More
        } else if instructions * 1000 < recorded * (1000 - TOLERANCE) {
            Verdict::Less
        } else {
            Verdict::Same
        }
    }
}

fn number(line: &str, name: &str) -> Option<u64> {
    let (key, value) = line.split_once('=')?;
    if key.trim() == name { value.trim().replace('_', "").parse().ok() } else { None }
}

fn with(text: &str, name: &str, instructions: u64) -> String {
    let (mut next, mut is_new) = (String::new(), true);
    for line in text.lines() {
        if number(line, name).is_some() {
            is_new = false;
            let _ = writeln!(next, "{name} = {instructions}");
        } else {
            let _ = writeln!(next, "{line}");
        }
    }
    if is_new {
        let _ = writeln!(next, "{name} = {instructions}");
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_rise_of_more_than_two_per_cent_is_more() {
        let verdicts = [979, 980, 1000, 1020, 1021].map(|number| Verdict::of(number, Some(1000)));
        assert_eq!(verdicts, [Verdict::Less, Verdict::Same, Verdict::Same, Verdict::Same, Verdict::More]);
        assert_eq!(Verdict::of(1, None), Verdict::New);
    }

    #[test]
    fn a_number_is_replaced_in_its_line_and_the_rest_of_the_file_stays() {
        let text = "# keepalive = 7\nkeepalive = 41_000\ntls = 9\n";
        assert_eq!(number("keepalive = 41_000", "keepalive"), Some(41_000));
        assert_eq!(with(text, "keepalive", 5), "# keepalive = 7\nkeepalive = 5\ntls = 9\n");
        assert_eq!(with(text, "new", 5), format!("{text}new = 5\n"));
    }

    #[test]
    fn each_number_in_the_file_that_is_committed_is_that_of_a_row() {
        let (recorded, names) = (Recorded::read().unwrap(), crate::row::Row::names());
        for line in recorded.text.lines().filter(|line| !line.starts_with('#')) {
            assert!(names.iter().any(|name| number(line, name).is_some()), "{line}");
        }
    }
}
