//! The table: what each library has lost, of how many, in each mode, through each proxy.

use crate::Mode;
use crate::library::{Installed, Tally};
use crate::proxy::Kind;

/// What came of one run of one library.
pub(crate) struct Outcome {
    pub(crate) kind: Kind,
    pub(crate) mode: Mode,
    pub(crate) tally: Result<Tally, String>,
}

/// One library.
pub(crate) struct Row {
    pub(crate) library: Result<Installed, (&'static str, String)>,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Row {
    pub(crate) fn new(library: Result<Installed, (&'static str, String)>) -> Row {
        Row { library, outcomes: Vec::new() }
    }

    fn outcome(&self, kind: Kind, mode: Mode) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.kind == kind && outcome.mode == mode)
    }

    /// Whether a request was lost, or the run has failed.
    pub(crate) fn has_lost(&self, kind: Kind, mode: Mode) -> bool {
        self.outcome(kind, mode)
            .is_some_and(|outcome| !matches!(&outcome.tally, Ok(tally) if tally.lost == 0))
    }

    fn version(&self) -> &str {
        let tallies = self.outcomes.iter().filter_map(|outcome| outcome.tally.as_ref().ok());
        tallies.map(|tally| &*tally.version).find(|version| !version.is_empty()).unwrap_or_default()
    }
}

/// To standard output, as Markdown; then why.
pub(crate) fn print(kinds: &[Kind], modes: &[Mode], rows: &[Row]) {
    let columns = || kinds.iter().flat_map(|kind| modes.iter().map(move |mode| (*kind, *mode)));
    let names: String = columns().map(|(kind, mode)| format!(" {kind}, {mode} |")).collect();
    println!("| lost of requests |{names}\n|---|{}", "---|".repeat(columns().count()));
    for row in rows {
        match &row.library {
            Err((name, why)) => println!("| {name} | not run: {why} |"),
            Ok(library) => {
                let cells: String = columns().map(|(kind, mode)| cell(row.outcome(kind, mode))).collect();
                println!("| {} {} |{cells}", library.name, row.version());
            }
        }
    }
    for row in rows {
        let Ok(library) = &row.library else { continue };
        for Outcome { kind, mode, tally } in &row.outcomes {
            match tally {
                Err(why) => println!("{}, {kind}, {mode}: {why}", library.name),
                Ok(tally) => {
                    for (why, often) in &tally.why {
                        println!("{}, {kind}, {mode}: {often} × {why}", library.name);
                    }
                }
            }
        }
    }
}

fn cell(outcome: Option<&Outcome>) -> String {
    match outcome.map(|outcome| &outcome.tally) {
        None => " |".to_owned(),
        Some(Err(_)) => " failed |".to_owned(),
        Some(Ok(tally)) => format!(" {} of {} |", tally.lost, tally.requests),
    }
}
