//! Readers of fields that stand in a ConfigMap of their own.

use k8s_openapi::api::core::v1::ConfigMap;
use model::{HeaderChange, HeaderEdit};

use super::headers::{
    EDITS_BYTES_MAX, EDITS_MAX, NoText, is_framing, is_token, is_value, text_with_variables,
};
use super::{Annotation, boolean, shown};
use crate::policy::{NamedConfigMap, RouteSettings};
use crate::problems::Fault;
use crate::{ObjectKey, reasons};

const REMEDY: &str = "name a ConfigMap as NAMESPACE/NAME";

/// What a `$` is in the values of a ConfigMap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dollar {
    /// What it is.
    Itself,
    /// The beginning of a variable.
    Variable,
}

/// The fields that a ConfigMap holds, each to be set; and what is wrong with others, by their names.
pub(crate) fn of_config_map(
    config_map: &ConfigMap,
    dollar: Dollar,
) -> (Vec<HeaderEdit>, Vec<(String, Fault)>) {
    let (mut edits, mut faults, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (name, value) in config_map.data.iter().flatten() {
        let mut told = |message: String, remedy: &str| {
            faults.push((name.clone(), Fault::error(reasons::INVALID_SETTING, message, remedy)));
        };
        bytes += name.len() + value.len();
        if edits.len() == EDITS_MAX || bytes > EDITS_BYTES_MAX {
            told(
                format!(
                    "has more than {EDITS_MAX} fields, or more than {EDITS_BYTES_MAX} bytes of them; the rest is left out"
                ),
                "set fewer fields",
            );
            break;
        }
        let (lower, value) = (name.to_ascii_lowercase(), value.trim());
        if !is_token(name) || is_framing(&lower) {
            told(
                format!("{} cannot be set", shown(name)),
                "name a field that neither frames a message nor concerns its connection",
            );
        } else {
            let text = match dollar {
                Dollar::Itself if is_value(value) => Ok(value.into()),
                Dollar::Itself => Err(NoText::Characters),
                Dollar::Variable => text_with_variables(value),
            };
            match text {
                Ok(_) if value.is_empty() => told("has no value; it is left out".into(), "give it one"),
                Ok(text) => edits.push(HeaderEdit { name: lower.into(), change: HeaderChange::Set(text) }),
                Err(why) => told(
                    format!("{} cannot be the value of a field ({why}); it is left out", shown(value)),
                    "write visible ASCII characters, spaces and tabs, and of variables those of a request",
                ),
            }
        }
    }
    (edits, faults)
}

/// The ConfigMap whose fields are set in answers of the object's routes.
pub(super) fn custom(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.field_maps.custom = None;
    settings.field_maps.custom = of_own_namespace(annotation, settings.field_maps.crosses_namespaces)?;
    Ok(())
}

/// The ConfigMap that is named; none by an empty name. One of another namespace denies, unless the operator lets it.
pub(super) fn of_own_namespace(
    annotation: &Annotation<'_>,
    crosses_namespaces: bool,
) -> Result<Option<NamedConfigMap>, Vec<Fault>> {
    let Annotation { name, value, namespace } = annotation;
    if value.is_empty() {
        return Ok(None);
    }
    let Some(key) = named(value) else {
        let message = format!("{name} cannot be {}, so the whole Ingress is answered 503", shown(value));
        return Err(Fault::denied(message, REMEDY).into());
    };
    if key.namespace != *namespace && !crosses_namespaces {
        let message = format!(
            "{name} names {key}, which is of another namespace, so the whole Ingress is answered 503"
        );
        return Err(Fault::denied(message, "name a ConfigMap of the Ingress' own namespace").into());
    }
    Ok(Some(NamedConfigMap { key, field: annotation.field() }))
}

/// The ConfigMap whose fields are set in every answer.
pub(super) fn in_answers(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.field_maps.in_answers = Some(of_operator(annotation)?);
    Ok(())
}

/// The ConfigMap whose fields are set in every request.
pub(super) fn in_requests(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.field_maps.in_requests = Some(of_operator(annotation)?);
    Ok(())
}

fn of_operator(annotation: &Annotation<'_>) -> Result<NamedConfigMap, Vec<Fault>> {
    let Annotation { name, value, .. } = annotation;
    match named(value) {
        Some(key) => Ok(NamedConfigMap { key, field: format!("data[{name}]") }),
        None => {
            let message = format!("{name} cannot be {}; it has no effect", shown(value));
            Err(Fault::error(reasons::INVALID_SETTING, message, REMEDY).into())
        }
    }
}

/// The names that objects may have set, as the operator says.
pub(super) fn allowed(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let names = annotation.value.split(',').map(|name| name.trim().to_ascii_lowercase());
    settings.field_maps.allowed = names.filter(|name| !name.is_empty()).collect();
    Ok(())
}

/// Whether objects may name others of other namespaces.
pub(super) fn cross_namespaces(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.field_maps.crosses_namespaces = boolean(annotation)?;
    Ok(())
}

/// `NAMESPACE/NAME`.
fn named(value: &str) -> Option<ObjectKey> {
    let (namespace, name) = value.trim().split_once('/')?;
    let is_name = |name: &str| {
        !name.is_empty()
            && name.len() <= 253
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    (is_name(namespace) && is_name(name)).then(|| ObjectKey::new(namespace, name))
}
