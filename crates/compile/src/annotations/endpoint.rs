//! Readers of what is said of how requests come to endpoints: how they are shared among them, by which address they go, and which
//! host they ask for.

use model::{Balance, Piece, Template, Variable};

use super::{Annotation, boolean, shown};
use crate::policy::RouteSettings;
use crate::problems::Fault;
use crate::reasons;

/// How endpoints share requests.
pub(super) fn balance(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let known = Balance::parse(annotation.value);
    let words = Balance::ALL.map(Balance::as_str).join(" or ");
    settings.balance = known.ok_or_else(|| no_balance(annotation, settings, &words))?;
    Ok(())
}

/// The same in ingress-nginx' words. Its `ewma` takes of two endpoints picked at random the one that has answered
/// sooner of late; ours the one with fewer requests in flight, which comes to the same.
pub(super) fn nginx_balance(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.balance = match annotation.value.trim() {
        "round_robin" => Balance::RoundRobin,
        "ewma" => Balance::LeastRequest,
        _ => return Err(no_balance(annotation, settings, "round_robin or ewma")),
    };
    Ok(())
}

/// The text of which each has its endpoint.
pub(super) fn hash_by(annotation: &Annotation<'_>, settings: &mut RouteSettings) -> Result<(), Vec<Fault>> {
    let text = annotation.value.trim();
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_${}".contains(&b);
    let template = if text.bytes().all(is_allowed) {
        Template::parse(text).map_err(|error| error.to_string())
    } else {
        Err("it may have letters, digits and -, _, $, {, } only".into())
    };
    settings.hash_by = Some(template.map_err(|why| invalid(annotation, &why, "it has no effect"))?);
    Ok(())
}

/// Whether requests go to the Service's own address.
pub(super) fn by_service(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    settings.by_service = boolean(annotation)?;
    Ok(())
}

/// The host that endpoints are asked for. A client must not be able to choose it: of what it sends it may have the host alone, by
/// which its route was found.
pub(super) fn upstream_host(
    annotation: &Annotation<'_>,
    settings: &mut RouteSettings,
) -> Result<(), Vec<Fault>> {
    let is_safe = |piece: &Piece| match piece {
        Piece::Text(_) => true,
        Piece::Variable(variable) => matches!(
            variable,
            Variable::Host
                | Variable::HttpHost
                | Variable::Namespace
                | Variable::Ingress
                | Variable::Service
                | Variable::ServicePort
        ),
    };
    let text = annotation.value.trim();
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]${}".contains(&b);
    let template = if text.is_empty() || !text.bytes().all(is_allowed) {
        Err("it is no host".into())
    } else {
        let parsed = Template::parse(text).map_err(|error| error.to_string());
        parsed.and_then(|template| {
            let is_safe = template.pieces().iter().all(is_safe);
            is_safe.then_some(template).ok_or_else(|| "a host cannot have what clients send in it".into())
        })
    };
    let template = template.map_err(|why| invalid(annotation, &why, "endpoints get the client's host"))?;
    settings.upstream_host = Some(template);
    Ok(())
}

fn no_balance(annotation: &Annotation<'_>, settings: &RouteSettings, words: &str) -> Vec<Fault> {
    let Annotation { name, value, .. } = annotation;
    let message = format!("{name} cannot be {}; {} applies", shown(value), settings.balance.as_str());
    Fault::error(reasons::INVALID_ANNOTATION, message, format!("write {words}")).into()
}

fn invalid(Annotation { name, value, .. }: &Annotation<'_>, why: &str, instead: &str) -> Vec<Fault> {
    let message = format!("{name} cannot be {}: {why}; {instead}", shown(value));
    Fault::error(reasons::INVALID_ANNOTATION, message, "write a text, with nginx' variables such as $host")
        .into()
}
