//! Readers of what a request must have: a password, or another server's word. What cannot be read denies: it was to guard.

mod cache;
mod external;
mod global;
mod told;

use std::sync::Arc;

use super::{Annotation, backend, shown};
use crate::ObjectKey;
use crate::policy::{RouteSettings, SecretForm};
use crate::problems::Fault;
use crate::tls::NamedSecret;

pub(super) use cache::{cache_duration, cache_key};
pub(super) use external::{
    always_set_cookie, kept_alive, method, request_redirect, response_headers, sign_in, sign_in_parameter,
    url,
};

pub(super) use global::{
    global_always_set_cookie, global_cache_duration, global_cache_key, global_method,
    global_request_redirect, global_response_headers, global_sign_in, global_sign_in_parameter,
    global_snippet, global_url, open_locations, with_global,
};

pub(crate) use told::field;
pub(super) use told::{fields, snippet};

/// Longest realm, in bytes.
const REALM_BYTES_MAX: usize = 256;

/// Whether passwords are asked for, and how.
pub(super) fn kind(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    match annotation.value.trim() {
        "basic" => {
            settings.auth.passwords = Some(annotation.field());
            Ok(())
        }
        "digest" => Err(denied(
            annotation,
            "asks for digests of passwords, which are not supported",
            "write basic, and let clients use https",
        )),
        other => Err(denied(annotation, &format!("cannot be {}", shown(other)), "write basic")),
    }
}

/// The Secret with the passwords, as `NAMESPACE/NAME` or by its name alone.
pub(super) fn secret(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let (value, own) = (annotation.value.trim(), annotation.namespace);
    let (namespace, name) = value.split_once('/').unwrap_or((own, value));
    if ![namespace, name].into_iter().all(backend::is_object_name) {
        return Err(denied(annotation, &format!("cannot be {}", shown(value)), "name a Secret"));
    }
    if namespace != own {
        return Err(denied(
            annotation,
            &format!("names Secret {value}, which is in another namespace"),
            "name a Secret in the Ingress' own namespace",
        ));
    }
    settings.auth.secret =
        Some(NamedSecret { secret: ObjectKey::new(namespace, name), field: annotation.field() });
    Ok(())
}

/// How the Secret has them.
pub(super) fn secret_type(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.auth.form = match annotation.value.trim() {
        "auth-file" => SecretForm::File,
        "auth-map" => SecretForm::Map,
        other => {
            let remedy = "write auth-file (the entry auth has what htpasswd writes) or auth-map (an entry for each user)";
            return Err(denied(annotation, &format!("cannot be {}", shown(other)), remedy));
        }
    };
    Ok(())
}

/// What clients are told that they log in to.
pub(super) fn realm(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let realm = annotation.value.trim();
    let is_good = realm.bytes().all(|b| (b == b' ' || b.is_ascii_graphic()) && b != b'"' && b != b'\\');
    if !is_good || realm.len() > REALM_BYTES_MAX {
        let remedy =
            "write at most 256 visible ASCII characters and spaces, without quotation marks and backslashes";
        return Err(denied(annotation, &format!("cannot be {}", shown(realm)), remedy));
    }
    settings.auth.realm = Arc::from(realm);
    Ok(())
}

/// Whether one of several ways in is enough.
pub(super) fn satisfy(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    settings.auth.any = match annotation.value.trim() {
        "any" => true,
        "all" => false,
        other => return Err(denied(annotation, &format!("cannot be {}", shown(other)), "write any or all")),
    };
    Ok(())
}

fn denied(annotation: &Annotation<'_>, why: &str, remedy: &str) -> Vec<Fault> {
    let message = format!("{} {why}, so the whole Ingress is answered 503", annotation.name);
    Fault::denied(message, remedy).into()
}
