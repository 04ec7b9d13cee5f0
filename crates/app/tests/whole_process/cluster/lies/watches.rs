//! Watches that lose their place, end at once or tell what cannot be read.

use std::time::Duration;

use serde_json::json;

use super::{api, gate, ingress};
use crate::support::{Lie, Traffic, eventually};

#[test]
fn a_watch_that_is_refused_because_its_place_is_lost_begins_with_a_new_list_and_not_in_haste() {
    let (api, _one) = api();
    let gate = gate(&api).ready();
    let traffic = Traffic::start(gate.http, "web.example");
    let lists = || api.asked(|ask| ask.is_list_of("ingresses"));
    let before = lists();
    api.lie(|ask| ask.is_watch_of("ingresses").then(|| Lie::refusal(410, "Expired")));
    api.end_watches();
    eventually("a new list", || (lists() > before).then_some(()));
    api.put("ingresses", ingress("new", "web"));
    gate.answers("new.example", 200, "one");
    // Doubled from 50 ms to a second, and each a half at least: eleven in five seconds.
    let before = lists();
    traffic.go_on_for(Duration::from_secs(5));
    assert!(lists() - before <= 14, "{} lists in five seconds", lists() - before);
    api.be_honest();
    api.put("ingresses", ingress("last", "web"));
    gate.answers("last.example", 200, "one");
    traffic.end();
}

#[test]
fn an_event_that_cannot_be_read_at_all_is_made_up_for_by_a_new_list() {
    let (api, _one) = api();
    let gate = gate(&api).ready();
    for garbage in [
        "nonsense\n",
        "{\"type\": \"DELETED\", \"object\": {}}\n",
        "{\"type\": \"ADDED\", \"object\": [1]}\n",
    ] {
        let lists = || api.asked(|ask| ask.is_list_of("ingresses"));
        let before = lists();
        let mut told = false;
        api.lie(move |ask| {
            let tell = ask.is_watch_of("ingresses") && !std::mem::replace(&mut told, true);
            tell.then(|| Lie::Watch(garbage.into()))
        });
        api.end_watches();
        eventually(&format!("a new list after {garbage:?}"), || (lists() > before).then_some(()));
        assert!(gate.gives("web.example", 200, "one"));
    }
}

#[test]
fn a_watch_begins_again_where_its_last_bookmark_was() {
    let (api, _one) = api();
    let mut told = false;
    let bookmark = json!({"type": "BOOKMARK", "object": {"kind": "Ingress", "apiVersion": "networking.k8s.io/v1",
        "metadata": {"resourceVersion": "777"}}});
    api.lie(move |ask| {
        let tell = ask.is_watch_of("ingresses") && !std::mem::replace(&mut told, true);
        tell.then(|| Lie::Watch(format!("{bookmark}\n")))
    });
    let _gate = gate(&api).ready();
    let from = |version: &str| {
        api.asked(|ask| ask.is_watch_of("ingresses") && ask.parameter("resourceVersion") == Some(version))
    };
    eventually("a watch from the bookmark on", || (from("777") > 0).then_some(()));
}

#[test]
fn watches_that_end_at_once_are_not_begun_again_in_haste() {
    let (api, _one) = api();
    let gate = gate(&api).ready();
    let traffic = Traffic::start(gate.http, "web.example");
    api.lie(|ask| ask.is_watch.then(|| Lie::Watch("\n".into())));
    api.end_watches();
    let watches = || api.asked(|ask| ask.is_watch_of("ingresses"));
    let before = watches();
    traffic.go_on_for(Duration::from_secs(3));
    assert!(watches() - before < 20, "{} watches in three seconds", watches() - before);
    api.be_honest();
    api.put("ingresses", ingress("last", "web"));
    gate.answers("last.example", 200, "one");
    traffic.end();
}
