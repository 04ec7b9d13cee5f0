//! Readers of what another server is sent beside what clients send.

use std::sync::Arc;

use model::Template;

use super::{Annotation, denied};
use crate::annotations::{custom_headers, headers, snippet as snippets};
use crate::policy::RouteSettings;
use crate::problems::Fault;

/// Most fields, from a ConfigMap and a snippet together.
const FIELDS_MAX: usize = 64;

/// The ConfigMap whose fields it is sent.
pub(in crate::annotations) fn fields(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let crosses = settings.field_maps.crosses_namespaces;
    settings.auth.external.field_map = custom_headers::of_own_namespace(annotation, crosses)?;
    Ok(())
}

/// A piece of nginx' configuration of which only fields to be sent are read. Without a server that is asked it says nothing.
pub(in crate::annotations) fn snippet(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let external = &mut settings.auth.external;
    if external.url.is_none() {
        return Ok(());
    }
    let remedy = "write lines as proxy_set_header X-Forwarded-Method $request_method; alone";
    let told = |why: String| denied(annotation, &why, remedy);
    let fields = snippets::sent_fields(annotation.value).map_err(told)?;
    for (name, value) in fields {
        external.request_headers.push(field(&name, &value).map_err(told)?);
    }
    if external.request_headers.len() > FIELDS_MAX {
        return Err(told(format!("sets more than {FIELDS_MAX} fields")));
    }
    Ok(())
}

/// A field with variables in its value, as `proxy_set_header` has it. One without a value is not sent.
///
/// # Errors
/// Says why it cannot be sent.
pub(crate) fn field(name: &str, value: &str) -> Result<(Arc<str>, Template), String> {
    let lower = name.to_ascii_lowercase();
    let is_ours = lower != "host" && headers::is_framing(&lower);
    if !headers::is_token(&lower) || is_ours {
        return Err(format!("sets {}, which is no field or is ours to write", super::shown(name)));
    }
    if !value.is_empty() && !headers::is_value(value) {
        return Err(format!("sets {} to what no field can be", super::shown(name)));
    }
    let value = Template::parse(value).map_err(|error| format!("sets {}: {error}", super::shown(name)))?;
    Ok((lower.into(), value))
}
