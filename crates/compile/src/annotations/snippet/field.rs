//! Edits of fields as directives write them.

use std::sync::Arc;

use model::{FieldText, HeaderChange, HeaderEdit};

use super::meaning::{BAD_ARGUMENTS, BAD_FIELD, HAS_VARIABLE, Read};
use crate::annotations::headers::{self, NoText};

/// A field's name in lower case, if it is one that may be edited.
pub(super) type NameOf = fn(&str) -> Option<Arc<str>>;

/// `NAME: VALUE`; without a value the field goes.
pub(super) fn edit(field: &str, name_of: NameOf, edits: &mut Vec<HeaderEdit>) -> Read {
    let (name, value) = field.split_once(':').unwrap_or((field, ""));
    match value.trim() {
        "" => remove(name.trim(), name_of, edits),
        value => {
            let name = name_of(name.trim()).ok_or(BAD_FIELD)?;
            edits.push(HeaderEdit { name, change: HeaderChange::Set(text(value)?) });
            Ok(())
        }
    }
}

pub(super) fn remove(name: &str, name_of: NameOf, edits: &mut Vec<HeaderEdit>) -> Read {
    // headers-more takes many fields away by `X-*`, and has options that begin with a dash.
    if name.contains('*') || name.starts_with('-') {
        return Err(BAD_ARGUMENTS);
    }
    edits.push(HeaderEdit { name: name_of(name).ok_or(BAD_FIELD)?, change: HeaderChange::Remove });
    Ok(())
}

/// A value, with variables of the request or without.
pub(super) fn text(value: &str) -> Result<FieldText, &'static str> {
    headers::text_with_variables(value).map_err(|why| match why {
        NoText::Characters => BAD_ARGUMENTS,
        NoText::Variable(_) => HAS_VARIABLE,
    })
}

/// Whether endpoints get this field with this value in any case, or the field is that of a connection that is ours.
pub(super) fn is_so_already(name: &str, value: &str) -> bool {
    match name {
        "connection" => matches!(value, "upgrade" | "Upgrade" | "$connection_upgrade" | "keep-alive" | ""),
        "host" => matches!(value, "$host" | "$http_host" | "$best_http_host"),
        "upgrade" => value == "$http_upgrade",
        "x-forwarded-for" => value == "$remote_addr",
        "x-forwarded-host" => matches!(value, "$host" | "$http_host" | "$best_http_host"),
        "x-forwarded-port" => matches!(value, "$server_port" | "$pass_port" | "$pass_server_port"),
        "x-forwarded-proto" => matches!(value, "$scheme" | "$pass_access_scheme"),
        "x-real-ip" => value == "$remote_addr",
        "x-request-id" => matches!(value, "$req_id" | "$request_id"),
        _ => false,
    }
}
