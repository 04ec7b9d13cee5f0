//! Texts with places for what a request and its route are like.

use std::fmt;
use std::sync::Arc;

/// A text with places for variables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Template(Box<[Part]>);

/// A part of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// As it stands.
    Text(Arc<str>),
    /// What a request or its route has there.
    Variable(Variable),
}

/// What a request or its route has; empty if it has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variable {
    /// The request's host, without its port.
    Host,
    /// Its target as it came.
    Target,
    /// Its path, without query, as it came.
    Path,
    /// Its query, without the `?`.
    Query,
    /// `http` or `https`, whichever is spoken on its connection.
    Scheme,
    /// Its method.
    Method,
    /// The client's address.
    ClientAddress,
    /// A header field, by its name in lower case.
    Header(Arc<str>),
    /// A parameter of the query.
    Parameter(Arc<str>),
    /// A cookie.
    Cookie(Arc<str>),
    /// The namespace of the route's Ingress.
    Namespace,
    /// The name of the route's Ingress.
    Ingress,
    /// The Service that the request goes to.
    Service,
    /// Its port, as the Ingress names it.
    ServicePort,
}

impl Template {
    /// These parts, one after the other.
    pub fn new(parts: Vec<Part>) -> Template {
        Template(parts.into())
    }

    /// Its parts.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Its variables.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Variable(variable) => Some(variable),
        })
    }
}

/// Variables stand in braces.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Variable(variable) => write!(f, "{{{variable}}}"),
        })
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Variable::Host => f.write_str("host"),
            Variable::Target => f.write_str("target"),
            Variable::Path => f.write_str("path"),
            Variable::Query => f.write_str("query"),
            Variable::Scheme => f.write_str("scheme"),
            Variable::Method => f.write_str("method"),
            Variable::ClientAddress => f.write_str("client address"),
            Variable::Header(name) => write!(f, "header {name}"),
            Variable::Parameter(name) => write!(f, "parameter {name}"),
            Variable::Cookie(name) => write!(f, "cookie {name}"),
            Variable::Namespace => f.write_str("namespace"),
            Variable::Ingress => f.write_str("ingress"),
            Variable::Service => f.write_str("service"),
            Variable::ServicePort => f.write_str("service port"),
        }
    }
}
