//! The filters that a request meets, in order: what each does, what it would answer, and who asked for it.
//!
//! A route does not know which annotation a filter comes from, since no request needs it. Here each annotation is left out once:
//! what is then not there is its.

use std::collections::BTreeMap;
use std::sync::Arc;

use compile::{Compiled, Effect, Objects, Profile, Settings};
use model::{RequestFilter, Route};

use super::facts::AskedFacts;

/// The dialect whose rules hold for an Ingress that has any annotation of it.
const INGRESS_NGINX: &str = "nginx.ingress.kubernetes.io/";

/// A filter of a route.
#[derive(Debug)]
pub(super) struct Met {
    /// What it does.
    pub(super) text: String,
    pub(super) word: &'static str,
    /// What it answers by itself, and to which requests.
    pub(super) answers: Option<&'static str>,
    /// The annotations that it comes from, each with its object; none if it holds where nothing is said.
    pub(super) from: Vec<String>,
}

/// The filters of this route, those of requests first.
pub(super) fn met(route: &Route, objects: &Objects, settings: &Settings) -> Vec<Met> {
    let Some(filters) = &route.policy.filters else { return Vec::new() };
    let request = filters.request().iter().map(|filter| Met {
        text: filter.to_string(),
        word: filter.as_str(),
        answers: answers(filter.as_str()),
        from: Vec::new(),
    });
    let response = filters.response().iter().map(|filter| Met {
        text: filter.to_string(),
        word: filter.as_str(),
        answers: None,
        from: Vec::new(),
    });
    let mut met: Vec<Met> = request.chain(response).collect();
    for (name, without) in without_each(route, objects, settings) {
        let Some(other) = without.table.routes().iter().find(|other| is_same(other, route)) else { continue };
        let left = texts(other);
        for met in met.iter_mut().filter(|met| !left.contains(&met.text)) {
            met.from.push(name.clone());
        }
    }
    met
}

/// What comes of the objects without each annotation of the route's Ingress and each key of the ConfigMap.
fn without_each(route: &Route, objects: &Objects, settings: &Settings) -> Vec<(String, Compiled)> {
    let object = &route.origin.object;
    let of_ingress = |key: &&compile::ObjectKey| key.namespace == object.namespace && key.name == object.name;
    let Some(key) = objects.ingresses.keys().find(of_ingress) else { return Vec::new() };
    let annotations = objects.ingresses[key].metadata.annotations.clone().unwrap_or_default();
    // The rules of the dialect are to go on though one of its annotations is left out.
    let is_theirs = annotations.keys().any(|name| name.starts_with(INGRESS_NGINX));
    let profile = settings.profile.or(is_theirs.then_some(Profile::IngressNginx));
    let settings = Settings { profile, ..settings.clone() };
    let compiled = |objects: &Objects| compile::compile(objects, &settings, 1);
    let asked = annotations.keys().filter(|name| compile::effect_of(name) != Effect::Foreign);
    let of_annotations = asked.map(|name| {
        let (mut objects, mut ingress) = (objects.clone(), (*objects.ingresses[key]).clone());
        remove(&mut ingress.metadata.annotations, name);
        objects.ingresses.insert(key.clone(), Arc::new(ingress));
        (format!("Ingress {key} {name}"), compiled(&objects))
    });
    let config_map = settings.config_map.as_ref().and_then(|key| Some((key, objects.config_maps.get(key)?)));
    let of_config_map = config_map.into_iter().flat_map(|(key, config_map)| {
        let data = config_map.data.clone().unwrap_or_default();
        data.into_keys().map(move |name| (key, config_map, name))
    });
    let of_config_map = of_config_map.map(|(key, config_map, name)| {
        let (mut objects, mut config_map) = (objects.clone(), (**config_map).clone());
        remove(&mut config_map.data, &name);
        objects.config_maps.insert(key.clone(), Arc::new(config_map));
        (format!("ConfigMap {key} {name}"), compiled(&objects))
    });
    of_annotations.chain(of_config_map).collect()
}

fn remove(map: &mut Option<BTreeMap<String, String>>, name: &str) {
    if let Some(map) = map {
        map.remove(name);
    }
}

/// Whether two routes were written in the same place.
fn is_same(one: &Route, other: &Route) -> bool {
    one.origin.object == other.origin.object
        && one.origin.field == other.origin.field
        && one.host == other.host
}

fn texts(route: &Route) -> Vec<String> {
    let filters = route.policy.filters.iter();
    let texts = filters.flat_map(|filters| {
        let request = filters.request().iter().map(ToString::to_string);
        request.chain(filters.response().iter().map(ToString::to_string))
    });
    texts.collect()
}

/// What filters answer by themselves.
fn answers(word: &str) -> Option<&'static str> {
    match word {
        "deny" => Some("503 to all"),
        "https-redirect" => Some("the redirect to those that speak plain HTTP"),
        "addresses" => Some("403 to clients of other addresses"),
        "app-root" => Some("302 to those that ask for /"),
        "auth" => Some("401, 403 or another place to those that are not let in"),
        "cors" => Some("204 to preflights"),
        "limits" => Some("503, or what is set, to clients that send too much"),
        "redirect" | "rewrite-redirect" | "slash-redirect" => Some("the redirect"),
        _ => None,
    }
}

/// The status that the filters answer this request with in any case, and why.
pub(super) fn certain(route: &Route, facts: &AskedFacts<'_>) -> Option<(u16, String)> {
    let filters = route.policy.filters.as_ref()?;
    let lacks_slash = route.path.as_str() == facts.path.matching();
    filters.request().iter().find_map(|filter| match filter {
        RequestFilter::Deny => {
            Some((503, "denied: what was to guard access cannot be honoured; `check` says why".to_owned()))
        }
        RequestFilter::Slash(redirect) if lacks_slash => {
            Some((redirect.status, "sent to the same path with a slash at its end".to_owned()))
        }
        RequestFilter::Https(redirect) if facts.asked.is_plain => {
            Some((redirect.status, "sent to the same place over https".to_owned()))
        }
        RequestFilter::Elsewhere(_) => Some((302, "sent to another URL: see filters".to_owned())),
        RequestFilter::Redirect(redirect) => Some((redirect.status, format!("sent to {}", redirect.to))),
        _ => None,
    })
}
