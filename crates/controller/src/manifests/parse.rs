//! The bytes of a manifest and the objects in it.

use model::{ObjectRef, Problem, Severity};
use serde_json::Value;

use super::object::{Found, Reading};
use crate::reasons;

/// A file larger than this is refused. A list of 10 000 Ingresses takes about 8 MiB.
pub(super) const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// More documents in one file than this are refused.
const MAX_DOCUMENTS: usize = 10_000;

/// Deeper nesting is refused: Kubernetes objects stay below 20, and each level takes stack.
const MAX_DEPTH: usize = 64;

/// More scalars, maps and sequences in one document are refused: a list of 10 000 Ingresses has about a million.
const MAX_NODES: usize = 2_000_000;

/// More that aliases stand for is refused, so that a few lines cannot grow into gigabytes.
const MAX_ALIASED_EVENTS: usize = 100_000;

/// What a file said.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) readings: Vec<Reading>,
    /// Set if the file could not be read to its end: what it would have said beyond is unknown.
    pub(super) broken: Option<Problem>,
    /// Whether there was nothing but white space and comments.
    pub(super) is_empty: bool,
}

impl Parsed {
    /// A file of which nothing is known, for this reason.
    pub(super) fn broken(file: &str, reason: &'static str, message: String, remedy: &str) -> Parsed {
        Parsed { broken: Some(file_problem(file, reason, message, remedy)), ..Parsed::default() }
    }
}

/// Parses a manifest; one that is named `.json` as a sequence of JSON values, any other as YAML documents.
pub(super) fn parse(file: &str, bytes: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    let mut documents = match file.ends_with(".json") {
        true => json(bytes),
        false => yaml(bytes),
    };
    if documents.len() > MAX_DOCUMENTS {
        let message = format!("it has more than {MAX_DOCUMENTS} documents");
        return Parsed::broken(file, reasons::LIMIT_EXCEEDED, message, "split the file");
    }
    parsed.is_empty = documents.is_empty();
    // The parsers go on after an error if they can. If nothing follows one, it may hide more documents.
    if let Some(Err(last)) = documents.pop_if(|last| last.is_err()) {
        parsed.broken = Some(syntax_problem(file, last));
    }
    for (number, document) in documents.into_iter().enumerate() {
        let place = vec![number];
        match document {
            Ok(value) => {
                Found { file, place, prefix: String::new() }.read(value, &mut parsed.readings);
            }
            Err(message) => {
                let object = Err(syntax_problem(file, message));
                parsed.readings.push(Reading { place, id: None, object });
            }
        }
    }
    parsed
}

type Documents = Vec<Result<Value, String>>;

fn yaml(mut bytes: &[u8]) -> Documents {
    let options = serde_saphyr::options! {
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(MAX_FILE_BYTES as usize),
            max_documents: MAX_DOCUMENTS + 1,
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_ALIASED_EVENTS },
    };
    serde_saphyr::read_with_options(&mut bytes, options)
        .take(MAX_DOCUMENTS + 1)
        .map(|document| document.map_err(|error| error.to_string()))
        .collect()
}

fn json(bytes: &[u8]) -> Documents {
    serde_json::Deserializer::from_slice(bytes)
        .into_iter::<Value>()
        .take(MAX_DOCUMENTS + 1)
        .map(|document| document.map_err(|error| error.to_string()))
        .collect()
}

fn syntax_problem(file: &str, message: String) -> Problem {
    file_problem(file, reasons::INVALID_SYNTAX, message, "correct the file's syntax")
}

/// A problem of a file as a whole.
pub(super) fn file_problem(file: &str, reason: &'static str, message: String, remedy: &str) -> Problem {
    let (object, field) = (ObjectRef::file(file), String::new());
    Problem { object, field, severity: Severity::Error, reason, message, remedy: remedy.into() }
}
