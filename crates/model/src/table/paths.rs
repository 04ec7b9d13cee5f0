//! The routes of one host, and which of them a request gets.

use std::sync::Arc;

use super::Map;
use crate::{Facts, PathMatch, Pattern, Route};

/// Most work (bytes of programs times bytes of the path) that a request may make of its host's patterns: some four
/// milliseconds at worst, which only patterns and paths that are made for it come to. A usual pattern takes 2 KiB, so that 50 of
/// them, where each has to be looked at to its end, may be asked for a path of 600 bytes.
const WORK_MAX: usize = 64 << 20;

/// The routes of one host.
#[derive(Debug, Default)]
pub(super) struct Paths {
    exact: Map<Box<str>, SamePath>,
    /// Few hosts have any, and the others are not to pay for them.
    patterns: Option<Box<Patterns>>,
    prefix: Map<Box<str>, SamePath>,
    /// The lengths that occur in `prefix`, longest first: no others need a look.
    prefix_lengths: Box<[usize]>,
    /// What serves the requests that no rule does.
    pub(super) default: SamePath,
}

#[derive(Debug, Default)]
struct Patterns {
    routes: Map<Pattern, SamePath>,
    /// The order in which they are asked.
    order: Vec<Pattern>,
}

/// The routes of one host for one path, which differ in their conditions. Small, because most have one route without any,
/// and tables are large: what is not in the CPU's caches costs more than all else here.
#[derive(Debug, Default)]
pub(super) struct SamePath {
    conditional: Option<Box<Conditional>>,
    plain: Option<Arc<Route>>,
}

/// Routes with conditions, in the order in which they are asked.
#[derive(Debug, Default)]
struct Conditional {
    routes: Vec<Arc<Route>>,
}

impl Paths {
    /// The route for a request of this host: Exact before patterns before Prefix, the longest first, and then the default.
    ///
    /// # Errors
    /// If not all patterns could be asked: what stands behind them must not be reached past them.
    pub(super) fn find(&self, facts: &impl Facts) -> Result<Option<&Arc<Route>>, TooMuchWork> {
        let path = facts.path().matching();
        if !self.exact.is_empty()
            && let Some(route) = self.exact.get(path).and_then(|routes| routes.find(facts))
        {
            return Ok(Some(route));
        }
        if let Some(patterns) = &self.patterns
            && let Some(route) = patterns.find(facts)?
        {
            return Ok(Some(route));
        }
        let ends_element = |length: usize| matches!(path.as_bytes().get(length), None | Some(b'/'));
        let lengths =
            self.prefix_lengths.iter().filter(|length| **length <= path.len() && ends_element(**length));
        let mut found = lengths.filter_map(|length| self.prefix.get(&path[..*length])?.find(facts));
        Ok(found.next().or_else(|| self.default.find(facts)))
    }

    /// The routes that there are for a path of a rule.
    pub(super) fn get(&self, path: &PathMatch) -> Option<&SamePath> {
        match path {
            PathMatch::Exact(path) => self.exact.get(&**path),
            PathMatch::Prefix(path) => self.prefix.get(&**path),
            PathMatch::Pattern(pattern) => self.patterns.as_ref()?.routes.get(pattern),
        }
    }

    /// The place for the routes of a path.
    pub(super) fn at(&mut self, path: &PathMatch) -> &mut SamePath {
        match path {
            PathMatch::Exact(path) => self.exact.entry((**path).into()).or_default(),
            PathMatch::Prefix(path) => self.prefix.entry((**path).into()).or_default(),
            PathMatch::Pattern(pattern) => {
                self.patterns.get_or_insert_default().routes.entry(pattern.clone()).or_default()
            }
        }
    }

    /// Brings everything into the order in which it is asked, once all routes are there.
    pub(super) fn sort(&mut self) {
        let mut lengths: Vec<usize> = self.prefix.keys().map(|path| path.len()).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        lengths.dedup();
        self.prefix_lengths = lengths.into();
        let exact_and_prefix = self.exact.values_mut().chain(self.prefix.values_mut());
        exact_and_prefix.chain([&mut self.default]).for_each(SamePath::sort);
        if let Some(patterns) = &mut self.patterns {
            patterns.sort();
        }
    }
}

/// The patterns are too many and too large for so long a path.
pub(super) struct TooMuchWork;

impl Patterns {
    fn find(&self, facts: &impl Facts) -> Result<Option<&Arc<Route>>, TooMuchWork> {
        let path = facts.path().decoded();
        let mut work = 0;
        for pattern in self.order.iter().filter(|pattern| pattern.may_match(&path)) {
            work += pattern.work(path.len());
            if work > WORK_MAX {
                return Err(TooMuchWork);
            }
            if pattern.matches(&path)
                && let Some(route) = self.routes.get(pattern).and_then(|routes| routes.find(facts))
            {
                return Ok(Some(route));
            }
        }
        Ok(None)
    }

    /// As ingress-nginx sorts its locations: the longest first, of the same length the greater by its bytes, then the older.
    fn sort(&mut self) {
        self.routes.values_mut().for_each(SamePath::sort);
        let mut order: Vec<_> = self.routes.iter().collect();
        order.sort_by(|(a, first), (b, second)| {
            let (one, other) = (a.as_str(), b.as_str());
            let by_text = other.len().cmp(&one.len()).then_with(|| other.cmp(one));
            by_text.then_with(|| first.oldest().cmp(&second.oldest())).then_with(|| a.cmp(b))
        });
        self.order = order.into_iter().map(|(pattern, _)| pattern.clone()).collect();
    }
}

impl SamePath {
    /// The first route of which all conditions hold.
    pub(super) fn find(&self, facts: &impl Facts) -> Option<&Arc<Route>> {
        match &self.conditional {
            None => self.plain.as_ref(),
            Some(conditional) => {
                let mut routes = conditional.routes.iter();
                routes.find(|route| route.conditions.hold(facts)).or(self.plain.as_ref())
            }
        }
    }

    /// Adds a route, oldest first.
    ///
    /// # Errors
    /// Gives the route that there is for the same conditions.
    pub(super) fn insert(&mut self, route: &Arc<Route>) -> Result<(), Arc<Route>> {
        if let Some(first) = self.routes().find(|first| first.conditions == route.conditions) {
            return Err(Arc::clone(first));
        }
        if route.conditions.is_empty() {
            self.plain = Some(Arc::clone(route));
        } else {
            self.conditional.get_or_insert_default().routes.push(Arc::clone(route));
        }
        Ok(())
    }

    /// The route without conditions.
    pub(super) fn plain(&self) -> Option<&Arc<Route>> {
        self.plain.as_ref()
    }

    /// Whether this very route is one of them.
    pub(super) fn has(&self, route: &Arc<Route>) -> bool {
        self.routes().any(|one| Arc::ptr_eq(one, route))
    }

    fn routes(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.conditional.iter().flat_map(|conditional| &conditional.routes).chain(&self.plain)
    }

    fn oldest(&self) -> Option<&crate::Origin> {
        self.routes().map(|route| &route.origin).min()
    }

    /// The one with more conditions first, and the older one of those with as many: they were added in that order.
    pub(super) fn sort(&mut self) {
        if let Some(conditional) = &mut self.conditional {
            conditional.routes.sort_by_key(|route| route.conditions.precedence());
        }
    }
}
