//! Texts with nginx' variables.

use std::sync::Arc;

use model::{Part, Template, Variable};

/// Most parts of a text: what is asked for has two or three.
const PARTS_MAX: usize = 32;

/// Reads a text with `$name` and `${name}`.
///
/// # Errors
/// Says what is no variable that we have, or what is wrong with the text.
pub(super) fn template(text: &str) -> Result<Template, String> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        if parts.len() == PARTS_MAX {
            return Err(format!("it has more than {PARTS_MAX} parts"));
        }
        let Some(variable) = rest.strip_prefix('$') else {
            let end = rest.find('$').unwrap_or(rest.len());
            parts.push(Part::Text(rest[..end].into()));
            rest = &rest[end..];
            continue;
        };
        let (name, after) = match variable.strip_prefix('{') {
            Some(braced) => braced.split_once('}').ok_or("a { is not closed")?,
            None => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                variable.split_at(variable.find(|c| !is_name(c)).unwrap_or(variable.len()))
            }
        };
        parts.push(Part::Variable(
            known(name).ok_or_else(|| format!("${name} is no variable that is known here"))?,
        ));
        rest = after;
    }
    Ok(Template::new(parts))
}

/// The variable of this name.
fn known(name: &str) -> Option<Variable> {
    let of = |prefix: &str| name.strip_prefix(prefix).filter(|rest| !rest.is_empty());
    if let Some(field) = of("http_") {
        return Some(Variable::Header(field.to_ascii_lowercase().replace('_', "-").into()));
    }
    if let Some(parameter) = of("arg_") {
        return Some(Variable::Parameter(Arc::from(parameter)));
    }
    if let Some(cookie) = of("cookie_") {
        return Some(Variable::Cookie(Arc::from(cookie)));
    }
    Some(match name {
        "host" | "server_name" | "best_http_host" => Variable::Host,
        "request_uri" => Variable::Target,
        "uri" | "document_uri" => Variable::Path,
        "args" | "query_string" => Variable::Query,
        "scheme" | "pass_access_scheme" => Variable::Scheme,
        "request_method" => Variable::Method,
        "remote_addr" | "binary_remote_addr" | "the_real_ip" => Variable::ClientAddress,
        "namespace" => Variable::Namespace,
        "ingress_name" => Variable::Ingress,
        "service_name" => Variable::Service,
        "service_port" => Variable::ServicePort,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_variables_take_turns_however_they_are_written() {
        for (text, shown) in [
            ("$request_uri", "{target}"),
            ("${request_uri}-text$host", "{target}-text{host}"),
            ("$http_X_User-a", "{header x-user}-a"),
            ("$arg_id$cookie_sid", "{parameter id}{cookie sid}"),
            ("$service_name.$namespace.svc", "{service}.{namespace}.svc"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(template(text).map(|template| template.to_string()).as_deref(), Ok(shown), "{text}");
        }
        for text in ["$", "${host", "${}", "$request_id", "$http_", &"$host".repeat(33)] {
            assert!(template(text).is_err(), "{text}");
        }
    }
}
