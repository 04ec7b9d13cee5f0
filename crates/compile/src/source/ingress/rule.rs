//! Hosts and paths as rules write them.

use std::net::IpAddr;

use k8s_openapi::api::networking::v1::HTTPIngressPath;
use model::HostMatch;

use crate::policy::Locations;
use crate::problems::Fault;
use crate::source::{PathKind, RulePath};
use crate::{Profile, reasons};

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

/// The path and its type, or which of these fields is wrong and how.
pub(super) fn path(path: &HTTPIngressPath) -> Result<RulePath, (&'static str, Fault)> {
    let raw = path.path.as_deref().unwrap_or_default();
    let (kind, written) = match (path.path_type.as_str(), raw) {
        ("Exact", _) => (PathKind::Exact, raw),
        ("Prefix", _) => (PathKind::Prefix, raw),
        ("ImplementationSpecific", "") => (PathKind::Specific, "/"),
        ("ImplementationSpecific", _) => (PathKind::Specific, raw),
        (other, _) => return Err(("pathType", bad_path_type(other))),
    };
    Ok(RulePath { written: written.into(), kind })
}

fn bad_path_type(written: &str) -> Fault {
    let message = match written {
        "" => "has no pathType, and there is no default; the path is not served".into(),
        other => format!("has the unknown pathType {other:?}; the path is not served"),
    };
    Fault::error(reasons::INVALID_PATH_TYPE, message, "write Exact, Prefix or ImplementationSpecific")
}

/// feed reads no type: a path is matched whole if so asked, else as the beginning of others', with a slash at either end.
pub(super) fn as_feed_reads(path: RulePath, locations: Locations) -> RulePath {
    if locations.exact {
        return RulePath { kind: PathKind::Exact, ..path };
    }
    let inner = path.written.strip_prefix('/').unwrap_or(&path.written);
    let written = match inner.strip_suffix('/').unwrap_or(inner) {
        "" => "/".into(),
        inner => format!("/{inner}/"),
    };
    RulePath { written, kind: PathKind::Prefix }
}

/// ingress-nginx' admission webhook refuses such a path (`strict-validate-path-type`); one that came past it is served, by
/// ingress-nginx too.
pub(super) fn refused_by_admission(path: &RulePath, profile: Profile) -> Option<Fault> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    let is_strict = profile == Profile::IngressNginx && path.kind != PathKind::Specific;
    (is_strict && !path.written.bytes().all(is_plain)).then(|| {
        Fault::warning(
            reasons::PATTERN_PATH,
            format!(
                "{:?} has characters that ingress-nginx refuses in paths of type Exact or Prefix where its admission \
                 webhook checks them",
                path.written
            ),
            "write pathType: ImplementationSpecific",
        )
    })
}
