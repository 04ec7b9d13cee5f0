//! What annotations ask for. Each dialect is a table of its words; all of them fill one [`RouteSettings`], from which
//! [`policy::build`](crate::policy::build) makes what applies to a route, whichever dialect asked for it.
//!
//! To add an annotation: a reader in the file of its theme, and a row in the table of each dialect that has a word for it.

mod access;
mod affinity;
mod allowed;
mod auth;
mod backend;
mod blocked;
mod canary;
mod client_tls;
mod compress;
mod config_map;
mod cors;
mod custom_headers;
mod edge;
mod effect;
mod endpoint;
mod feed;
mod frontend;
mod headers;
mod hsts;
mod limit;
mod log;
mod nginx;
mod own;
mod pages;
mod prefix;
mod redirect;
mod retry;
mod rewrite;
mod size;
mod snippet;
mod tcp_services;
mod time;
mod upstream_fields;

use std::collections::BTreeMap;
use std::ops::Bound;

use k8s_openapi::api::networking::v1::Ingress;
use model::ObjectRef;

pub(crate) use allowed::{Allowed, too_risky};
pub(crate) use auth::field as sent_field;
pub(crate) use custom_headers::{Dollar, of_config_map as fields_of_config_map};
pub use effect::{Effect, effect_of};
pub(crate) use prefix::under_usual_prefix;
pub(crate) use snippet::HostSnippet;

use crate::policy::RouteSettings;
use crate::problems::{Fault, Problems};
use crate::reasons;

/// All dialects, the weakest first: they are read in this order, so that where two say the same thing the later one counts.
const DIALECTS: [Dialect; 3] = [feed::DIALECT, nginx::DIALECT, own::DIALECT];

/// A controller's words.
struct Dialect {
    /// What its annotations begin with.
    prefix: &'static str,
    /// Its words without that, and what reads each. They are read in this order: of two words for the same thing the later
    /// one counts.
    rows: &'static [(&'static str, Reader)],
    /// What reads all other words.
    other: Reader,
}

/// Reads an annotation into the settings, or says what is wrong with it. With a fault that [denies](Fault::denies) the
/// object's routes are refused, and a setting of another dialect does not change that.
type Reader = fn(&Annotation<'_>, &mut RouteSettings) -> Result<(), Vec<Fault>>;

/// An annotation and where it was found.
struct Annotation<'a> {
    /// With its prefix.
    name: &'a str,
    value: &'a str,
    /// The namespace of the object.
    namespace: &'a str,
}

impl Annotation<'_> {
    /// Its place in the object.
    fn field(&self) -> String {
        format!("metadata.annotations[{}]", self.name)
    }
}

/// Most characters of a value that are shown where it may have many: a problem becomes a line of the log and an Event.
const SHOWN_MAX: usize = 80;

/// Most faults that are told of one object's annotations: more than are shown of an object in the end, and few enough that
/// thousands of unknown words, which take 20 bytes each and a fault of them a thousand, are no way to use up memory. What denies
/// is told in any case.
const TOLD_MAX: usize = 200;

/// A part of a value as it is told, in one line and quotation marks.
pub(crate) fn shown(part: &str) -> String {
    match part.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{:?}…", &part[..end]),
        None => format!("{part:?}"),
    }
}

/// Where words of a dialect stand in an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Annotations,
    ConfigMap,
}

impl Place {
    /// The field of the object.
    fn field(self, annotation: &Annotation<'_>) -> String {
        match self {
            Place::Annotations => annotation.field(),
            Place::ConfigMap => format!("data[{}]", annotation.name),
        }
    }

    /// The fault in words for what stands here.
    fn told(self, fault: Fault) -> Fault {
        match self {
            Place::Annotations => fault,
            Place::ConfigMap => config_map::told(fault),
        }
    }
}

/// Reads all annotations of an object into the settings, as far as they are allowed.
pub(crate) fn read(
    object: &ObjectRef,
    annotations: Option<&BTreeMap<String, String>>,
    settings: &mut RouteSettings,
    problems: &mut Problems,
) {
    if let Some(annotations) = annotations {
        read_by(&DIALECTS, Place::Annotations, object, annotations, settings, problems);
    }
}

/// Reads the data of ingress-nginx' ConfigMap into the settings that hold where an Ingress says nothing.
pub(crate) fn read_config_map(
    object: &ObjectRef,
    data: &BTreeMap<String, String>,
    settings: &mut RouteSettings,
    problems: &mut Problems,
) {
    settings.allowed = Allowed::of_config_map(data);
    let said = data.iter().filter(|(_, value)| !value.trim().is_empty());
    let said = said.map(|(key, value)| (key.clone(), value.clone())).collect();
    read_by(&[config_map::DIALECT], Place::ConfigMap, object, &said, settings, problems);
}

/// Whether an Ingress has any annotation of ingress-nginx.
pub(crate) fn are_of_ingress_nginx(ingress: &Ingress) -> bool {
    let annotations = ingress.metadata.annotations.as_ref();
    annotations.is_some_and(|annotations| nginx::DIALECT.asked(annotations).next().is_some())
}

/// A value that cannot be read; what holds where nothing is said goes on.
fn no_effect(annotation: &Annotation<'_>, remedy: impl Into<String>) -> Vec<Fault> {
    let message = format!("{} cannot be {}; it has no effect", annotation.name, shown(annotation.value));
    Fault::error(reasons::INVALID_ANNOTATION, message, remedy).into()
}

/// A boolean as ingress-nginx reads it (Go's `strconv.ParseBool`).
fn boolean(annotation: &Annotation<'_>) -> Result<bool, Vec<Fault>> {
    match annotation.value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(no_effect(annotation, "write \"true\" or \"false\"")),
    }
}

/// A text without spaces around it, of the characters that ingress-nginx takes in names and plain values.
fn plain<'a>(annotation: &Annotation<'a>) -> Result<&'a str, Vec<Fault>> {
    let text = annotation.value.trim();
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/:".contains(&b);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return Ok(text);
    }
    Err(no_effect(annotation, "write letters, digits and -, ., _, ~, /, : only"))
}

fn read_by(
    dialects: &[Dialect],
    place: Place,
    object: &ObjectRef,
    annotations: &BTreeMap<String, String>,
    settings: &mut RouteSettings,
    problems: &mut Problems,
) {
    let mut left = TOLD_MAX;
    for dialect in dialects {
        for (read, name, value) in dialect.asked(annotations) {
            let annotation = Annotation { name, value, namespace: &object.namespace };
            let is_ignored = place == Place::Annotations && !settings.allowed.reads(name);
            let read = if is_ignored { snippet::ignored } else { read };
            for fault in read(&annotation, settings).err().into_iter().flatten() {
                settings.denied |= fault.denies();
                settings.left_out |= fault.leaves_out();
                if left > 0 || fault.denies() || fault.leaves_out() {
                    problems.add(object.clone(), place.field(&annotation), place.told(fault));
                    left = left.saturating_sub(1);
                }
            }
        }
    }
}

impl Dialect {
    /// The annotations of this dialect in the order of its table, each with its reader.
    fn asked<'a>(
        &self,
        annotations: &'a BTreeMap<String, String>,
    ) -> impl Iterator<Item = (Reader, &'a str, &'a str)> {
        let mut asked: Vec<_> = annotations
            .range::<str, _>((Bound::Included(self.prefix), Bound::Unbounded))
            .map_while(|(name, value)| {
                let word = name.strip_prefix(self.prefix)?;
                let place = self.rows.iter().position(|(known, _)| *known == word);
                Some((place.unwrap_or(self.rows.len()), &**name, &**value))
            })
            .collect();
        asked.sort();
        let (rows, other) = (self.rows, self.other);
        let reader = move |place: usize| rows.get(place).map_or(other, |(_, reader)| *reader);
        asked.into_iter().map(move |(place, name, value)| (reader(place), name, value))
    }
}

#[cfg(test)]
mod tests;
