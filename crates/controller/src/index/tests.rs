//! What is a change, and of what.

use super::*;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::Ingress;

fn service(name: &str, external_name: Option<&str>) -> Object {
    let mut service = Service::default();
    service.metadata.namespace = Some("shop".into());
    service.metadata.name = Some(name.into());
    let spec = service.spec.get_or_insert_default();
    spec.external_name = external_name.map(str::to_owned);
    spec.type_ = external_name.map(|_| "ExternalName".into());
    Object::Service(Arc::new(service))
}

#[test]
fn an_object_that_comes_again_unchanged_is_no_change() {
    let mut index = Index::default();
    index.apply(service("web", None), None);
    assert!(index.take_dirty().all);
    index.apply(service("web", None), None);
    assert!(index.dirty().is_clean());
    index.apply(service("web", Some("example.org")), None);
    assert!(index.dirty().all);
}

#[test]
fn a_deleted_object_is_gone_and_deleting_it_again_is_no_change() {
    let mut index = Index::default();
    let (file, object) = (Arc::from("web.yaml"), service("web", None));
    index.apply(object.clone(), Some(&file));
    assert_eq!(index.file_of(&object.id().in_file("")), Some(&file));
    index.delete(&object.id());
    assert!(index.take_dirty().all);
    index.delete(&object.id());
    assert!(index.objects().services.is_empty() && index.dirty().is_clean());
    assert_eq!(index.file_of(&object.id().in_file("")), None);
}

#[test]
fn an_answer_from_dns_concerns_the_services_of_that_name_and_only_if_it_is_new() {
    let mut index = Index::default();
    index.apply(service("db", Some("DB.example.org.")), None);
    index.apply(service("web", Some("web.example.org")), None);
    index.take_dirty();
    let answer = || Ok(vec![IpAddr::from([10, 0, 0, 7])]);
    index.apply_resolved("db.example.org".into(), answer());
    // The name may be a backend by itself, beside the Service.
    let services = BTreeSet::from([ObjectKey::new("", "db.example.org"), ObjectKey::new("shop", "db")]);
    assert_eq!(index.take_dirty(), Dirty { all: false, services });
    index.apply_resolved("db.example.org".into(), answer());
    assert!(index.dirty().is_clean());
    index.retain_resolved(&BTreeSet::new());
    assert!(index.objects().resolved.is_empty());
}

fn slice(name: &str, service: &str, address: &str) -> Object {
    let mut slice = EndpointSlice::default();
    slice.metadata.namespace = Some("shop".into());
    slice.metadata.name = Some(name.into());
    slice.metadata.labels = Some([(compile::SERVICE_NAME_LABEL.into(), service.into())].into());
    slice.endpoints.push(k8s_openapi::api::discovery::v1::Endpoint {
        addresses: vec![address.into()],
        ..Default::default()
    });
    Object::EndpointSlice(Arc::new(slice))
}

#[test]
fn a_slice_concerns_its_service_and_one_that_moves_both() {
    let mut index = Index::default();
    let services = |names: &[&str]| names.iter().map(|name| ObjectKey::new("shop", *name)).collect();
    index.apply(slice("web-1", "web", "10.0.0.1"), None);
    assert_eq!(index.take_dirty(), Dirty { all: false, services: services(&["web"]) });
    index.apply(slice("web-1", "web", "10.0.0.1"), None);
    assert!(index.dirty().is_clean());
    index.apply(slice("web-1", "db", "10.0.0.1"), None);
    assert_eq!(index.take_dirty(), Dirty { all: false, services: services(&["db", "web"]) });
    index.delete(&slice("web-1", "db", "10.0.0.1").id());
    assert_eq!(index.take_dirty(), Dirty { all: false, services: services(&["db"]) });
}

#[test]
fn an_ingress_whose_status_alone_has_changed_is_no_change_of_routes() {
    let mut index = Index::default();
    let mut ingress = Ingress::default();
    ingress.metadata.name = Some("web".into());
    index.apply(Object::Ingress(Arc::new(ingress.clone())), None);
    index.take_dirty();
    ingress.status.get_or_insert_default().load_balancer.get_or_insert_default().ingress =
        Some(vec![Default::default()]);
    let before = Arc::clone(index.statuses());
    index.apply(Object::Ingress(Arc::new(ingress)), None);
    assert!(index.dirty().is_clean() && before != *index.statuses());
}
