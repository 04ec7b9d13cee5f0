//! What a path of a rule matches, given what is asked for its host.

use model::{HostMatch, PathMatch, Pattern, PatternError};

use super::{Hosts, PathFacts};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::profile::Profile;
use crate::reasons;
use crate::source::{Draft, PathKind, RulePath};

/// Most that the programs of one Ingress' patterns may take together, in bytes. A usual one takes 2 KiB.
const PROGRAMS_BYTES_MAX: usize = 512 << 10;
/// What one that is too large counts for: it took as long to find that out.
const REFUSED_BYTES: usize = 64 << 10;

/// The hosts for which a default backend serves what no rule does.
#[derive(Default)]
pub(crate) struct Matched {
    pub(crate) hosts: Vec<HostMatch>,
    /// And all that nothing else serves.
    pub(crate) catch_all: bool,
}

/// What the patterns of an Ingress have taken so far.
#[derive(Default)]
pub(crate) struct Budget {
    used: usize,
    /// The hosts whose paths are patterns for another's sake, as far as that was told.
    told: Vec<HostMatch>,
}

impl Hosts {
    /// What a path of the draft matches on this host, and what is known of it there. What is served, and not as it may be
    /// meant, is told.
    ///
    /// # Errors
    /// Why it is not served.
    pub(crate) fn path(
        &self,
        draft: &Draft,
        host: &HostMatch,
        path: &RulePath,
        budget: &mut Budget,
        mut tell: impl FnMut(Fault),
    ) -> Result<(PathMatch, PathFacts), Fault> {
        let is_nginx = draft.profile == Profile::IngressNginx;
        let is_feeds = draft.profile == Profile::Feed;
        let own = !is_feeds && asks_for_pattern(&draft.asked, path);
        let server = self.servers.get(host).filter(|_| is_nginx);
        let because_of = server.and_then(|server| server.patterns());
        let is_pattern = because_of.is_some() || (own && !is_nginx);
        if let Some(fault) = self.covered(host, path, is_nginx, is_pattern) {
            return Err(fault);
        }
        let is_kept = !draft.asked.rewrite.changes(&path.written);
        let mut facts = PathFacts { is_kept, ..PathFacts::default() };
        let matched = if is_pattern {
            let is_told = own || path.is_root() || budget.told.contains(host);
            if let Some(because_of) = because_of.filter(|it| !is_told && **it != draft.object) {
                budget.told.push(host.clone());
                tell(changed(host, path, because_of));
            }
            // An Exact rule beside it keeps the path itself.
            let exact = !own && !path.is_exact() && server.is_some_and(|it| it.has_exact(&path.written));
            budget.pattern(path, exact && !path.written.ends_with('/'))?
        } else {
            pattern_taken_literally(path).map(&mut tell);
            facts.needs_slash = (is_nginx || is_feeds)
                && !path.is_exact()
                && path.written != "/"
                && path.written.ends_with('/');
            literal(path)?
        };
        Ok((matched, facts))
    }

    /// An Exact path that ends with a slash and has no other rule beside it, without that slash: nginx sends clients that ask for
    /// that to the path itself.
    pub(crate) fn bare(&self, draft: &Draft, host: &HostMatch, path: &RulePath) -> Option<PathMatch> {
        let bare = path.written.strip_suffix('/').filter(|bare| path.is_exact() && !bare.is_empty())?;
        let server = self.servers.get(host).filter(|_| draft.profile == Profile::IngressNginx)?;
        let is_free = server.patterns().is_none() && !server.has(bare) && !server.has_prefix(&path.written);
        if is_free { PathMatch::exact(bare).ok() } else { None }
    }

    /// Why something else serves all that the path could.
    fn covered(&self, host: &HostMatch, path: &RulePath, is_nginx: bool, is_pattern: bool) -> Option<Fault> {
        let server = self.servers.get(host)?;
        let why = match (path.written.as_str(), path.is_exact()) {
            ("/", true) if server.root().is_some() => {
                format!("what asks for / on {host} is sent elsewhere, by app-root of {}", server.root()?)
            }
            ("/", true) if is_nginx && is_pattern => {
                format!(
                    "all paths of {host} are regular expressions, because of {}, and what serves the rest goes \
                         before Exact /",
                    server.patterns()?
                )
            }
            ("/", false) if is_nginx => {
                format!("{}, which has no rules, serves it", server.catches_all()?)
            }
            _ => return None,
        };
        let remedy = "remove one of them";
        Some(Fault::error(reasons::CONFLICT, format!("is never served: {why}"), remedy))
    }
}

impl Budget {
    /// The path as a pattern; with a slash behind it, if so asked.
    fn pattern(&mut self, path: &RulePath, with_slash: bool) -> Result<PathMatch, Fault> {
        if self.used > PROGRAMS_BYTES_MAX {
            let message = format!(
                "is not served: the regular expressions of this Ingress take more than {} KiB",
                PROGRAMS_BYTES_MAX >> 10
            );
            return Err(Fault::error(
                reasons::INVALID_PATH,
                message,
                "split the Ingress, or write simpler ones",
            ));
        }
        let written = &path.written;
        let pattern = match with_slash {
            true => Pattern::of_location(written, &format!("{written}/")),
            false => Pattern::of_location(written, written),
        };
        self.used += match &pattern {
            Ok(pattern) => pattern.size(),
            Err(PatternError::TooLarge) => REFUSED_BYTES,
            Err(_) => 0,
        };
        pattern.map(PathMatch::Pattern).map_err(|error| {
            let message = format!("{written:?} cannot be used, and is not served: {error}");
            let remedy = "write it without look-around, back references and large counts; a { that begins no count \
                          has to be \\{";
            Fault::error(reasons::INVALID_PATH, message, remedy)
        })
    }
}

/// Whether the draft asks for this path of it to be a pattern.
fn asks_for_pattern(asked: &RouteSettings, path: &RulePath) -> bool {
    asked.rewrite.use_regex || asked.rewrite.changes(&path.written)
}

fn literal(path: &RulePath) -> Result<PathMatch, Fault> {
    let raw = &path.written;
    let parsed = if path.is_exact() { PathMatch::exact(raw) } else { PathMatch::prefix(raw) };
    parsed.map_err(|error| {
        let message = format!("{raw:?} is no path: {error}; it is not served");
        Fault::error(reasons::INVALID_PATH, message, "write the path as requests have it, beginning with /")
    })
}

/// Other controllers read patterns into `ImplementationSpecific`; here they would match nothing, or one odd path.
fn pattern_taken_literally(path: &RulePath) -> Option<Fault> {
    let raw = &path.written;
    let is_pattern = path.kind == PathKind::Specific && raw.contains(['(', '[', '^', '$', '|', '*', '\\']);
    is_pattern.then(|| {
        Fault::warning(
            reasons::PATTERN_PATH,
            format!("{raw:?} looks like a pattern; it is matched literally, as a prefix"),
            "write the prefix that all wanted paths share",
        )
    })
}

/// Another's annotation has changed what the path matches.
fn changed(host: &HostMatch, path: &RulePath, because_of: &model::ObjectRef) -> Fault {
    let message = format!(
        "all paths of {host} are regular expressions that ignore case, because of {because_of}: {:?} matches whatever \
         begins so",
        path.written
    );
    let remedy =
        "let one of the two have another host, or write all paths of the host as regular expressions";
    Fault::warning(reasons::PATTERN_PATH, message, remedy)
}
