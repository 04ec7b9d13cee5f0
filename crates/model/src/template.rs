//! Texts with variables of a request in them, in nginx' words.

use std::fmt;
use std::sync::Arc;

/// Most pieces of a template: each may have a whole request's head put in its place.
const PIECES_MAX: usize = 32;

/// A text with variables in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Template(Arc<[Piece]>);

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Piece {
    /// What stands there.
    Text(Arc<str>),
    /// What is put there.
    Variable(Variable),
}

macro_rules! variables {
    ($($(#[$doc:meta])* $name:ident = $($word:literal)|+,)*) => {
        /// What of a request is put into a template.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Variable {
            $($(#[$doc])* $name,)*
            /// `$arg_NAME`: a parameter of the query, as it was written.
            Argument(Arc<str>),
            /// `$http_NAME`: a field of the head, its name in lower case.
            Header(Arc<str>),
            /// `$cookie_NAME`.
            Cookie(Arc<str>),
        }

        impl Variable {
            fn of(word: &str) -> Option<Variable> {
                match word {
                    $($($word)|+ => Some(Variable::$name),)*
                    _ => Variable::with_name(word),
                }
            }

            fn word(&self) -> String {
                match self {
                    $(Variable::$name => [$($word),+][0].to_owned(),)*
                    Variable::Argument(name) => format!("arg_{name}"),
                    Variable::Header(name) => format!("http_{}", name.replace('-', "_")),
                    Variable::Cookie(name) => format!("cookie_{name}"),
                }
            }
        }
    };
}

variables! {
    /// The host, in lower case and without its port.
    Host = "host" | "server_name",
    /// The host as it was written.
    HttpHost = "http_host" | "best_http_host",
    /// `http` or `https`: what the connection speaks.
    Scheme = "scheme",
    /// The same, or what a trusted proxy says of it.
    PassScheme = "pass_access_scheme",
    /// Path and query as they came.
    RequestUri = "request_uri",
    /// The same, escaped so that it can be a value in a query.
    EscapedRequestUri = "escaped_request_uri",
    /// The path.
    Path = "uri" | "document_uri",
    /// The query.
    Query = "args" | "query_string",
    /// `?` if there is a query.
    IsArgs = "is_args",
    /// The client's address.
    RemoteAddress = "remote_addr" | "binary_remote_addr" | "the_real_ip",
    /// The method.
    Method = "request_method",
    /// The namespace of the route's object.
    Namespace = "namespace",
    /// The name of the route's object.
    Ingress = "ingress_name",
    /// The Service that the request goes to.
    Service = "service_name",
    /// Its port, as the route names it.
    ServicePort = "service_port",
    /// All three with hyphens between them, as ingress-nginx names what it sends requests to.
    Upstream = "proxy_upstream_name" | "proxy_host",
    /// The seconds since 1970, with three decimals.
    Seconds = "msec",
}

impl Variable {
    fn with_name(word: &str) -> Option<Variable> {
        let (kind, name) = word.split_once('_').filter(|(_, name)| !name.is_empty())?;
        match kind {
            "arg" => Some(Variable::Argument(name.into())),
            "http" => Some(Variable::Header(name.to_ascii_lowercase().replace('_', "-").into())),
            "cookie" => Some(Variable::Cookie(name.into())),
            _ => None,
        }
    }
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// There is no such variable.
    Unknown(String),
    /// There are too many.
    TooMany,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TemplateError::Unknown(name) => write!(f, "the variable ${name} is not known"),
            TemplateError::TooMany => {
                write!(f, "it has more than {PIECES_MAX} variables and texts between them")
            }
        }
    }
}

impl std::error::Error for TemplateError {}

impl Template {
    /// Reads `$NAME` and `${NAME}`.
    ///
    /// # Errors
    /// Says which variable is not known.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('$') {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.into()));
            }
            let in_braces = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let (name, after) = in_braces.unwrap_or_else(|| {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                after.split_at(end.unwrap_or(after.len()))
            });
            let unknown = || TemplateError::Unknown(name.chars().take(64).collect());
            pieces.push(Piece::Variable(Variable::of(name).ok_or_else(unknown)?));
            rest = after;
            if pieces.len() > PIECES_MAX {
                return Err(TemplateError::TooMany);
            }
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Ok(Template(pieces.into()))
    }

    /// Its parts.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// Whether it is that variable and nothing else.
    pub fn is(&self, variable: &Variable) -> bool {
        matches!(&*self.0, [Piece::Variable(only)] if only == variable)
    }

    /// Whether it is the same for all requests.
    pub fn is_constant(&self) -> bool {
        self.0.iter().all(|piece| matches!(piece, Piece::Text(_)))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(text),
            Piece::Variable(variable) => write!(f, "${}", variable.word()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_with_braces_and_without_and_shown_as_they_were_written() {
        for text in ["", "a", "https://$host/x?rd=$escaped_request_uri", "$http_x_a$arg_b-$cookie_c"] {
            assert_eq!(Template::parse(text).map(|template| template.to_string()), Ok(text.to_owned()));
        }
        let template = Template::parse("${host}s").expect("a template");
        let pieces = [Piece::Variable(Variable::Host), Piece::Text("s".into())];
        assert_eq!(template.pieces(), pieces);
    }

    #[test]
    fn what_is_no_variable_is_refused() {
        for text in ["$", "$$host", "$nothing", "${host", "$http_", "${}"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
        assert_eq!(Template::parse(&"$host".repeat(PIECES_MAX + 1)), Err(TemplateError::TooMany));
    }
}
