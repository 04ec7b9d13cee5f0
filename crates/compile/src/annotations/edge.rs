//! Readers of what is told of clients, and to them: keys of ingress-nginx' ConfigMap which no annotation has a word for.

use std::sync::Arc;

use ipnet::IpNet;
use model::Edge;

use super::access::network;
use super::{Annotation, boolean, shown};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

type Read = Result<(), Vec<Fault>>;

/// Most names and networks in a list: each head is looked at for each name.
const LIST_MAX: usize = 100;

/// What is shared by all routes, to be changed. There is none in profiles that have no such words.
fn change(settings: &mut RouteSettings, change: impl FnOnce(&mut Edge)) {
    if let Some(edge) = &mut settings.edge {
        change(Arc::make_mut(edge));
    }
}

/// Whether clients are believed what they say of themselves. It is honoured, and told: in ingress-nginx it believes anybody.
pub(super) fn use_forwarded_headers(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Read {
    let is_on = boolean(annotation)?;
    change(settings, |edge| (edge.believes_clients, edge.real_ip) = (is_on, is_on));
    if !is_on {
        return Ok(());
    }
    let message = "use-forwarded-headers lets every client say its own scheme, host and port, and its address unless \
                   proxy-real-ip-cidr names the load balancers";
    let remedy = "see that only the load balancers reach this port, or name them with --trusted-proxies and leave this out";
    Err(Fault::warning(reasons::FORGEABLE, message, remedy).into())
}

/// Whether a peer is believed the client's address alone.
pub(super) fn enable_real_ip(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Read {
    let is_on = boolean(annotation)?;
    change(settings, |edge| edge.real_ip |= is_on);
    Ok(())
}

/// The networks of those peers. One that cannot be read is left out: fewer are believed.
pub(super) fn real_ip_from(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Read {
    let mut faults = Vec::new();
    let networks: Vec<IpNet> = list(annotation, &mut faults)
        .filter_map(|entry| {
            network(entry).ok_or(entry).map_err(|entry| faults.push(no_network(annotation.name, entry))).ok()
        })
        .collect();
    change(settings, |edge| edge.real_ip_from = networks);
    told(faults)
}

/// Whether endpoints are told the whole chain.
pub(super) fn tells_chain(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Read {
    let is_on = boolean(annotation)?;
    change(settings, |edge| edge.tells_chain = is_on);
    Ok(())
}

/// Whether endpoints are told the target as it came.
pub(super) fn tells_target(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Read {
    let is_on = boolean(annotation)?;
    change(settings, |edge| edge.tells_target = is_on);
    Ok(())
}

/// Whether each request has an ID.
pub(super) fn makes_request_id(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Read {
    let is_on = boolean(annotation)?;
    change(settings, |edge| edge.makes_request_id = is_on);
    Ok(())
}

/// The field of the chain.
pub(super) fn for_field(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Read {
    let name = field(annotation)?;
    change(settings, |edge| edge.for_field = name);
    Ok(())
}

/// The field of the host that was asked for first.
pub(super) fn host_field(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Read {
    let name = field(annotation)?;
    change(settings, |edge| edge.host_field = name);
    Ok(())
}

/// Whether names may have an underscore.
pub(super) fn underscores(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Read {
    let is_on = boolean(annotation)?;
    change(settings, |edge| edge.names.underscores = is_on);
    Ok(())
}

/// Whether names with other characters than letters, digits and hyphens are dropped.
pub(super) fn ignores_names(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Read {
    let is_on = boolean(annotation)?;
    change(settings, |edge| edge.names.others = !is_on);
    Ok(())
}

/// Fields of answers that clients do not get.
pub(super) fn hide(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Read {
    let mut faults = Vec::new();
    let names: Vec<Arc<str>> =
        list(annotation, &mut faults).map(|name| name.to_ascii_lowercase().into()).collect();
    change(settings, |edge| edge.hidden.extend(names));
    told(faults)
}

/// Whether clients learn which server an endpoint is.
pub(super) fn shows_server(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Read {
    let is_on = boolean(annotation)?;
    if is_on {
        change(settings, |edge| edge.hidden.retain(|name| **name != *"server"));
    }
    Ok(())
}

/// Names or networks between commas.
fn list<'a>(annotation: &Annotation<'a>, faults: &mut Vec<Fault>) -> impl Iterator<Item = &'a str> + use<'a> {
    let entries = annotation.value.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    if entries.clone().nth(LIST_MAX).is_some() {
        let message =
            format!("{} has more than {LIST_MAX} entries, and only these are read", annotation.name);
        faults.push(Fault::error(reasons::INVALID_SETTING, message, "write fewer"));
    }
    entries.take(LIST_MAX)
}

fn no_network(name: &str, entry: &str) -> Fault {
    let message =
        format!("{name} has {}, which is neither an address nor a network and is left out", shown(entry));
    Fault::error(
        reasons::INVALID_SETTING,
        message,
        "write addresses and networks (as 192.0.2.0/24) with commas between them",
    )
}

/// The name of a field, in lower case.
fn field(Annotation { name, value, .. }: &Annotation<'_>) -> Result<Arc<str>, Vec<Fault>> {
    let field = value.trim();
    if super::headers::is_token(field) {
        return Ok(field.to_ascii_lowercase().into());
    }
    let message = format!("{name} cannot be {}; it has no effect", shown(value));
    Err(Fault::error(reasons::INVALID_SETTING, message, "write the name of a field, as X-Forwarded-For")
        .into())
}

fn told(faults: Vec<Fault>) -> Read {
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}
