//! The dialect of feed (`sky.uk/…`), the controller that this project began as a successor of.

use std::net::Ipv4Addr;

use ipnet::IpNet;

use super::{Annotation, Dialect, Reader, access, frontend, no_effect, time};
use crate::policy::{Locations, RouteSettings};
use crate::problems::Fault;
use crate::reasons;

pub(super) const DIALECT: Dialect = Dialect { prefix: PREFIX, rows: ROWS, other: not_honoured };

const PREFIX: &str = "sky.uk/";

const ROWS: &[(&str, Reader)] = &[
    ("allow", allow),
    // The older name of the one below, which counts where both are there.
    ("backend-keepalive-seconds", time::read_seconds),
    ("backend-timeout-seconds", time::read_seconds),
    ("exact-path", exact_path),
    // The older name of the one below, likewise.
    ("frontend-elb-scheme", frontend::scheme),
    ("frontend-scheme", frontend::scheme),
    ("strip-path", strip_path),
];

/// The clients that are let in; with an empty list only those on this very machine.
fn allow(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    if annotation.value.trim().is_empty() {
        settings.allow = vec![IpNet::from(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST))];
        return Ok(());
    }
    access::allow(annotation, settings)
}

/// Whether the path is matched whole.
fn exact_path(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let exact = boolean(annotation)?;
    locations(annotation, settings)?.exact = exact;
    Ok(())
}

/// Whether endpoints get the target without the path of the rule.
fn strip_path(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let strip = boolean(annotation)?;
    locations(annotation, settings)?.strip = strip;
    Ok(())
}

/// How paths are read: by other profiles as Ingress v1 has it.
fn locations<'s>(
    annotation: &Annotation<'_>,
    settings: &'s mut RouteSettings,
) -> Result<&'s mut Locations, Vec<Fault>> {
    settings.locations.as_mut().ok_or_else(|| {
        let message =
            format!("{} has no effect, since the Ingress is not read by feed's rules", annotation.name);
        Fault::warning(reasons::NO_EFFECT, message, "start with --profile feed, or remove it").into()
    })
}

/// These two words and no other.
fn boolean(annotation: &Annotation<'_>) -> Result<bool, Vec<Fault>> {
    match annotation.value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(no_effect(annotation, "write \"true\" or \"false\"")),
    }
}

/// What is about feed's connections to endpoints and its buffers, which are for us to decide; and what is not known.
fn not_honoured(annotation: &Annotation<'_>, _: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let message = format!("{} is not honoured and has no effect", annotation.name);
    let remedy = match annotation.name.strip_prefix(PREFIX).unwrap_or_default() {
        "backend-connection-keepalive" | "backend-max-requests-per-connection" => {
            "remove it: connections to endpoints are kept as long as that is safe, and a request never pays for their end"
        }
        "proxy-buffer-size-in-kb" | "proxy-buffer-blocks" => {
            "remove it: answers are handed on as they come (their heads up to --upstream-head-bytes-max)"
        }
        "backend-max-connections" => "remove it: of two endpoints the one with fewer requests gets the next",
        _ => "remove it, or correct its name",
    };
    Err(Fault::warning(reasons::UNSUPPORTED_ANNOTATION, message, remedy).into())
}
