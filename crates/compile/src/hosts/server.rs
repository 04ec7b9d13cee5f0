//! What ingress-nginx would have as the server of a host: which Ingress decides on what there.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{HostMatch, ObjectRef};

use crate::profile::Profile;
use crate::source::{Draft, RulePath};

/// The server of a host. Drafts are added in the order of their precedence.
#[derive(Debug, Default)]
pub(crate) struct Server {
    /// The Ingress whose settings hold where no rule matches.
    first: Option<Asks>,
    /// The Ingress without rules that serves all of it; only of the server for all other hosts.
    catch_all: Option<Arc<ObjectRef>>,
    /// The paths of rules, and whether each is Exact. Of two alike the first counts.
    locations: BTreeMap<(Box<str>, bool), Asks>,
    /// The other names that the first Ingress which asks for any asks for.
    pub(super) aliases: Option<Aliases>,
    /// Other Ingresses that ask for some.
    pub(super) more_aliases: Vec<Arc<ObjectRef>>,
    patterns: Option<Arc<ObjectRef>>,
    root: Option<Arc<ObjectRef>>,
}

/// Other names of a host.
#[derive(Debug)]
pub(super) struct Aliases {
    /// How many Ingresses go before the one that gives them.
    pub(super) place: usize,
    pub(super) object: Arc<ObjectRef>,
    pub(super) names: Vec<HostMatch>,
}

/// What an Ingress asks for the whole server.
#[derive(Clone, Debug)]
struct Asks {
    object: Arc<ObjectRef>,
    /// Whether its rules are those of ingress-nginx.
    is_nginx: bool,
    use_regex: bool,
    rewrite: Option<Box<str>>,
    has_root: bool,
    /// How many paths were there before.
    place: usize,
}

impl Asks {
    fn of(draft: &Draft, place: usize) -> Asks {
        let asked = &draft.asked;
        Asks {
            place,
            object: Arc::clone(&draft.object),
            is_nginx: draft.profile == Profile::IngressNginx,
            use_regex: asked.rewrite.use_regex,
            rewrite: asked.rewrite.path.as_ref().map(|path| path.as_str().into()),
            has_root: asked.app_root.is_some(),
        }
    }

    /// Whether by this path of it all paths of the host become patterns.
    fn asks_for_patterns(&self, path: &str) -> bool {
        self.is_nginx && (self.use_regex || self.rewrite.as_deref().is_some_and(|rewrite| rewrite != path))
    }
}

impl Server {
    /// The draft names its host, and so many drafts go before it.
    pub(super) fn name(&mut self, draft: &Draft, place: usize) {
        if self.first.is_none() && draft.profile == Profile::IngressNginx {
            self.first = Some(Asks::of(draft, 0));
        }
        let (names, object) = (&draft.asked.aliases, Arc::clone(&draft.object));
        match &self.aliases {
            _ if names.is_empty() => {}
            None => self.aliases = Some(Aliases { place, object, names: names.clone() }),
            Some(_) => self.more_aliases.push(object),
        }
    }

    /// An Ingress without rules has a default backend.
    pub(super) fn catch_all(&mut self, object: &Arc<ObjectRef>) {
        self.catch_all.get_or_insert_with(|| Arc::clone(object));
    }

    /// The draft has a rule for this path.
    pub(super) fn add(&mut self, path: &RulePath, draft: &Draft) {
        let place = (path.written.as_str().into(), path.is_exact());
        let before = self.locations.len();
        self.locations.entry(place).or_insert_with(|| Asks::of(draft, before));
    }

    /// All drafts were added.
    pub(super) fn decide(&mut self, host: &HostMatch) {
        // What no rule matches is a location, too: the last one.
        let rest =
            self.first.as_ref().filter(|_| !self.has_root() && *host != HostMatch::Any).map(|it| ("/", it));
        let mut locations: Vec<_> = self.locations.iter().map(|((path, _), asks)| (&**path, asks)).collect();
        locations.sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then_with(|| other.cmp(one)));
        let locations = || locations.iter().copied().chain(rest);
        let asking = locations().filter(|(path, asks)| asks.asks_for_patterns(path));
        let patterns = asking.min_by_key(|(_, asks)| asks.place);
        let root = locations().find(|(_, asks)| asks.has_root);
        let object = |(_, asks): (&str, &Asks)| Arc::clone(&asks.object);
        (self.patterns, self.root) = (patterns.map(object), root.map(object));
    }

    /// The Ingress whose settings hold where no rule matches.
    pub(super) fn first(&self) -> Option<&Arc<ObjectRef>> {
        self.first.as_ref().map(|first| &first.object)
    }

    /// The Ingress because of which all paths are patterns.
    pub(super) fn patterns(&self) -> Option<&Arc<ObjectRef>> {
        self.patterns.as_ref()
    }

    /// The Ingress that sends clients which ask for the root elsewhere.
    pub(super) fn root(&self) -> Option<&Arc<ObjectRef>> {
        self.root.as_ref()
    }

    /// The Ingress without rules that serves all that is not served otherwise.
    pub(super) fn catches_all(&self) -> Option<&Arc<ObjectRef>> {
        self.catch_all.as_ref()
    }

    /// Whether a rule is for all of it.
    pub(super) fn has_root(&self) -> bool {
        self.has_prefix("/")
    }

    /// Whether a rule that is not Exact is for this path.
    pub(super) fn has_prefix(&self, path: &str) -> bool {
        self.locations.contains_key(&(path.into(), false))
    }

    /// Whether any rule is for this path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.has_exact(path) || self.has_prefix(path)
    }

    /// Whether an Exact rule is for this path.
    pub(super) fn has_exact(&self, path: &str) -> bool {
        self.locations.contains_key(&(path.into(), true))
    }
}
