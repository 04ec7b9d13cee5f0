//! What variables of templates are for a request.

use std::borrow::Cow;

use http::header::{self, HeaderMap};
use model::{Facts, Part, Template, Variable};

use super::RequestFacts;
use crate::exchange::Exchange;

/// The text that a template is for a request, before anything of its head is changed.
pub(super) fn expand<B>(template: &Template, exchange: &Exchange, facts: &RequestFacts<'_, B>) -> String {
    let (client, request) = (exchange.carrier.client(), facts.request);
    let text = |text: Option<&str>| Cow::Owned(text.unwrap_or_default().to_owned());
    fill(template, |variable| match variable {
        Variable::Host => text(facts.host().map(|host| host.name())),
        Variable::Target => text(request.uri().path_and_query().map(|target| target.as_str())),
        Variable::Path => text(Some(request.uri().path())),
        Variable::Query => text(request.uri().query()),
        Variable::Scheme => text(Some(client.scheme())),
        Variable::Method => text(Some(request.method().as_str())),
        Variable::ClientAddress => {
            let address = client.address(request.headers());
            Cow::Owned(address.map(|address| address.to_string()).unwrap_or_default())
        }
        Variable::Header(name) => match facts.header(name) {
            // HTTP/2 has it in the target.
            None if **name == *"host" => text(request.uri().authority().map(|authority| authority.as_str())),
            value => Cow::Owned(value.unwrap_or_default().into_owned()),
        },
        Variable::Parameter(name) => Cow::Owned(facts.query(name).unwrap_or_default().into_owned()),
        Variable::Cookie(name) => Cow::Owned(facts.cookie(name).unwrap_or_default().into_owned()),
        _ => text(of_route(variable, exchange)),
    })
}

/// The same, of the head as it is to be sent; of that only the host is looked at.
pub(super) fn expand_host(template: &Template, exchange: &Exchange, head: &HeaderMap) -> String {
    let host = head.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    fill(template, |variable| match variable {
        Variable::Header(_) => Cow::Borrowed(host),
        Variable::Host => {
            let host = model::RequestHost::parse(host);
            Cow::Owned(host.map(|host| host.name().to_owned()).unwrap_or_default())
        }
        _ => Cow::Borrowed(of_route(variable, exchange).unwrap_or_default()),
    })
}

/// What a variable is by the route of a request alone.
fn of_route<'e>(variable: &Variable, exchange: &'e Exchange) -> Option<&'e str> {
    let object = || exchange.route().map(|route| &route.origin.object);
    let backend = || exchange.pool().map(|pool| &pool.cells.key);
    match variable {
        Variable::Namespace => Some(&object()?.namespace),
        Variable::Ingress => Some(&object()?.name),
        Variable::Service => Some(&backend()?.service),
        Variable::ServicePort => Some(&backend()?.port),
        _ => None,
    }
}

fn fill<'v>(template: &Template, value: impl Fn(&Variable) -> Cow<'v, str>) -> String {
    let mut text = String::new();
    for part in template.parts() {
        match part {
            Part::Text(part) => text.push_str(part),
            Part::Variable(variable) => text.push_str(&value(variable)),
        }
    }
    text
}
