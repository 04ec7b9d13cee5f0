//! What becomes of the Secrets for handshakes with endpoints.

use super::world::{World, issue};
use crate::reasons;

#[test]
fn what_a_secret_has_is_live_once_an_ingress_names_it_and_until_none_does() {
    let mut world = World::new();
    let (authority, ours) = (issue(&["authority"]), issue(&["edge.test"]));
    world.data("shop/mine", &[("ca.crt", authority.chain.as_bytes())]);
    assert!(world.update_upstream().is_none(), "no Ingress names it");
    world.upstream("shop/web", "mine");
    let live = world.update_upstream().expect("credentials");
    assert!(live.find("shop", "mine").is_some_and(|found| found.certificate().is_none()));
    assert!(live.find("bank", "mine").is_none());
    assert!(world.update_upstream().is_none(), "nothing has changed");
    let pair = [("tls.crt", ours.chain.as_bytes()), ("tls.key", ours.key.as_bytes())];
    world.data("shop/mine", &pair);
    let live = world.update_upstream().expect("other credentials");
    assert!(live.find("shop", "mine").is_some_and(|found| found.certificate().is_some()));
    world.remove_ingress("shop/web");
    let live = world.update_upstream().expect("nothing any more");
    assert!(live.find("shop", "mine").is_none());
    assert_eq!(world.told(), [""; 0]);
}

#[test]
fn a_secret_that_is_spoilt_or_deleted_keeps_what_was_good() {
    let mut world = World::new();
    let (authority, ours) = (issue(&["authority"]), issue(&["edge.test"]));
    world.upstream("shop/web", "mine");
    world.data("shop/mine", &[("ca.crt", authority.chain.as_bytes())]);
    world.update_upstream().expect("credentials");
    let key = ours.key.as_bytes();
    for (data, reason, text) in [
        (&[("ca.crt", &b"x"[..])][..], reasons::INVALID_CERTIFICATE, "data[ca.crt]: has no CA certificate"),
        (&[("ca.crt", b"")], reasons::STALE_CERTIFICATE, "has lost a part"),
        (&[("ca.crt", authority.chain.as_bytes()), ("tls.key", key)], reasons::STALE_CERTIFICATE, "has lost"),
        (
            &[("tls.crt", authority.chain.as_bytes()), ("tls.key", key)],
            reasons::INVALID_CERTIFICATE,
            "data[tls.key]: does not belong to the certificate",
        ),
    ] {
        world.data("shop/mine", data);
        assert!(world.update_upstream().is_none(), "{text}");
        let told = world.problems(reason);
        assert!(told.len() == 1 && told[0].contains(text) && told[0].contains("stays in use"), "{told:?}");
    }
    world.delete("shop/mine");
    assert!(world.update_upstream().is_none());
    assert!(world.problems(reasons::STALE_CERTIFICATE)[0].contains("does not exist any more"));
}

#[test]
fn a_bad_secret_that_was_never_good_gives_nothing() {
    let mut world = World::new();
    world.upstream("shop/web", "mine");
    let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    world.data("shop/mine", &[("ca.crt", bad.as_bytes())]);
    assert!(world.update_upstream().is_none());
    let told = world.problems(reasons::INVALID_CERTIFICATE);
    assert!(told.len() == 1 && told[0].contains("at place 1") && !told[0].contains("stays"), "{told:?}");
}
