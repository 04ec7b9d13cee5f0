//! ExternalName Services and the DNS server behind them.

use std::fs;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use compile::Settings;
use controller::{ControllerConfig, Source};

use crate::dns_server::DnsServer;
use crate::running::{Now, Running, ingress, start_with};

const SERVICE: &str = "---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: ExternalName, externalName: DB.example.org, ports: [{port: 80}]}
";

/// More queries than one look-up makes, each sent again twice: the second look-up has begun, so the first has failed.
const MORE_THAN_ONE_LOOK_UP: usize = 8;

async fn start(server: &DnsServer) -> Running {
    let dir = tempfile::tempdir().expect("a folder");
    let manifests = dir.path().join("manifests");
    fs::create_dir(&manifests).expect("the folder of manifests");
    fs::write(manifests.join("web.yaml"), ingress("web", "web.test") + SERVICE).expect("a file");
    let config = ControllerConfig {
        dns_server: Some(server.start().await),
        ..ControllerConfig::new(Source::Folder(manifests), Settings::default())
    };
    start_with(dir, config).await
}

fn endpoints(now: &Now) -> Vec<String> {
    let backends = now.table.backends().iter().flat_map(|backend| backend.usable());
    backends.map(|endpoint| endpoint.key.address.to_string()).collect()
}

#[tokio::test]
async fn the_endpoints_of_an_external_name_follow_its_dns_answers_and_outlive_the_server() {
    let server = DnsServer::default();
    server.answer(&[Ipv4Addr::new(10, 0, 0, 7)]);
    let run = start(&server).await;
    run.until(|now| endpoints(now) == ["10.0.0.7:80"]).await;
    server.answer(&[Ipv4Addr::new(10, 0, 0, 9), Ipv4Addr::new(10, 0, 0, 8)]);
    run.until(|now| endpoints(now) == ["10.0.0.8:80", "10.0.0.9:80"]).await;
    let generation = run.now().table.generation;
    server.be_silent();
    run.until(|_| server.queries() > MORE_THAN_ONE_LOOK_UP).await;
    assert_eq!(endpoints(&run.now()), ["10.0.0.8:80", "10.0.0.9:80"]);
    assert_eq!(run.now().table.generation, generation);
    server.answer(&[Ipv4Addr::new(10, 0, 0, 6)]);
    run.until(|now| endpoints(now) == ["10.0.0.6:80"]).await;
}

#[tokio::test]
async fn an_external_name_that_resolves_to_loopback_is_refused() {
    let server = DnsServer::default();
    server.answer(&[Ipv4Addr::LOCALHOST]);
    let run = start(&server).await;
    run.until(|now| now.has_problem("forbidden-address")).await;
    assert!(endpoints(&run.now()).is_empty());
    let file = run.path("web.yaml").display().to_string();
    assert!(run.now().told().iter().any(|problem| problem.contains(&file)), "{:?}", run.now().told());
}

#[tokio::test]
async fn a_silent_dns_server_delays_no_other_change_and_becomes_a_problem() {
    let server = DnsServer::default();
    let run = start(&server).await;
    let started = Instant::now();
    run.write("other.yaml", &ingress("other", "other.test"));
    run.until(|now| now.serves("other.test")).await;
    assert!(started.elapsed() < Duration::from_secs(4), "a look-up that fails takes five");
    run.until(|now| now.has_problem("unresolved-name")).await;
    server.answer(&[Ipv4Addr::new(10, 0, 0, 7)]);
    run.until(|now| {
        endpoints(now).contains(&"10.0.0.7:80".to_owned()) && !now.has_problem("unresolved-name")
    })
    .await;
}

const WITH_PODS: &str = "---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{port: 80}]}
";

const SLICE: &str = "
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{port: 8080}]
endpoints: [{addresses: [10.0.0.1]}]
";

#[tokio::test]
async fn a_service_that_comes_to_stand_for_a_dns_name_and_for_pods_again_keeps_what_is_still_listed() {
    let server = DnsServer::default();
    let dir = tempfile::tempdir().expect("a folder");
    let manifests = dir.path().join("manifests");
    fs::create_dir(&manifests).expect("the folder of manifests");
    fs::write(manifests.join("slice.yaml"), SLICE).expect("a file");
    fs::write(manifests.join("web.yaml"), ingress("web", "web.test") + WITH_PODS).expect("a file");
    let settings = Settings { reference_timeout: Duration::from_secs(3600), ..Settings::default() };
    let config = ControllerConfig {
        dns_server: Some(server.start().await),
        ..ControllerConfig::new(Source::Folder(manifests), settings)
    };
    let run = start_with(dir, config).await;
    run.until(|now| endpoints(now) == ["10.0.0.1:8080"]).await;

    run.write("web.yaml", &(ingress("web", "web.test") + SERVICE));
    run.until(|now| now.has_problem("pending-reference")).await;
    assert_eq!(endpoints(&run.now()), ["10.0.0.1:8080"]);
    server.answer(&[Ipv4Addr::new(10, 0, 0, 7), Ipv4Addr::new(10, 0, 0, 8)]);
    run.until(|now| endpoints(now) == ["10.0.0.7:80", "10.0.0.8:80"]).await;
    run.until(|now| !now.has_problem("pending-reference")).await;

    run.write("slice.yaml", &SLICE.replace("service-name: web", "service-name: other"));
    run.write("web.yaml", &(ingress("web", "web.test") + WITH_PODS));
    run.until(|now| now.has_problem("pending-reference")).await;
    assert_eq!(endpoints(&run.now()), ["10.0.0.7:80", "10.0.0.8:80"]);
    server.answer(&[Ipv4Addr::new(10, 0, 0, 8), Ipv4Addr::new(10, 0, 0, 9)]);
    run.until(|now| endpoints(now) == ["10.0.0.8:80"]).await;
    run.write("slice.yaml", SLICE);
    run.until(|now| endpoints(now) == ["10.0.0.1:8080"]).await;
    run.until(|now| !now.has_problem("pending-reference")).await;
}
