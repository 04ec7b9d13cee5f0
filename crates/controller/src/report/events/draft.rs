//! What an Event says of a problem.

use compile::reasons::{NO_CLASS, NO_ROUTES, PENDING_REFERENCE};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use model::{ObjectRef, Problem};

use crate::kinds::Kind;
use crate::report::config::ReportConfig;

/// The API server takes no longer note.
const NOTE_BYTES_MAX: usize = 1024;

/// The API server takes no longer name.
const NAME_BYTES_MAX: usize = 253;

/// Where Events about objects without a namespace are kept.
const CLUSTER_NAMESPACE: &str = "default";

/// An Event to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draft {
    pub(super) namespace: String,
    /// The same for the same problem of the same object on every replica, so that no two of them tell it twice.
    pub(super) name: String,
    regarding: ObjectReference,
    reason: String,
    note: String,
}

/// The reporter that Events name.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    controller: String,
    instance: String,
}

impl Reporter {
    pub(super) fn new(config: &ReportConfig) -> Reporter {
        Reporter { controller: config.reporting_controller.clone(), instance: config.identity.clone() }
    }

    /// The Event for a problem. None where there is no object that it could be shown with, or where another controller
    /// may serve the object and nothing be wrong, or that will most likely be over before it is read.
    pub(super) fn draft(&self, problem: &Problem, uid: Option<&str>) -> Option<Draft> {
        let Problem { object, reason, .. } = problem;
        if [NO_CLASS, NO_ROUTES, PENDING_REFERENCE].contains(reason) || object.name.is_empty() {
            return None;
        }
        let regarding = ObjectReference {
            api_version: Some(Kind::parse(&object.kind)?.api_version().into_owned()),
            kind: Some(object.kind.clone()),
            namespace: (!object.namespace.is_empty()).then(|| object.namespace.clone()),
            name: Some(object.name.clone()),
            uid: uid.map(str::to_owned),
            ..ObjectReference::default()
        };
        let namespace = regarding.namespace.clone().unwrap_or_else(|| CLUSTER_NAMESPACE.to_owned());
        Some(Draft {
            namespace,
            name: name(problem, uid),
            regarding,
            reason: camel_case(reason),
            note: note(problem),
        })
    }

    /// The Event as it is created.
    pub(super) fn event(&self, draft: &Draft, now: Timestamp) -> Event {
        let Draft { namespace, name, regarding, reason, note } = draft.clone();
        Event {
            metadata: ObjectMeta { namespace: Some(namespace), name: Some(name), ..ObjectMeta::default() },
            event_time: Some(MicroTime(now)),
            reporting_controller: Some(self.controller.clone()),
            reporting_instance: Some(self.instance.clone()),
            type_: Some("Warning".into()),
            action: Some("Compile".into()),
            reason: Some(reason),
            regarding: Some(regarding),
            note: Some(note),
            ..Event::default()
        }
    }
}

/// The object's name, and a number made of what is wrong with it. `kubectl describe` asks by UID, so that an object
/// that was made anew needs an Event of its own.
fn name(problem: &Problem, uid: Option<&str>) -> String {
    let Problem { object: ObjectRef { kind, name, .. }, field, reason, message, .. } = problem;
    let hash = format!(".{:016x}", fnv([kind, uid.unwrap_or_default(), reason, field, message]));
    let mut object: String = name.chars().map(|c| if is_name(c) { c } else { '-' }).collect();
    object.truncate(NAME_BYTES_MAX - hash.len());
    // A label of a name begins and ends with a letter or a digit.
    match object.trim_matches(['-', '.']) {
        "" => format!("object{hash}"),
        object => format!("{object}{hash}"),
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.'
}

/// FNV-1a: the same on every replica, whatever it was built with.
fn fnv(parts: [&str; 5]) -> u64 {
    // No text has the byte 0xff, so that what ends one part cannot begin the next.
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// `dangling-reference` becomes `DanglingReference`, as reasons of Events are written.
fn camel_case(reason: &str) -> String {
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .chain(chars.collect::<Vec<_>>())
            .collect::<String>()
    };
    reason.split('-').map(capital).collect()
}

fn note(problem: &Problem) -> String {
    let Problem { field, message, remedy, .. } = problem;
    let mut note = match field.is_empty() {
        true => message.clone(),
        false => format!("{field}: {message}"),
    };
    if !remedy.is_empty() {
        note = format!("{note}; {remedy}");
    }
    cut(note)
}

fn cut(mut note: String) -> String {
    const DOTS: &str = "…";
    if note.len() > NOTE_BYTES_MAX {
        note.truncate(note.floor_char_boundary(NOTE_BYTES_MAX - DOTS.len()));
        note += DOTS;
    }
    note
}

#[cfg(test)]
pub(super) mod tests {
    use compile::reasons;
    use model::Severity;

    use super::*;

    fn problem() -> Problem {
        Problem {
            object: ObjectRef::new("Ingress", "shop", "front"),
            field: "spec.rules[0]".into(),
            severity: Severity::Error,
            reason: reasons::DANGLING_REFERENCE,
            message: "names Service cart, which does not exist".into(),
            remedy: "create it".into(),
        }
    }

    fn draft(problem: &Problem, uid: Option<&str>) -> Option<Draft> {
        let reporter =
            Reporter { controller: "sluicegate.io/ingress-controller".into(), instance: "node-1".into() };
        reporter.draft(problem, uid)
    }

    pub(in crate::report) fn named_draft(name: &str) -> Draft {
        draft(&named(name), None).expect("an Event")
    }

    fn named(name: &str) -> Problem {
        Problem { object: ObjectRef::new("Ingress", "shop", name), ..problem() }
    }

    #[test]
    fn an_event_says_where_what_and_what_to_do() {
        let draft = draft(&problem(), Some("u-1")).expect("an Event");
        assert_eq!(draft.note, "spec.rules[0]: names Service cart, which does not exist; create it");
        assert_eq!((&*draft.namespace, &*draft.reason), ("shop", "DanglingReference"));
        assert_eq!(draft.regarding.api_version.as_deref(), Some("networking.k8s.io/v1"));
        assert_eq!(draft.regarding.uid.as_deref(), Some("u-1"));
        let whole = Problem { field: String::new(), remedy: String::new(), ..problem() };
        assert_eq!(note(&whole), "names Service cart, which does not exist");
    }

    #[test]
    fn a_problem_has_one_name_on_every_replica_and_another_problem_another_one() {
        // A literal: another version of this program must find the Events of this one.
        assert_eq!(name(&problem(), Some("u-1")), "front.46103039b1ac858f");
        let other = |change: fn(&mut Problem)| {
            let mut other = problem();
            change(&mut other);
            name(&other, Some("u-1"))
        };
        let names = [
            name(&problem(), Some("u-1")),
            name(&problem(), Some("u-2")),
            name(&problem(), None),
            other(|problem| problem.object.kind = "Service".into()),
            other(|problem| problem.reason = reasons::CONFLICT),
            other(|problem| problem.field = "spec.rules[1]".into()),
            other(|problem| problem.message.push('!')),
        ];
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), names.len());
        assert_eq!(other(|problem| problem.remedy.clear()), names[0], "a better remedy is no other problem");
    }

    #[test]
    fn the_name_of_an_event_is_valid_whatever_the_objects_name_is() {
        for object in
            ["front", "a.b-c.9", "Ünicode_Name", "-", "...", &"x".repeat(253), &"x.".repeat(126), "é"]
        {
            let name = name(&named(object), None);
            assert!(name.len() <= NAME_BYTES_MAX, "{name}");
            for label in name.split('.') {
                assert!(!label.is_empty() && !label.starts_with('-') && !label.ends_with('-'), "{name}");
                assert!(label.chars().all(is_name), "{name}");
            }
        }
    }

    #[test]
    fn a_long_note_is_cut_between_two_characters() {
        for (message, expected) in
            [("x".repeat(1024), 1024), ("x".repeat(1025), 1024), ("é".repeat(600), 1023)]
        {
            let note = cut(message);
            assert_eq!(note.len(), expected);
        }
        assert!(cut("é".repeat(600)).ends_with("é…"));
    }

    #[test]
    fn every_reason_becomes_a_camel_case_word() {
        for reason in reasons::ALL.iter().chain(crate::reasons::ALL.iter()) {
            let word = camel_case(reason);
            assert!(word.starts_with(|c: char| c.is_ascii_uppercase()) && word.len() <= 128, "{word}");
            assert!(word.chars().all(|c| c.is_ascii_alphabetic()), "{word}");
            let back = word.chars().fold(String::new(), |back, c| {
                let dash = if c.is_ascii_uppercase() && !back.is_empty() { "-" } else { "" };
                back + dash + &c.to_ascii_lowercase().to_string()
            });
            assert_eq!(back, *reason);
        }
    }

    #[test]
    fn what_has_no_object_or_perhaps_another_controller_gets_no_event() {
        assert_eq!(draft(&named(""), None), None);
        for reason in [reasons::NO_CLASS, reasons::NO_ROUTES, reasons::PENDING_REFERENCE] {
            assert_eq!(draft(&Problem { reason, ..problem() }, None), None);
        }
        assert_eq!(draft(&Problem { object: ObjectRef::new("Pod", "shop", "p"), ..problem() }, None), None);
    }

    #[test]
    fn an_object_without_namespace_has_its_events_in_default() {
        let class = Problem { object: ObjectRef::new("IngressClass", "", "public"), ..problem() };
        let draft = draft(&class, None).expect("an Event");
        assert_eq!((&*draft.namespace, draft.regarding.namespace), ("default", None));
    }
}
