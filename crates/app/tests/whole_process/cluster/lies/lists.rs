//! Lists that are wrong, late or in pieces.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{api, gate, ingress};
use crate::support::{FakeApi, Lie, Traffic, eventually};

#[test]
fn an_empty_list_lets_nothing_go_until_each_object_is_said_not_to_exist() {
    let (api, _one) = api();
    let gate = gate(&api).ready();
    let traffic = Traffic::start(gate.http, "web.example");

    // The lists are wrong, and a GET by name is answered truthfully.
    api.lie(|ask| (ask.name.is_empty() && !ask.is_watch).then(|| Lie::list(&[], "")));
    api.forget();
    let looked = |kind: &str| api.asked(|ask| ask.kind == kind && ask.name == "web") > 0;
    eventually("looks at what is missing", || (looked("ingresses") && looked("services")).then_some(()));
    traffic.go_on();

    // A proxy before the API server knows nothing of it at all, or the API server nothing of its kind.
    api.lie(|ask| match (ask.is_watch, &*ask.name, &*ask.kind) {
        (true, ..) | (_, "kube-system", _) => None,
        (_, "", _) => Some(Lie::list(&[], "")),
        (.., "services") => Some(Lie::refusal(404, "NotFound")),
        _ => Some(Lie::Status(404, "404 page not found".into())),
    });
    api.forget();
    gate.tells("watch-failed", "404 page not found");
    gate.tells("watch-failed", "NotFound, says the test");
    traffic.go_on();
    traffic.end();
    assert!(gate.gives("cart.example", 200, "one"));

    // The API server itself says so.
    api.lie(|ask| match (ask.is_watch, &*ask.name) {
        (true, _) | (_, "kube-system") => None,
        (_, "") => Some(Lie::list(&[], "")),
        _ => Some(Lie::not_found(ask)),
    });
    gate.answers("web.example", 404, "");
    gate.answers("cart.example", 404, "");
    gate.tells_no_more("watch-failed", "");
}

#[test]
fn an_object_that_cannot_be_read_costs_no_other_object_anything() {
    let (api, _one) = api();
    let unreadable = json!({"metadata": {"name": "odd", "namespace": "shop"}, "spec": {"rules": "many"}});
    api.put("ingresses", unreadable.clone());
    let gate = gate(&api).ready();
    gate.tells("unreadable-object", "\"name\":\"odd\"");
    let traffic = Traffic::start(gate.http, "web.example");

    api.put("ingresses", ingress("odd", "web"));
    gate.answers("odd.example", 200, "one");
    gate.tells_no_more("unreadable-object", "");
    api.put("ingresses", unreadable);
    gate.tells("unreadable-object", "\"name\":\"odd\"");
    assert!(gate.gives("odd.example", 200, "one"), "what was last read stays in use");
    api.put("ingresses", ingress("later", "web"));
    gate.answers("later.example", 200, "one");
    api.delete("ingresses", "shop", "odd");
    gate.answers("odd.example", 404, "");
    gate.tells_no_more("unreadable-object", "");
    traffic.end();
}

#[test]
fn nothing_is_served_before_the_last_list_has_come() {
    let (api, _one) = api();
    let late = Duration::from_secs(3);
    api.lie(move |ask| ask.is_list_of("endpointslices").then_some(Lie::Late(late)));
    let (started, gate) = (Instant::now(), gate(&api));
    eventually("readiness", || {
        // Asked in this order: what is ready before it answers may not refuse.
        let ready = gate.is_ready();
        let (answer, early) = (gate.client().get("web.example", "/"), started.elapsed() < late);
        assert!(answer.status == 200 || !ready, "{answer:?}");
        assert!(!(early && (ready || answer.status == 200)), "{answer:?} before there were endpoints");
        ready.then_some(())
    });
    assert!(gate.gives("cart.example", 200, "one"));
}

#[test]
fn a_list_whose_second_page_has_expired_is_read_again_from_its_beginning() {
    let (api, _one) = api();
    let expired = Arc::new(AtomicBool::new(false));
    let (web, cart, seen) = (ingress("web", "web"), ingress("cart", "cart"), Arc::clone(&expired));
    api.lie(move |ask| match ask.parameter("continue") {
        _ if !ask.is_list_of("ingresses") => None,
        None => Some(Lie::list(std::slice::from_ref(&web), "second")),
        Some(_) if !seen.swap(true, Ordering::Relaxed) => Some(Lie::refusal(410, "Expired")),
        Some(_) => Some(Lie::list(std::slice::from_ref(&cart), "")),
    });
    let gate = gate(&api).ready();
    assert!(expired.load(Ordering::Relaxed));
    assert!(gate.gives("web.example", 200, "one") && gate.gives("cart.example", 200, "one"));
    let beginnings = api.asked(|ask| ask.is_list_of("ingresses") && ask.parameter("continue").is_none());
    assert!(beginnings >= 2, "{beginnings}");
}

#[test]
fn a_cluster_without_an_ingress_is_no_silent_one() {
    let gate = gate(&FakeApi::start()).ready();
    let told = gate.json("/ready")["no_routes"].as_str().unwrap_or_default().to_owned();
    assert!(told.contains("no Ingress"), "{told}");
    assert!(gate.log().contains(&told), "{}", gate.log());
}
