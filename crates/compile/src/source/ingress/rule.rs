//! Hosts and paths as rules write them.

use std::net::IpAddr;

use k8s_openapi::api::networking::v1::HTTPIngressPath;
use model::{HostMatch, PathMatch};

use crate::problems::Fault;
use crate::reasons;

/// The host that a rule is for.
pub(super) fn host(raw: &str) -> Result<HostMatch, Fault> {
    let refuse = |why: String| {
        let remedy = "write a DNS name, *. and a DNS name, or nothing for every host";
        Fault::error(
            reasons::INVALID_HOST,
            format!("{raw:?} is no host: {why}; the rule is not served"),
            remedy,
        )
    };
    if raw.parse::<IpAddr>().is_ok() {
        return Err(refuse("a rule's host is a DNS name, not an address".into()));
    }
    HostMatch::parse(raw).map_err(|error| refuse(error.to_string()))
}

/// What the path matches, or which of its fields is wrong and how.
pub(super) fn path(path: &HTTPIngressPath) -> Result<PathMatch, (&'static str, Fault)> {
    let raw = path.path.as_deref().unwrap_or_default();
    let parsed = match (path.path_type.as_str(), raw) {
        ("Exact", _) => PathMatch::exact(raw),
        ("ImplementationSpecific", "") => PathMatch::prefix("/"),
        ("Prefix" | "ImplementationSpecific", _) => PathMatch::prefix(raw),
        (other, _) => return Err(("pathType", bad_path_type(other))),
    };
    parsed.map_err(|error| {
        let message = format!("{raw:?} is no path: {error}; it is not served");
        let remedy = "write the path as requests have it, beginning with /";
        ("path", Fault::error(reasons::INVALID_PATH, message, remedy))
    })
}

fn bad_path_type(written: &str) -> Fault {
    let message = match written {
        "" => "has no pathType, and there is no default; the path is not served".into(),
        other => format!("has the unknown pathType {other:?}; the path is not served"),
    };
    Fault::error(reasons::INVALID_PATH_TYPE, message, "write Exact, Prefix or ImplementationSpecific")
}

/// Other controllers read patterns into `ImplementationSpecific`; here they would match nothing, or one odd path.
pub(super) fn pattern(path: &HTTPIngressPath) -> Option<Fault> {
    let raw = path.path.as_deref().unwrap_or_default();
    let is_pattern =
        path.path_type == "ImplementationSpecific" && raw.contains(['(', '[', '^', '$', '|', '*', '\\']);
    is_pattern.then(|| {
        Fault::warning(
            reasons::PATTERN_PATH,
            format!("{raw:?} looks like a pattern; it is matched literally, as a prefix"),
            "write the prefix that all wanted paths share",
        )
    })
}
