//! Readers of what the operator says of another server's word for all Ingresses, and of what an Ingress says of that.

use super::{Annotation, denied};
use crate::annotations::{Reader, boolean};
use crate::policy::RouteSettings;
use crate::problems::Fault;

/// Most places that need no word.
const OPEN_MAX: usize = 64;

/// Whether the object wants that server's word, too.
pub(in crate::annotations) fn with_global(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.auth.without_global = !boolean(annotation)?;
    Ok(())
}

/// What paths begin with that need no password and no word, between commas.
pub(in crate::annotations) fn open_locations(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let open = annotation.value.split(',').map(str::trim).filter(|begin| !begin.is_empty());
    if open.clone().nth(OPEN_MAX).is_some() {
        return Err(denied(annotation, &format!("has more than {OPEN_MAX} entries"), "write fewer"));
    }
    settings.auth.open = open.map(Into::into).collect();
    Ok(())
}

/// Lets a reader for one object read what is said for all.
fn read(reader: Reader, annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let swap = |settings: &mut RouteSettings| {
        std::mem::swap(&mut settings.auth.external, &mut settings.auth.global);
    };
    swap(settings);
    let read = reader(annotation, settings);
    swap(settings);
    read
}

macro_rules! for_all {
    ($($name:ident = $of_one:ident,)*) => {
        $(
            pub(in crate::annotations) fn $name(
                annotation: &Annotation<'_>,
                settings: &mut RouteSettings,
            ) -> Result<(), Vec<Fault>> {
                read(super::$of_one, annotation, settings)
            }
        )*
    };
}

for_all! {
    global_always_set_cookie = always_set_cookie,
    global_cache_duration = cache_duration,
    global_cache_key = cache_key,
    global_method = method,
    global_request_redirect = request_redirect,
    global_response_headers = response_headers,
    global_sign_in = sign_in,
    global_sign_in_parameter = sign_in_parameter,
    global_snippet = snippet,
    global_url = url,
}
