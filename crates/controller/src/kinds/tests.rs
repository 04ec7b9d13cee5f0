use super::*;

#[test]
fn a_kind_has_the_version_and_the_scope_that_its_type_has() {
    let told: Vec<_> =
        Kind::ALL.iter().map(|kind| (kind.as_str(), kind.api_version(), kind.is_namespaced())).collect();
    let expected = [
        ("Ingress", "networking.k8s.io/v1", true),
        ("IngressClass", "networking.k8s.io/v1", false),
        ("Service", "v1", true),
        ("EndpointSlice", "discovery.k8s.io/v1", true),
        ("Secret", "v1", true),
        ("ConfigMap", "v1", true),
    ];
    assert_eq!(told, expected.map(|(kind, version, namespaced)| (kind, version.into(), namespaced)));
}

#[test]
fn a_group_that_a_kind_has_or_had_is_told_from_that_of_others() {
    for group in ["", "networking.k8s.io", "discovery.k8s.io", "extensions"] {
        assert!(Kind::has_group(group), "{group}");
    }
    assert!(!Kind::has_group("serving.knative.dev") && !Kind::has_group("gateway.networking.k8s.io"));
}

#[test]
fn the_word_in_the_table_is_the_one_that_objects_have() {
    for kind in Kind::ALL {
        assert_eq!(kind.as_str(), kind.resource().kind);
        assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
    }
}
