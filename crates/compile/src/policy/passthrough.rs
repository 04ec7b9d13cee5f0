//! Hosts whose clients shake hands with the endpoints themselves.

use model::{Filters, RequestFilter};

use super::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

/// Whether TLS may be passed through, and whether all else that is asked for holds then, too.
pub(super) fn check(asked: &RouteSettings, filters: Option<&Filters>) -> Result<(), (String, Fault)> {
    let Some(field) = &asked.passthrough else { return Ok(()) };
    if !asked.passthrough_is_allowed {
        let message =
            "TLS is not passed through, since the operator does not allow it; the handshake is ours";
        let remedy = "start with --enable-ssl-passthrough, or remove it";
        return Err((field.clone(), Fault::warning(reasons::NO_EFFECT, message, remedy)));
    }
    let holds = |filter: &&RequestFilter| {
        matches!(filter, RequestFilter::Deny | RequestFilter::Addresses(_) | RequestFilter::Https(_))
    };
    let request = filters.iter().flat_map(|filters| filters.request());
    let mut others: Vec<&str> = request.filter(|filter| !holds(filter)).map(RequestFilter::as_str).collect();
    if others.is_empty() {
        return Ok(());
    }
    others.dedup();
    let message = format!(
        "clients shake hands with the endpoints themselves; what else is asked holds in clear text only: {}",
        others.join(", ")
    );
    Err((
        field.clone(),
        Fault::warning(reasons::NO_EFFECT, message, "let the endpoints do it, or remove one of them"),
    ))
}
