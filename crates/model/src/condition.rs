//! What may be asked of a request beside its host and path.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use crate::{Facts, Pattern};

/// Something that holds of a request or does not. Ordered as a route's conditions are asked: what costs least first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestCondition {
    /// It has this method, in the case it is written in (RFC 9110 §9.1).
    Method(Arc<str>),
    /// It has a header field with such a value.
    Header {
        /// The field's name, in lower case.
        name: Arc<str>,
        /// Its value; see [`Facts::header`].
        value: ValueMatch,
    },
    /// Its query has a parameter with such a value.
    Query {
        /// The parameter's name.
        name: Arc<str>,
        /// Its value; see [`Facts::query`].
        value: ValueMatch,
    },
    /// It has a cookie with such a value.
    Cookie {
        /// The cookie's name.
        name: Arc<str>,
        /// Its value; see [`Facts::cookie`].
        value: ValueMatch,
    },
}

impl RequestCondition {
    /// Whether it holds of a request.
    pub fn holds(&self, facts: &impl Facts) -> bool {
        let (found, expected) = match self {
            RequestCondition::Method(method) => return facts.method() == &**method,
            RequestCondition::Header { name, value } => (facts.header(name), value),
            RequestCondition::Query { name, value } => (facts.query(name), value),
            RequestCondition::Cookie { name, value } => (facts.cookie(name), value),
        };
        found.is_some_and(|found| expected.matches(&found))
    }
}

impl fmt::Display for RequestCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestCondition::Method(method) => write!(f, "method {method}"),
            RequestCondition::Header { name, value } => write!(f, "header {name} {value}"),
            RequestCondition::Query { name, value } => write!(f, "query {name} {value}"),
            RequestCondition::Cookie { name, value } => write!(f, "cookie {name} {value}"),
        }
    }
}

/// Which values a condition holds for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueMatch {
    /// This one.
    Exact(Arc<str>),
    /// Those that the pattern matches.
    Pattern(Pattern),
}

impl ValueMatch {
    fn matches(&self, value: &str) -> bool {
        match self {
            ValueMatch::Exact(exact) => **exact == *value,
            ValueMatch::Pattern(pattern) => pattern.matches(value),
        }
    }
}

impl fmt::Display for ValueMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueMatch::Exact(exact) => write!(f, "= {exact}"),
            ValueMatch::Pattern(pattern) => write!(f, "~ {}", pattern.as_str()),
        }
    }
}

/// What must hold of a request for a route, all of it. Most routes have none, which costs no memory beyond the route.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conditions(Box<[RequestCondition]>);

impl Conditions {
    /// These conditions, given in any order. What is given twice counts once, so that two routes that ask the same have
    /// equal conditions.
    pub fn new(mut conditions: Vec<RequestCondition>) -> Conditions {
        conditions.sort();
        conditions.dedup();
        Conditions(conditions.into())
    }

    /// Whether all of them hold of a request.
    pub fn hold(&self, facts: &impl Facts) -> bool {
        self.0.iter().all(|condition| condition.holds(facts))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &RequestCondition> {
        self.0.iter()
    }

    /// Sorts those that are asked first before others: as the Gateway API has it, those with a method, then those with more
    /// header fields, then those with more query parameters (and, beyond it, those with more cookies).
    pub(crate) fn precedence(&self) -> impl Ord + use<> {
        let mut counts = [0_usize; 4];
        for condition in &self.0 {
            counts[match condition {
                RequestCondition::Method(_) => 0,
                RequestCondition::Header { .. } => 1,
                RequestCondition::Query { .. } => 2,
                RequestCondition::Cookie { .. } => 3,
            }] += 1;
        }
        Reverse(counts)
    }
}
