//! Readers of what is said of another server's word.

use std::net::IpAddr;

use model::{Template, Variable};

use super::{Annotation, denied, shown};
use crate::annotations::{boolean, headers};
use crate::external_name::External;
use crate::policy::{AuthUrl, RouteSettings, UrlHost};
use crate::problems::Fault;
use crate::{external_name, reasons};

/// Longest URL, in bytes.
const URL_BYTES_MAX: usize = 2048;
/// Most fields of an answer that endpoints get.
const RESPONSE_HEADERS_MAX: usize = 64;
/// The methods that a server may be asked with, as ingress-nginx has them without those that carry something else.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Where the server is asked.
pub(in crate::annotations) fn url(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let url = read_url(annotation.value.trim()).map_err(|why| {
        let remedy = "write an http or https URL, in which path and query may have variables of nginx, as $request_uri, \
                      and the host may be $host";
        denied(annotation, &format!("cannot be {}: {why}", shown(annotation.value)), remedy)
    })?;
    settings.auth.external.url = Some((url, annotation.field()));
    Ok(())
}

/// With which method it is asked.
pub(in crate::annotations) fn method(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let method = annotation.value.trim();
    if !METHODS.contains(&method) {
        return Err(denied(annotation, &format!("cannot be {}", shown(method)), "write GET, or remove it"));
    }
    settings.auth.external.method = Some(method.into());
    Ok(())
}

/// Where clients are sent that have to log in. Without it they get the 401 itself.
pub(in crate::annotations) fn sign_in(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let url = annotation.value.trim();
    check_text(url).map_err(|why| no_effect(annotation, &why, "write a URL"))?;
    settings.auth.external.sign_in = Some(url.to_owned());
    Ok(())
}

/// The parameter in which that place is told where they came from.
pub(in crate::annotations) fn sign_in_parameter(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let name = annotation.value.trim();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(allowed) {
        return Err(no_effect(annotation, "it is no name of a parameter", "write letters and digits"));
    }
    settings.auth.external.sign_in_parameter = Some(name.to_owned());
    Ok(())
}

/// What the server is told of where the client wants to go.
pub(in crate::annotations) fn request_redirect(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let template =
        check_text(annotation.value.trim()).map_err(|why| denied(annotation, &why, "write a URL"))?;
    settings.auth.external.request_redirect = Some(template);
    Ok(())
}

/// Fields of its answers that endpoints get.
pub(in crate::annotations) fn response_headers(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let names = annotation.value.split(',').map(str::trim).filter(|name| !name.is_empty());
    if names.clone().nth(RESPONSE_HEADERS_MAX).is_some() {
        let why = format!("names more than {RESPONSE_HEADERS_MAX} fields");
        return Err(denied(annotation, &why, "name fewer"));
    }
    let mut read = Vec::new();
    for name in names {
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !is_name || headers::is_framing(&name.to_ascii_lowercase()) {
            let why = format!("names {}, which no answer can give to an endpoint", shown(name));
            return Err(denied(annotation, &why, "write names of fields with commas between them"));
        }
        read.push(name.to_ascii_lowercase().into());
    }
    settings.auth.external.response_headers = read;
    Ok(())
}

/// Whether clients get the server's cookies with errors, too.
pub(in crate::annotations) fn always_set_cookie(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.auth.external.always_set_cookie = boolean(annotation)?;
    Ok(())
}

/// How connections to the server are kept: as those to all endpoints, so there is nothing to say.
#[expect(clippy::unnecessary_wraps, reason = "it is a reader")]
pub(in crate::annotations) fn kept_alive(
    _: &Annotation<'_>,
    _: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    Ok(())
}

/// A text with variables that becomes a field's value.
fn check_text(text: &str) -> Result<Template, String> {
    if text.is_empty() || text.len() > URL_BYTES_MAX {
        return Err(format!("is empty or longer than {URL_BYTES_MAX} bytes"));
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("has characters that no URL has".into());
    }
    Template::parse(text).map_err(|error| format!("cannot be {}: {error}", shown(text)))
}

fn no_effect(annotation: &Annotation<'_>, why: &str, remedy: &str) -> Vec<Fault> {
    let message = format!("{} {why}; it has no effect", annotation.name);
    Fault::error(reasons::INVALID_ANNOTATION, message, remedy).into()
}

fn read_url(text: &str) -> Result<AuthUrl, String> {
    check_text(text)?;
    let (scheme, rest) = text.split_once("://").ok_or("it has no scheme")?;
    let is_https = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        _ => return Err("its scheme is neither http nor https".into()),
    };
    let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if target.contains('#') {
        return Err("a server is told no fragment".into());
    }
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    let target = Template::parse(&target).map_err(|error| error.to_string())?;
    let (host, port) = split_port(authority)?;
    let port = port.unwrap_or(if is_https { 443 } else { 80 });
    let host_field = Template::parse(host).map_err(|error| error.to_string())?;
    let host = read_host(host, &host_field)?;
    Ok(AuthUrl { is_https, host, port, target, host_field })
}

fn read_host(host: &str, template: &Template) -> Result<UrlHost, String> {
    if [Variable::Host, Variable::HttpHost].iter().any(|variable| template.is(variable)) {
        return Ok(UrlHost::Own);
    }
    if !template.is_constant() {
        return Err("of its host only all may be a variable, $host".into());
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(UrlHost::Address(address));
    }
    let read = external_name::parse(Some(host)).map_err(|fault| fault.message)?;
    Ok(match read {
        External::Name(name) => UrlHost::Name(name),
        External::Address(address) => UrlHost::Address(address),
    })
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), String> {
    if authority.contains('@') {
        return Err("it has a user".into());
    }
    let from =
        if authority.starts_with('[') { authority.find(']').ok_or("its host is no address")? } else { 0 };
    let Some((host, port)) = authority[from..].split_once(':') else { return Ok((authority, None)) };
    let port = port.parse::<u16>().ok().filter(|port| *port != 0);
    let port = port.ok_or("its port is not a number from 1 to 65535")?;
    Ok((&authority[..from + host.len()], Some(port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_into_where_the_server_is_and_what_it_is_asked() {
        for (text, https, host, port, target) in [
            ("http://a.b/c?d=$request_uri", false, UrlHost::Name("a.b".into()), 80, "/c?d=$request_uri"),
            ("HTTPS://A.b.:8443", true, UrlHost::Name("a.b".into()), 8443, "/"),
            ("https://$host/oauth2/auth", true, UrlHost::Own, 443, "/oauth2/auth"),
            ("http://10.0.0.1:80?x", false, UrlHost::Address([10, 0, 0, 1].into()), 80, "/?x"),
            (
                "http://[2001:db8::1]:81/",
                false,
                UrlHost::Address("2001:db8::1".parse().expect("an address")),
                81,
                "/",
            ),
        ] {
            let url = read_url(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(
                (url.is_https, url.host, url.port, url.target.to_string()),
                (https, host, port, target.into())
            );
        }
    }

    #[test]
    fn a_url_that_leads_nowhere_or_to_the_node_itself_is_refused() {
        for text in [
            "",
            "a",
            "/a",
            "ftp://a/",
            "http://",
            "http:///a",
            "http://u@a/",
            "http://a:0/",
            "http://a:x/",
            "http://$arg_x/",
            "http://a.$host/",
            "http://localhost/",
            "http://127.1/",
            "http://a/#b",
            "http://a b/",
            "http://a/$nothing",
            "$scheme://a/",
            "http://a\n/",
            "http://[::1/",
            "http://a..b/",
        ] {
            assert!(read_url(text).is_err(), "{text:?}");
        }
    }
}
