//! What becomes of certificates while a real API server tells of Secrets and of Ingresses on connections of their own.

#[path = "cluster/following.rs"]
mod following;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use following::{Following, issue};

/// More of them than could all come in the right order by luck.
const ROUNDS: usize = 20;

#[tokio::test]
async fn an_ingress_that_moves_to_a_new_secret_never_leaves_its_host_without_a_certificate() {
    let cluster = Following::start("moves").await;
    cluster.secret("s-0", &issue("a.test")).await;
    cluster.ingress("web", "a.test", "s-0").await;
    cluster.until(|live| live.find(Some("a.test")).is_some()).await;
    let without = cluster.publications_without("a.test");
    for round in 1..ROUNDS {
        let (old, new) = (format!("s-{}", round - 1), format!("s-{round}"));
        let renewed = issue("a.test");
        if round % 2 == 0 {
            cluster.secret(&new, &renewed).await;
            cluster.ingress("web", "a.test", &new).await;
            cluster.delete_secret(&old).await;
        } else {
            // As cert-manager does it: first an Ingress names the Secret, then it is made.
            cluster.ingress("web", "a.test", &new).await;
            cluster.delete_secret(&old).await;
            cluster.secret(&new, &renewed).await;
        }
        cluster.until(|live| live.find(Some("a.test")).is_some_and(|entry| renewed.is(entry))).await;
    }
    assert_eq!(without.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn the_route_of_a_new_ingress_is_not_live_before_the_certificate_of_its_secret() {
    let cluster = Following::start("new").await;
    let (routes, certificates) = (cluster.live.routes.clone(), cluster.live.certificates.clone());
    let early = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&early);
    cluster.live.routes.subscribe(move || {
        let (routes, certificates) = (routes.load(), certificates.load());
        let hosts = routes.routes().iter().map(|route| route.host.to_string());
        count.fetch_add(
            hosts.filter(|host| certificates.find(Some(host)).is_none()).count(),
            Ordering::Relaxed,
        );
    });
    for round in 0..ROUNDS {
        let (name, host) = (format!("web-{round}"), format!("h{round}.test"));
        cluster.secret(&name, &issue(&host)).await;
        cluster.ingress(&name, &host, &name).await;
        cluster.until(|live| live.find(Some(&host)).is_some()).await;
    }
    assert_eq!(early.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_deleted_secret_leaves_its_certificate_until_no_ingress_names_it() {
    let cluster = Following::start("deleted").await;
    let one = issue("a.test");
    cluster.secret("one", &one).await;
    cluster.ingress("web", "a.test", "one").await;
    cluster.until(|live| live.find(Some("a.test")).is_some()).await;
    cluster.delete_secret("one").await;
    cluster.until_told("stale-certificate").await;
    assert!(cluster.live.certificates.load().find(Some("a.test")).is_some_and(|entry| one.is(entry)));
    cluster.delete_ingress("web").await;
    cluster.until(|live| live.find(Some("a.test")).is_none()).await;
}
