//! One manifest: what it says, and what it last said that was good.
//!
//! A file that is being written passes through states that were never meant: empty, cut off, or complete up to a line
//! that already reads well. None of them may cost a route, so a change waits until it has settled, and what cannot be
//! read leaves the last good version in place.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Problem;

use super::object::{Place, Reading};
use super::parse::{self, MAX_FILE_BYTES, Parsed};
use super::walk::Stamp;
use crate::kinds::{Id, Object};
use crate::reasons;

/// A file that changed less than this ago may still be written, and the time stamps of some file systems do not tell
/// two changes within it apart.
const YOUNG: Duration = Duration::from_millis(10);

/// A file that changes all the time is taken after this long all the same.
const YOUNG_AT_MOST: Duration = Duration::from_millis(100);

/// A file that a program has open and has written to is not read before it is closed, or nothing was written to it for
/// this long.
const WRITE_PAUSE: Duration = Duration::from_secs(2);

/// A file that gave objects and is empty now is most likely about to be written; after this long it was meant.
const EMPTY_SETTLES: Duration = Duration::from_secs(1);

/// Editors and version control replace a file in two steps, between which it does not exist; a slice that takes the
/// place of another may be in a file of its own. As long as a deletion waits that a cluster tells of.
const GONE_SETTLES: Duration = Duration::from_millis(100);

/// A state that may not be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsettled {
    Young,
    Empty,
    Gone,
}

/// An object that a file gives, and where in it.
#[derive(Debug)]
pub(super) struct HeldObject {
    place: Place,
    pub(super) id: Id,
    pub(super) object: Object,
}

/// What is known of one manifest.
#[derive(Debug)]
pub(super) struct File {
    /// The path as problems name it.
    pub(super) name: Arc<str>,
    /// The objects it gives, in their order.
    pub(super) held: Vec<HeldObject>,
    pub(super) problems: Vec<Problem>,
    /// As it was when it was read; `None` if it must be read again in any case.
    stamp: Option<Stamp>,
    unsettled: Option<(Unsettled, Instant)>,
}

/// Whether a change was taken, or when to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Unchanged,
    Taken,
    Later(Instant),
}

impl File {
    pub(super) fn new(name: Arc<str>) -> File {
        File { name, held: Vec::new(), problems: Vec::new(), stamp: None, unsettled: None }
    }

    /// Whether the file does not exist, but may do so again in a moment.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.unsettled, Some((Unsettled::Gone, _)))
    }

    /// Takes what the file says, without regard to whether it is still being written. `age` is that of `stamp`.
    pub(super) fn look(&mut self, path: &Path, stamp: Stamp, age: Option<Duration>) {
        let parsed = self.parse(path);
        self.take(parsed);
        self.stamp = age.is_none_or(|age| age >= YOUNG).then_some(stamp);
    }

    /// Takes what the file says if it has changed and has settled. `age` is that of `stamp`; `written` is when a program
    /// that has the file open last wrote to it.
    pub(super) fn look_settled(
        &mut self,
        path: &Path,
        stamp: Stamp,
        age: Option<Duration>,
        written: Option<Instant>,
        now: Instant,
    ) -> Look {
        if self.stamp == Some(stamp) {
            self.unsettled = None;
            return Look::Unchanged;
        }
        if let Some(until) = written.map(|at| at + WRITE_PAUSE).filter(|until| *until > now) {
            return Look::Later(until);
        }
        let is_young = age.is_some_and(|age| age < YOUNG);
        if is_young && let Some(until) = self.settles(Unsettled::Young, YOUNG_AT_MOST, now) {
            return Look::Later(until.min(now + YOUNG));
        }
        let parsed = self.parse(path);
        if parsed.is_empty
            && !self.held.is_empty()
            && let Some(until) = self.settles(Unsettled::Empty, EMPTY_SETTLES, now)
        {
            return Look::Later(until);
        }
        self.take(parsed);
        self.unsettled = None;
        self.stamp = (!is_young).then_some(stamp);
        Look::Taken
    }

    /// Until when a file that is not there counts as still there; `None` once it is deleted.
    pub(super) fn look_gone(&mut self, now: Instant) -> Option<Instant> {
        self.stamp = None;
        self.settles(Unsettled::Gone, GONE_SETTLES, now)
    }

    /// When a state will have lasted long enough to be meant; `None` once it has.
    fn settles(&mut self, state: Unsettled, lasts: Duration, now: Instant) -> Option<Instant> {
        let since = match self.unsettled {
            Some((current, since)) if current == state => since,
            _ => now,
        };
        self.unsettled = Some((state, since));
        Some(since + lasts).filter(|until| *until > now)
    }

    /// Takes a text that is no file of a folder.
    pub(super) fn take_text(&mut self, text: impl io::Read) -> io::Result<()> {
        let parsed = self.parse_bytes(read(text)?);
        self.take(parsed);
        Ok(())
    }

    fn parse(&self, path: &Path) -> Parsed {
        match fs::File::open(path).and_then(read) {
            Ok(bytes) => self.parse_bytes(bytes),
            Err(error) => {
                let message = format!("it cannot be read: {error}");
                Parsed::broken(
                    &self.name,
                    reasons::UNREADABLE_FILE,
                    message,
                    "make it readable, or remove it",
                )
            }
        }
    }

    fn parse_bytes(&self, bytes: Vec<u8>) -> Parsed {
        if bytes.len() as u64 > MAX_FILE_BYTES {
            let message = format!("it is larger than {} MiB", MAX_FILE_BYTES / 1024 / 1024);
            return Parsed::broken(&self.name, reasons::LIMIT_EXCEEDED, message, "split the file");
        }
        parse::parse(&self.name, &bytes)
    }

    /// Replaces what the file gives, except where a part that cannot be read has a last good version.
    fn take(&mut self, parsed: Parsed) {
        self.problems.clear();
        if let Some(mut broken) = parsed.broken {
            if !self.held.is_empty() {
                broken.message.push_str(&still_served(self.held.len()));
                self.problems.push(broken);
                return;
            }
            self.problems.push(broken);
        }
        let mut last = std::mem::take(&mut self.held);
        let good: BTreeSet<Id> = parsed
            .readings
            .iter()
            .filter_map(|reading| reading.object.as_ref().ok())
            .map(Object::id)
            .collect();
        last.retain(|held| !good.contains(&held.id));
        for Reading { place, id, object } in parsed.readings {
            match object {
                Ok(object) => self.held.push(HeldObject { place, id: object.id(), object }),
                Err(mut problem) => {
                    let is_it = |held: &HeldObject| match &id {
                        Some(id) => held.id == *id,
                        None => held.place == place,
                    };
                    if let Some(found) = last.iter().position(is_it) {
                        problem.message.push_str(&still_served(1));
                        self.held.push(HeldObject { place, ..last.swap_remove(found) });
                    }
                    self.problems.push(problem);
                }
            }
        }
    }
}

fn still_served(objects: usize) -> String {
    match objects {
        1 => " (its last good version is still served)".into(),
        _ => format!(" (the {objects} objects it last gave are still served)"),
    }
}

/// Reads one byte more than the limit at most, so that the caller sees that there is more.
fn read(text: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    text.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
