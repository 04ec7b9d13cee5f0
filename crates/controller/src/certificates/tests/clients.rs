//! What becomes of the Secrets that clients are verified by.

use super::world::{World, issue};
use crate::reasons;

#[test]
fn a_bundle_is_live_while_an_ingress_demands_it_and_its_removal_keeps_clients_out() {
    let mut world = World::new();
    let authority = issue(&["authority"]);
    let bundle = [("ca.crt", authority.chain.as_bytes())];
    world.data("shop/mine", &bundle);
    assert!(world.update_clients().is_none(), "no Ingress names it");
    world.clients("shop/web", "mine");
    let live = world.update_clients().expect("a bundle");
    assert!(live.find("shop/mine").is_some() && live.find("bank/mine").is_none());
    assert!(world.update_clients().is_none(), "nothing has changed");

    world.data("shop/mine", &[("tls.crt", authority.chain.as_bytes())]);
    assert!(world.update_clients().expect("nothing any more").find("shop/mine").is_none());
    world.data("shop/mine", &bundle);
    assert!(world.update_clients().expect("again").find("shop/mine").is_some());
    world.delete("shop/mine");
    assert!(world.update_clients().expect("nothing any more").find("shop/mine").is_none());
    assert_eq!(world.told(), [""; 0], "that is told of the Ingress");
}

#[test]
fn a_bundle_that_is_spoilt_leaves_the_last_good_one_and_is_told() {
    let mut world = World::new();
    let authority = issue(&["authority"]);
    world.clients("shop/web", "mine");
    world.data("shop/mine", &[("ca.crt", authority.chain.as_bytes())]);
    world.update_clients().expect("a bundle");
    for (data, text) in [
        (&[("ca.crt", &b"x"[..])][..], "data[ca.crt]: has no CA certificate"),
        // A list that is empty is not one that nothing was ever revoked by.
        (&[("ca.crt", authority.chain.as_bytes()), ("ca.crl", b"")], "data[ca.crl]: is empty"),
    ] {
        world.data("shop/mine", data);
        assert!(world.update_clients().is_none(), "{text}");
        let told = world.problems(reasons::INVALID_CERTIFICATE);
        assert!(told.len() == 1 && told[0].contains(text) && told[0].contains("stays in use"), "{told:?}");
    }
}
