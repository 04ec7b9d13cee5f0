//! One value of a manifest and what object it is.

use model::{ObjectRef, Problem, Severity};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::kinds::{Id, Kind, Object};
use crate::reasons;

/// The namespace of an object that names none, as with `kubectl`.
const DEFAULT_NAMESPACE: &str = "default";

/// Where in its file an object stands: the document, and the item for each list it is in.
pub(super) type Place = Vec<usize>;

/// An object, or why it is none.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) place: Place,
    /// As far as it could be made out.
    pub(super) id: Option<Id>,
    pub(super) object: Result<Object, Problem>,
}

/// A value and where it was found.
pub(super) struct Found<'a> {
    pub(super) file: &'a str,
    pub(super) place: Place,
    /// The path of the value in its document: empty, or `items[3].`
    pub(super) prefix: String,
}

impl Found<'_> {
    /// Reads the objects of a value: one, those of a list, or none if the value is of a kind that is not ours.
    pub(super) fn read(&self, value: Value, into: &mut Vec<Reading>) {
        let (Some(kind), Some(api_version)) = (text(&value, "/kind"), text(&value, "/apiVersion")) else {
            return into.push(self.not_an_object());
        };
        let (kind, api_version) = (kind.to_owned(), api_version.to_owned());
        if let Some(item_kind) = kind.strip_suffix("List")
            && (item_kind.is_empty() || Kind::parse(item_kind).is_some())
        {
            return self.read_list(value, item_kind, &api_version, into);
        }
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        match Kind::parse(&kind) {
            Some(kind) if api_version == kind.api_version() => into.push(self.read_object(kind, value)),
            Some(kind) if Kind::has_group(group) => {
                into.push(self.wrong_version(kind, &value, &api_version));
            }
            _ => tracing::debug!(file = self.file, kind, api_version, "ignored: not a kind that routes need"),
        }
    }

    /// The items of `kind: List` name their kind; those of `kind: IngressList` need not.
    fn read_list(&self, mut list: Value, item_kind: &str, api_version: &str, into: &mut Vec<Reading>) {
        let Some(Value::Array(items)) = list.get_mut("items").map(Value::take) else {
            return;
        };
        for (number, mut item) in items.into_iter().enumerate() {
            if let Value::Object(fields) = &mut item
                && !item_kind.is_empty()
            {
                fields.entry("kind").or_insert_with(|| item_kind.into());
                fields.entry("apiVersion").or_insert_with(|| api_version.into());
            }
            let place = self.place.iter().copied().chain([number]).collect();
            let prefix = format!("{}items[{number}].", self.prefix);
            Found { file: self.file, place, prefix }.read(item, into);
        }
    }

    fn read_object(&self, kind: Kind, mut value: Value) -> Reading {
        set_namespace(kind, &mut value);
        let (id, named) = (id(kind, &value), self.object_ref(kind, &value));
        let object = match kind.read_manifest(value) {
            Ok(_) if id.is_none() => {
                let remedy = "give it a name that no other object of its kind and namespace has";
                Err(self.problem(
                    named,
                    "metadata.name",
                    reasons::MISSING_NAME,
                    "the object has no name",
                    remedy,
                ))
            }
            Ok(object) => Ok(object),
            Err(Wrong { field, message, remedy }) => {
                let defined =
                    || format!("write the field as {} {} defines it", kind.api_version(), kind.as_str());
                let remedy = remedy.map_or_else(defined, str::to_owned);
                Err(self.problem(named, &field, reasons::INVALID_VALUE, &message, &remedy))
            }
        };
        Reading { place: self.place.clone(), id, object }
    }

    fn wrong_version(&self, kind: Kind, value: &Value, api_version: &str) -> Reading {
        let message = format!("{api_version} {} is not read", kind.as_str());
        let remedy = format!("write it as {}", kind.api_version());
        let object = self.object_ref(kind, value);
        let problem = self.problem(object, "apiVersion", reasons::UNSUPPORTED_VERSION, &message, &remedy);
        Reading { place: self.place.clone(), id: id(kind, value), object: Err(problem) }
    }

    fn not_an_object(&self) -> Reading {
        let number = self.place.first().map_or(1, |document| document + 1);
        let message =
            format!("document {number} is not a Kubernetes object: it has no apiVersion or no kind");
        let remedy = "set both, or move the file out of the folder";
        let problem = self.problem(ObjectRef::file(self.file), "", reasons::NOT_AN_OBJECT, &message, remedy);
        Reading { place: self.place.clone(), id: None, object: Err(problem) }
    }

    fn object_ref(&self, kind: Kind, value: &Value) -> ObjectRef {
        let namespace =
            text(value, "/metadata/namespace").filter(|_| kind.is_namespaced()).unwrap_or_default();
        let name = text(value, "/metadata/name").unwrap_or_default();
        ObjectRef { file: Some(self.file.into()), ..ObjectRef::new(kind.as_str(), namespace, name) }
    }

    fn problem(
        &self,
        object: ObjectRef,
        field: &str,
        reason: &'static str,
        message: &str,
        remedy: &str,
    ) -> Problem {
        let field = format!("{}{field}", self.prefix);
        let field = field.trim_end_matches('.').to_owned();
        let (message, remedy) = (message.to_owned(), remedy.to_owned());
        Problem { object, field, severity: Severity::Error, reason, message, remedy }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn id(kind: Kind, value: &Value) -> Option<Id> {
    let name = text(value, "/metadata/name")?.to_owned();
    let namespace = match kind.is_namespaced() {
        true => text(value, "/metadata/namespace").unwrap_or(DEFAULT_NAMESPACE).to_owned(),
        false => String::new(),
    };
    Some(Id { kind, namespace, name })
}

/// Does what the API server does with a namespace that is missing or does not apply.
fn set_namespace(kind: Kind, value: &mut Value) {
    let Some(Value::Object(metadata)) = value.get_mut("metadata") else {
        return;
    };
    if !kind.is_namespaced() {
        metadata.remove("namespace");
        return;
    }
    let namespace = metadata.entry("namespace").or_insert(Value::Null);
    if namespace.is_null() || namespace == "" {
        *namespace = DEFAULT_NAMESPACE.into();
    }
}

/// The first field that is wrong, what is wrong with it, and what to write instead if it is more than its definition says.
pub(crate) struct Wrong {
    field: String,
    message: String,
    remedy: Option<&'static str>,
}

impl Wrong {
    pub(crate) fn new(field: impl Into<String>, message: String, remedy: &'static str) -> Wrong {
        Wrong { field: field.into(), message, remedy: Some(remedy) }
    }
}

/// The object, or the first field that is of a wrong type.
pub(crate) fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Wrong> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { path };
        Wrong { field, message: error.into_inner().to_string(), remedy: None }
    })
}
