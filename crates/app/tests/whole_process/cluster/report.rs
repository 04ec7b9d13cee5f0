//! What is written into the cluster, and by which process.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::api::networking::v1::Ingress;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use rustix::process::Signal;

use crate::support::{Cluster, Gate, block_on, eventually};

const ADDRESS: &str = "192.0.2.10";

/// A replica that publishes an address, with its Lease in the test's own namespace.
fn replica(cluster: &Cluster) -> Gate {
    let lease = format!("{}/leader", cluster.namespace);
    cluster.gate(&["--publish-address", ADDRESS, "--lease", &lease])
}

fn ingress(cluster: &Cluster, name: &str) -> Ingress {
    block_on(cluster.api::<Ingress>().get(name)).unwrap()
}

/// What the status of an Ingress says.
fn status(cluster: &Cluster, name: &str) -> Vec<String> {
    let balancer = ingress(cluster, name).status.and_then(|status| status.load_balancer);
    let entries = balancer.and_then(|balancer| balancer.ingress).unwrap_or_default();
    entries.into_iter().filter_map(|entry| entry.ip.or(entry.hostname)).collect()
}

fn has_status(cluster: &Cluster, name: &str) {
    eventually("a status", || (status(cluster, name) == [ADDRESS]).then_some(()));
}

fn holder(cluster: &Cluster) -> Option<String> {
    let lease = block_on(cluster.api::<Lease>().get_opt("leader")).unwrap()?;
    lease.spec?.holder_identity.filter(|holder| !holder.is_empty())
}

fn events(cluster: &Cluster, ingress: &str) -> Vec<Event> {
    let events: Api<Event> = cluster.api();
    let all = block_on(events.list(&ListParams::default())).unwrap().items;
    let of = |event: &Event| event.regarding.as_ref().and_then(|object| object.name.clone());
    all.into_iter().filter(|event| of(event).as_deref() == Some(ingress)).collect()
}

#[test]
fn the_address_is_written_into_the_status_of_our_ingresses_and_taken_out_when_they_leave() {
    let cluster = Cluster::shared("report-status");
    cluster.apply(&cluster.service("web", &[]));
    cluster.apply(&cluster.ingress("web", "status.example", "web"));
    let other = cluster.ingress("other", "other.example", "web");
    cluster.apply(&other.replacen("ingressClassName: report-status", "ingressClassName: others", 1));
    let _gate = replica(&cluster);
    has_status(&cluster, "web");
    let entries = ingress(&cluster, "web").metadata.managed_fields.unwrap_or_default();
    let writer = entries.iter().find(|entry| entry.subresource.as_deref() == Some("status"));
    let writer = writer.and_then(|entry| entry.manager.as_deref());
    assert_eq!(writer, Some("sluicegate/report-status/leader"));

    cluster.apply(&cluster.ingress("web", "status.example", "web").replacen("report-status", "others", 1));
    eventually("no status", || status(&cluster, "web").is_empty().then_some(()));
    assert!(status(&cluster, "other").is_empty(), "it was never ours");
}

#[test]
fn an_ingress_that_was_there_before_us_gets_its_status_though_nothing_changes() {
    // On a shared cluster something always does.
    let cluster = Cluster::own("report-first");
    cluster.apply(&cluster.service("web", &[]));
    cluster.apply(&cluster.ingress("web", "first.example", "web"));
    let _gate = replica(&cluster);
    has_status(&cluster, "web");
}

#[test]
fn a_status_that_is_right_is_not_written_again() {
    let cluster = Cluster::shared("report-once");
    let _gate = replica(&cluster);
    cluster.apply(&cluster.service("web", &[]));
    cluster.apply(&cluster.ingress("web", "once.example", "web"));
    has_status(&cluster, "web");
    let before = ingress(&cluster, "web").metadata.resource_version;
    for number in 0..5 {
        let name = format!("more-{number}");
        cluster.apply(&cluster.ingress(&name, &format!("{name}.example"), "web"));
        has_status(&cluster, &name);
    }
    assert_eq!(ingress(&cluster, "web").metadata.resource_version, before);
}

#[test]
fn no_status_is_written_where_none_is_wanted() {
    let cluster = Cluster::shared("report-none");
    cluster.apply(&cluster.ingress("web", "none.example", "missing"));
    let lease = format!("{}/leader", cluster.namespace);
    let _gate = cluster.gate(&["--publish-address", ADDRESS, "--no-status", "--lease", &lease]);
    // That it leads shows by its Event.
    eventually("an Event", || (!events(&cluster, "web").is_empty()).then_some(()));
    assert!(status(&cluster, "web").is_empty());
}

#[test]
fn another_controllers_status_stays_while_its_ingresses_stand_beside_ours() {
    let cluster = Cluster::shared("report-beside");
    cluster.apply(
        "{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: report-nginx}, spec: {controller: \
         k8s.io/ingress-nginx}}",
    );
    cluster.apply(&cluster.service("web", &[]));
    let theirs = cluster.ingress("theirs", "theirs.example", "web").replacen(
        "ingressClassName: report-beside",
        "ingressClassName: report-nginx",
        1,
    );
    cluster.apply(&theirs);
    let written = serde_json::json!({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.99"}]}}});
    let as_nginx =
        PatchParams { field_manager: Some("nginx-ingress-controller".into()), ..PatchParams::default() };
    let patch = Patch::Merge(&written);
    let patched = block_on(cluster.api::<Ingress>().patch_status("theirs", &as_nginx, &patch)).unwrap();
    let _gate = replica(&cluster);
    cluster.apply(&cluster.ingress("ours", "ours.example", "web"));
    has_status(&cluster, "ours");
    let now = ingress(&cluster, "theirs");
    assert_eq!(
        now.metadata.resource_version, patched.metadata.resource_version,
        "neither writes over the other"
    );
    assert_eq!(status(&cluster, "theirs"), ["192.0.2.99"]);
}

#[test]
fn a_replica_that_drains_hands_the_lease_on_and_one_that_is_killed_loses_it() {
    let cluster = Cluster::shared("report-lease");
    cluster.apply(&cluster.service("web", &[]));
    let mut first = replica(&cluster);
    cluster.apply(&cluster.ingress("first", "first.example", "web"));
    has_status(&cluster, "first");
    let holding = holder(&cluster).expect("a process has written");

    let second = replica(&cluster);
    first.signal(Signal::TERM);
    let next = eventually("another holder", || holder(&cluster).filter(|holder| *holder != holding));
    cluster.apply(&cluster.ingress("second", "second.example", "web"));
    has_status(&cluster, "second");
    assert_eq!(first.exit_code(), 0);

    let _third = replica(&cluster);
    second.signal(Signal::KILL);
    // A Lease lasts for 15 s, and `eventually` for 20.
    eventually("a third holder", || holder(&cluster).filter(|holder| *holder != next));
    cluster.apply(&cluster.ingress("third", "third.example", "web"));
    has_status(&cluster, "third");
}

#[test]
fn what_is_wrong_with_an_ingress_is_told_by_one_event_however_many_replicas_there_are() {
    let cluster = Cluster::shared("report-events");
    let first = replica(&cluster);
    cluster.apply(&cluster.ingress("web", "events.example", "missing"));
    let told = || {
        let events = events(&cluster, "web");
        (!events.is_empty()).then_some(events)
    };
    let event = eventually("an Event", told).remove(0);
    assert_eq!(event.reason.as_deref(), Some("DanglingReference"));
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    assert_eq!(event.regarding.and_then(|object| object.uid), ingress(&cluster, "web").metadata.uid);
    let note = event.note.unwrap_or_default();
    assert!(note.contains("report-events/missing, which does not exist"), "{note}");

    let _second = replica(&cluster);
    drop(first);
    // The new holder tells of what is wrong when it takes over: of the old by the same Event, of the new by another.
    cluster.apply(&cluster.ingress("more", "more.example", "missing"));
    eventually("an Event of the second", || (!events(&cluster, "more").is_empty()).then_some(()));
    assert_eq!(events(&cluster, "web").len(), 1);
}
