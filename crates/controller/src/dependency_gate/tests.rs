use super::*;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressTLS};
use std::sync::Arc;

const MOMENT: Duration = Duration::from_millis(1);

fn read<T: serde::de::DeserializeOwned>(object: serde_json::Value) -> Arc<T> {
    Arc::new(serde_json::from_value(object).expect("an object"))
}

fn ingress(name: &str, service: &str) -> Object {
    let backend = serde_json::json!({"service": {"name": service, "port": {"number": 80}}});
    let metadata = serde_json::json!({"name": name, "namespace": "shop"});
    Object::Ingress(read::<Ingress>(
        serde_json::json!({"metadata": metadata, "spec": {"defaultBackend": backend}}),
    ))
}

fn service(name: &str) -> Object {
    Object::Service(read::<Service>(serde_json::json!({"metadata": {"name": name, "namespace": "shop"}})))
}

fn slice(service: &str) -> Object {
    let labels = serde_json::json!({compile::SERVICE_NAME_LABEL: service});
    let metadata = serde_json::json!({"name": service, "namespace": "shop", "labels": labels});
    let slice = serde_json::json!({"metadata": metadata, "addressType": "IPv4", "endpoints": []});
    Object::EndpointSlice(read::<EndpointSlice>(slice))
}

/// An Ingress of Service `old`, and both live.
fn live(now: Instant) -> (DependencyGate, Index) {
    let (mut gate, mut index) = (DependencyGate::default(), Index::default());
    for object in [service("old"), slice("old"), ingress("web", "old")] {
        gate.apply(object, &mut index, now);
    }
    (gate, index)
}

fn names(index: &Index, service: &str) -> bool {
    let ingresses = index.objects().ingresses.values();
    ingresses
        .filter_map(|ingress| ingress.spec.as_ref()?.default_backend.as_ref()?.service.as_ref())
        .any(|backend| backend.name == service)
}

fn has(index: &Index, service: &str) -> bool {
    index.objects().services.contains_key(&ObjectKey::new("shop", service))
}

#[test]
fn an_ingress_waits_for_the_slice_of_its_new_service_but_not_for_ever() {
    let start = Instant::now();
    let (mut gate, mut index) = live(start);
    gate.apply(ingress("web", "new"), &mut index, start);
    gate.apply(service("new"), &mut index, start);
    assert!(!gate.settle(&mut index, start + MOMENT) && names(&index, "old"));
    assert_eq!(gate.due(), Some(start + WAIT_MAX));
    assert!(gate.settle(&mut index, start + WAIT_MAX) && names(&index, "new"));
    assert_eq!(gate.due(), None);
}

#[test]
fn an_ingress_waits_for_the_service_that_its_annotation_names_in_the_place_of_its_own() {
    let start = Instant::now();
    let (mut gate, mut index) = live(start);
    let Object::Ingress(mut web) = ingress("web", "old") else { panic!("an Ingress") };
    let annotation = ("nginx.ingress.kubernetes.io/default-backend".to_owned(), "new".to_owned());
    Arc::make_mut(&mut web).metadata.annotations = Some([annotation].into());
    gate.apply(Object::Ingress(web), &mut index, start);
    gate.apply(service("new"), &mut index, start);
    assert!(gate.is_waiting(), "the Service has no slice yet");
    gate.apply(slice("new"), &mut index, start + MOMENT);
    assert!(gate.settle(&mut index, start + MOMENT) && !gate.is_waiting());
}

#[test]
fn what_the_ingress_was_before_keeps_its_service_while_the_new_one_has_no_slice_yet() {
    let start = Instant::now();
    let (mut gate, mut index) = live(start);
    gate.apply(service("new"), &mut index, start);
    gate.apply(ingress("web", "new"), &mut index, start);
    gate.delete(service("old").id(), &mut index, start);
    assert!(!gate.settle(&mut index, start + 2 * OUTLIVES) && has(&index, "old"));
    gate.apply(slice("new"), &mut index, start + 2 * OUTLIVES);
    assert!(gate.settle(&mut index, start + 2 * OUTLIVES));
    assert!(names(&index, "new") && !has(&index, "old"));
}

#[test]
fn an_ingress_that_is_replaced_by_another_goes_when_that_one_comes() {
    let start = Instant::now();
    let (mut gate, mut index) = live(start);
    gate.apply(ingress("next", "new"), &mut index, start);
    gate.delete(ingress("web", "old").id(), &mut index, start);
    assert!(!gate.settle(&mut index, start + MOMENT) && names(&index, "old"));
    assert!(gate.due().is_some_and(|due| due > start + MOMENT), "nothing is due that cannot be done");
    assert!(gate.settle(&mut index, start + WAIT_MAX));
    assert!(names(&index, "new") && !names(&index, "old"));
}

fn of_class(class: &str) -> Object {
    let Object::Ingress(mut ingress) = ingress("web", "old") else { panic!("an Ingress") };
    let spec = Arc::make_mut(&mut ingress).spec.as_mut().expect("a spec");
    spec.ingress_class_name = Some(class.into());
    Object::Ingress(ingress)
}

#[test]
fn an_ingress_waits_for_its_new_class_and_the_old_one_outlives_its_deletion() {
    let start = Instant::now();
    let (mut gate, mut index) = live(start);
    let class = |name: &str| Object::IngressClass(read(serde_json::json!({"metadata": {"name": name}})));
    gate.apply(class("one"), &mut index, start);
    gate.apply(of_class("one"), &mut index, start);
    gate.apply(of_class("two"), &mut index, start);
    gate.delete(class("one").id(), &mut index, start);
    let classes = |index: &Index| index.objects().ingress_classes.keys().cloned().collect::<Vec<_>>();
    assert!(!gate.settle(&mut index, start + MOMENT) && classes(&index) == ["one"]);
    gate.apply(class("two"), &mut index, start + MOMENT);
    assert!(gate.settle(&mut index, start + MOMENT) && !gate.is_waiting());
    assert!(gate.settle(&mut index, start + OUTLIVES) && classes(&index) == ["two"]);
}

#[test]
fn an_ingress_waits_for_the_addresses_of_an_external_name() {
    let start = Instant::now();
    let (mut gate, mut index) = live(start);
    let spec = serde_json::json!({"type": "ExternalName", "externalName": "db.example.org"});
    let metadata = serde_json::json!({"name": "db", "namespace": "shop"});
    let service = serde_json::json!({"metadata": metadata, "spec": spec});
    gate.apply(Object::Service(read(service)), &mut index, start);
    gate.apply(ingress("web", "db"), &mut index, start);
    assert_eq!(gate.external_names(&index), BTreeSet::from(["db.example.org".to_owned()]));
    assert!(!gate.settle(&mut index, start + MOMENT) && names(&index, "old"));
    index.apply_resolved("db.example.org".into(), Ok(Vec::new()));
    assert!(gate.settle(&mut index, start + MOMENT) && names(&index, "db"));
}

fn with_secret(class: &str) -> Object {
    let Object::Ingress(mut ingress) = of_class(class) else { panic!("an Ingress") };
    let spec = Arc::make_mut(&mut ingress).spec.as_mut().expect("a spec");
    spec.tls = Some(vec![IngressTLS { hosts: None, secret_name: Some("certificate".into()) }]);
    Object::Ingress(ingress)
}

#[test]
fn an_ingress_waits_for_what_is_said_of_a_secret_that_was_never_named_before() {
    let start = Instant::now();
    let (mut gate, mut index) = live(start);
    gate.apply(with_secret("sluicegate"), &mut index, start);
    assert!(!gate.is_waiting(), "where Secrets are not asked for, all are known");
    index.ask_for_secrets();
    gate.apply(with_secret("sluicegate"), &mut index, start);
    let certificate = ObjectKey::new("shop", "certificate");
    assert_eq!(gate.secrets(&index), BTreeSet::from([certificate.clone()]));
    assert!(!gate.settle(&mut index, start + MOMENT));
    index.heard_of_secret(certificate);
    assert!(gate.settle(&mut index, start + MOMENT) && gate.secrets(&index).is_empty());
}

#[test]
fn secrets_of_other_classes_are_neither_asked_for_nor_waited_for() {
    let start = Instant::now();
    let (mut gate, mut index) = live(start);
    index.ask_for_secrets();
    let class = serde_json::json!({"metadata": {"name": "nginx"}, "spec": {"controller": "nginx"}});
    gate.apply(Object::IngressClass(read(class)), &mut index, start);
    gate.apply(with_secret("nginx"), &mut index, start);
    assert!(!gate.is_waiting() && gate.secrets(&index).is_empty());
}

#[test]
fn what_comes_again_before_it_has_gone_stays() {
    let start = Instant::now();
    let (mut gate, mut index) = live(start);
    gate.delete(service("old").id(), &mut index, start);
    gate.apply(service("old"), &mut index, start + MOMENT);
    assert!(!gate.settle(&mut index, start + 2 * OUTLIVES) && has(&index, "old"));
}

#[test]
fn an_ingress_that_is_deleted_while_it_waits_does_not_come_back() {
    let start = Instant::now();
    let (mut gate, mut index) = live(start);
    gate.apply(ingress("web", "new"), &mut index, start);
    gate.delete(ingress("web", "new").id(), &mut index, start);
    gate.settle(&mut index, start + WAIT_MAX);
    assert!(!names(&index, "old") && !names(&index, "new"));
}
