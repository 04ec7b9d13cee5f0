//! A Secret of a manifest, taken or refused as the API server takes or refuses one that is created.
//!
//! A folder and a cluster are given the same manifests: what passes here and is refused there would be found out on the day
//! of the move. `immutable` says what may become of an object that exists; a file that is edited is another object.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Map, Value};

use super::object::{Wrong, typed};

/// All values together. The API server's own limit.
const BYTES_MAX: usize = 1024 * 1024;

/// The longest name of a Secret, and of an entry in it.
const NAME_BYTES_MAX: usize = 253;

/// Base64 as the API server reads it, which does not care for the bits that are left over in the last letter.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

type Entries = BTreeMap<String, ByteString>;

/// The Secret, with `stringData` in its `data`, or what is wrong with it first.
pub(crate) fn read(mut value: Value) -> Result<Secret, Wrong> {
    let mut take = |field: &str| value.as_object_mut().and_then(|object| object.remove(field));
    let (data, texts) = (take("data"), take("stringData"));
    let mut entries = entries("data", data, bytes)?;
    entries.extend(self::entries("stringData", texts, text)?);
    let mut secret: Secret = typed(value)?;
    is_name(secret.metadata.name.as_deref().unwrap_or_default())?;
    entries.keys().try_for_each(|key| is_key(key))?;
    let size: usize = entries.values().map(|bytes| bytes.0.len()).sum();
    if size > BYTES_MAX {
        let message = format!("has {size} bytes in its values; {BYTES_MAX} is the most");
        return Err(Wrong::new("data", message, "take out what no TLS needs, or make two Secrets of it"));
    }
    has_what_its_type_needs(&secret, &entries)?;
    secret.data = (!entries.is_empty()).then_some(entries);
    Ok(secret)
}

fn entries(
    field: &str,
    value: Option<Value>,
    read: fn(&Value) -> Result<Vec<u8>, Misread>,
) -> Result<Entries, Wrong> {
    let entries = match value {
        None | Some(Value::Null) => return Ok(Entries::new()),
        Some(Value::Object(entries)) => entries,
        Some(other) => {
            let message = format!("is {}, and no names with values", described(&other));
            return Err(Wrong::new(field, message, "write NAME: VALUE below it, a line for each"));
        }
    };
    let read = |(key, value): (String, Value)| match read(&value) {
        Ok(bytes) => Ok((key, ByteString(bytes))),
        Err(Misread { message, remedy }) => Err(Wrong::new(format!("{field}[{key}]"), message, remedy)),
    };
    entries.into_iter().map(read).collect()
}

struct Misread {
    message: String,
    remedy: &'static str,
}

/// An entry of `data`: base64 of the standard alphabet with its padding, in which line ends do not count, or a list of
/// bytes.
fn bytes(value: &Value) -> Result<Vec<u8>, Misread> {
    let remedy = "write what base64 gives, with the = at its end, or the text itself under stringData";
    let wrong = |message: String| Misread { message, remedy };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => {
            let letters: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
            BASE64.decode(letters).map_err(|error| wrong(format!("is not base64: {error}")))
        }
        Value::Array(items) => {
            let byte = |item: &Value| match item {
                Value::Null => Some(0),
                item => item.as_u64().and_then(|number| u8::try_from(number).ok()),
            };
            let bytes: Option<Vec<u8>> = items.iter().map(byte).collect();
            bytes.ok_or_else(|| wrong("is a list, and not one of bytes".into()))
        }
        other => Err(wrong(format!("is {}, and not base64", described(other)))),
    }
}

/// An entry of `stringData`.
fn text(value: &Value) -> Result<Vec<u8>, Misread> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(text.clone().into_bytes()),
        other => {
            let message = format!("is {}, and not text", described(other));
            Err(Misread { message, remedy: "write it in quotes" })
        }
    }
}

fn described(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// Whether the Secret can have this name (RFC 1123 subdomain). One that has none is told by others.
fn is_name(name: &str) -> Result<(), Wrong> {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = |label: &str| {
        let ends = [label.bytes().next(), label.bytes().next_back()];
        ends.into_iter().all(|end| end.is_some_and(is_inner))
            && label.bytes().all(|byte| is_inner(byte) || byte == b'-')
    };
    if name.is_empty() || (name.len() <= NAME_BYTES_MAX && name.split('.').all(is_label)) {
        return Ok(());
    }
    let remedy = "write lower case letters, digits, dashes and dots, with a letter or digit at each end and beside \
                  each dot; 253 at most";
    Err(Wrong::new("metadata.name", "no Secret can have this name".into(), remedy))
}

/// Whether an entry can have this name.
fn is_key(key: &str) -> Result<(), Wrong> {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_dots = key == "." || key.starts_with("..");
    if !key.is_empty() && key.len() <= NAME_BYTES_MAX && key.bytes().all(is_inner) && !is_dots {
        return Ok(());
    }
    let remedy = "write letters, digits, dashes, underscores and dots, 253 at most, and not two dots first";
    Err(Wrong::new(format!("data[{key}]"), "no entry can have this name".into(), remedy))
}

/// Whether the entries are there that its type asks for.
fn has_what_its_type_needs(secret: &Secret, entries: &Entries) -> Result<(), Wrong> {
    let Some(kind) = secret.type_.as_deref() else { return Ok(()) };
    let has = |key: &str| entries.contains_key(key);
    let lacks = |key: &str| {
        let message = format!("is missing, and a Secret of type {kind} has it");
        Wrong::new(format!("data[{key}]"), message, "add it, or leave out the type")
    };
    let json = |key: &str| match entries.get(key) {
        None => Err(lacks(key)),
        Some(bytes) => {
            serde_json::from_slice::<Option<Map<String, Value>>>(&bytes.0).map(drop).map_err(|error| {
                // Its text could be shown in the message of a parser; where it is wrong cannot.
                let message = format!("is no JSON object (line {} column {})", error.line(), error.column());
                Wrong::new(format!("data[{key}]"), message, "write a JSON object, or leave out the type")
            })
        }
    };
    match kind {
        "kubernetes.io/tls" => match ["tls.crt", "tls.key"].into_iter().find(|key| !has(key)) {
            Some(key) => Err(lacks(key)),
            None => Ok(()),
        },
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => Err(lacks("username")),
        "kubernetes.io/ssh-auth" if entries.get("ssh-privatekey").is_none_or(|key| key.0.is_empty()) => {
            Err(lacks("ssh-privatekey"))
        }
        "kubernetes.io/dockercfg" => json(".dockercfg"),
        "kubernetes.io/dockerconfigjson" => json(".dockerconfigjson"),
        "kubernetes.io/service-account-token" => {
            let account = "kubernetes.io/service-account.name";
            let annotations = secret.metadata.annotations.as_ref();
            match annotations.and_then(|annotations| annotations.get(account)).filter(|name| !name.is_empty())
            {
                Some(_) => Ok(()),
                None => {
                    let message = format!("is missing, and a Secret of type {kind} has it");
                    let field = format!("metadata.annotations[{account}]");
                    Err(Wrong::new(field, message, "name the ServiceAccount, or leave out the type"))
                }
            }
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod cases;
#[cfg(test)]
mod tests;
