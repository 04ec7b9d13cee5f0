//! What an error of the API server means, and how it is told.

use std::error::Error;
use std::fmt::Write as _;

use kube::runtime::watcher;

/// Whether a watch that failed has lost its place, and only a new list helps.
pub(super) fn has_lost_its_place(error: &watcher::Error) -> bool {
    match error {
        // `kube` would repeat the request for ever.
        watcher::Error::WatchStartFailed(error) => has_code(error, 410),
        // An event that could not be read may have been a deletion, and `kube` goes on behind it.
        watcher::Error::WatchFailed(error) => !matches!(error, kube::Error::ReadEvents(_)),
        _ => false,
    }
}

pub(super) fn is_forbidden(error: &watcher::Error) -> bool {
    cause(error).is_some_and(|error| has_code(error, 403))
}

/// Whether the API server says that the object of this name does not exist. Others say 404 too: a proxy before it, or
/// itself of a kind that it does not serve yet.
pub(super) fn is_not_found(error: &kube::Error, name: &str) -> bool {
    let kube::Error::Api(status) = error else { return false };
    status.code == 404
        && status.reason == "NotFound"
        && status.details.as_ref().is_some_and(|details| details.name == name)
}

/// Whether asking again is useless until our rights are changed.
pub(super) fn is_refused(error: &kube::Error) -> bool {
    has_code(error, 403)
}

fn has_code(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

fn cause(error: &watcher::Error) -> Option<&kube::Error> {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => Some(error),
        _ => None,
    }
}

/// What the API server said, or why it could not be asked.
pub(super) fn text(error: &(dyn Error + 'static)) -> String {
    let mut innermost = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(kube::Error::Api(status)) = error.downcast_ref::<kube::Error>() {
            return format!("{} ({} {})", status.message, status.code, status.reason);
        }
        let shown = error.to_string();
        // Most errors of the chain repeat their cause.
        if !innermost.contains(&shown) {
            if !innermost.is_empty() {
                innermost.push_str(": ");
            }
            let _ = write!(innermost, "{shown}");
        }
        next = error.source();
    }
    innermost
}

/// What the operator can do about it.
pub(super) fn remedy_of_watch(error: &watcher::Error) -> &'static str {
    cause(error).map_or(UNREACHABLE, remedy)
}

/// What the operator can do about it.
pub(super) fn remedy(error: &kube::Error) -> &'static str {
    match error {
        kube::Error::Api(status) if status.code == 403 => {
            "give this ServiceAccount the ClusterRole in deploy/base; until then what was last known stays in use"
        }
        kube::Error::Api(status) if status.code == 401 => {
            "give it a token that the API server accepts; until then what was last known stays in use"
        }
        _ => UNREACHABLE,
    }
}

pub(super) const UNREACHABLE: &str =
    "see whether the API server can be reached; until then what was last known stays in use";

/// What the operator can do about objects that are kept without proof.
pub(super) const KEPT_REMEDY: &str = "start anew if what is kept is really gone";
