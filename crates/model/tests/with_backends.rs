//! A table with other backends: what it shares with the one it was made from, and what it does not.

use std::sync::Arc;

use model::{
    Backend, BackendKey, Condition, Conditions, Endpoint, EndpointKey, HostMatch, ObjectRef, Origin,
    PathMatch, Policy, Route, RouteTable, RouteTableBuilder, Target,
};

fn backend(service: &str, address: &str) -> Backend {
    let key = BackendKey {
        namespace: "shop".into(),
        service: service.into(),
        port: "80".into(),
        transport: Arc::default(),
    };
    let endpoint = EndpointKey { address: address.parse().expect("an address"), uid: "a".into() };
    Backend::new(key, vec![Endpoint { key: endpoint, condition: Condition::Ready }])
}

/// A route to `web` and one to `api`, of generation 1.
fn table() -> RouteTable {
    let mut builder = RouteTableBuilder::default();
    for (service, place) in [("web", 0), ("api", 1)] {
        let made = backend(service, "10.0.0.1:80");
        let backend = builder.backend(&made.key.clone(), || made);
        builder.route(Route {
            host: HostMatch::Any,
            path: PathMatch::exact(&format!("/{service}")).expect("a path"),
            conditions: Conditions::default(),
            target: Target::Backend(backend),
            policy: Arc::new(Policy::default()),
            origin: Origin { place, ..Origin::new(ObjectRef::new("Ingress", "shop", "a"), "spec.rules[0]") },
        });
    }
    builder.build(1)
}

/// The place of the backend of one of the routes.
fn place_of(table: &RouteTable, route: usize) -> u32 {
    table.routes()[route].target.backends().next().expect("a backend")
}

#[test]
fn only_the_backends_that_are_named_differ() {
    let old = table();
    let place = place_of(&old, 0);
    let new = old.with_backends(2, [(place, backend("web", "10.0.0.2:80"))]);
    assert_eq!((old.generation, new.generation), (1, 2));
    assert_eq!(**new.backend_at(place), backend("web", "10.0.0.2:80"));
    assert!(Arc::ptr_eq(new.backend_at(place_of(&new, 1)), old.backend_at(place_of(&old, 1))));
    assert!(std::ptr::eq(old.routes(), new.routes()), "the routes are shared");
}

/// A request keeps the table it began with.
#[test]
fn the_table_it_was_made_from_stays_as_it_was() {
    let old = table();
    let place = place_of(&old, 0);
    drop(old.with_backends(2, [(place, backend("web", "10.0.0.2:80"))]));
    assert_eq!(**old.backend_at(place), backend("web", "10.0.0.1:80"));
}

#[test]
fn without_other_backends_all_are_shared() {
    let old = table();
    let new = old.with_backends(2, []);
    assert!(std::ptr::eq(old.backends(), new.backends()));
}
