//! The control plane as tests of the product use it: what its controllers do, who may do what, and its faults.

use std::process::Output;
use std::time::{Duration, Instant};

use control_plane::{Binaries, ControlPlane, own_address};

/// A bound for what takes well under a second on an idle machine.
const LIMIT: Duration = Duration::from_secs(60);

const SHOP: &str = "
{apiVersion: v1, kind: Service, metadata: {name: shop}, spec: {selector: {app: shop}, ports: [{port: 80, targetPort: http}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, labels: {app: shop}}
spec:
  nodeName: node
  containers: [{name: shop, image: none, ports: [{name: http, containerPort: 9001}]}]
";

fn plane() -> ControlPlane {
    let binaries = Binaries::find().unwrap_or_else(|why| panic!("{why}"));
    ControlPlane::start(&binaries).unwrap_or_else(|why| panic!("{why}"))
}

fn kubectl(plane: &ControlPlane, args: &[&str]) -> Output {
    plane.kubectl().args(args).output().expect("kubectl is there, the plane looks by it")
}

/// What it prints; fails the test if it fails.
fn shown(plane: &ControlPlane, args: &[&str]) -> String {
    let output = kubectl(plane, args);
    assert!(output.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("kubectl prints UTF-8")
}

/// Asks until it prints this.
fn eventually(plane: &ControlPlane, args: &[&str], wanted: &str) {
    let deadline = Instant::now() + LIMIT;
    loop {
        let output = kubectl(plane, args);
        if output.stdout == wanted.as_bytes() {
            return;
        }
        assert!(Instant::now() < deadline, "{args:?}: wanted {wanted:?}, got {output:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_pod_is_in_the_slice_of_its_service_when_it_is_said_to_be_ready() {
    let plane = plane();
    plane.create_node("node").unwrap();
    plane.apply(SHOP).unwrap();
    let ip = own_address().unwrap();
    let slice = [
        "get",
        "endpointslices",
        "--selector=kubernetes.io/service-name=shop",
        "--output=jsonpath={.items[0].endpoints[*].addresses[*]} {.items[0].endpoints[*].conditions.ready} \
         {.items[0].ports[*].port}",
    ];
    plane.set_pod_ready("default", "shop", ip, true).unwrap();
    eventually(&plane, &slice, &format!("{ip} true 9001"));
    plane.set_pod_ready("default", "shop", ip, false).unwrap();
    eventually(&plane, &slice, &format!("{ip} false 9001"));
}

#[test]
fn the_token_of_a_service_account_opens_only_what_rbac_lets_it() {
    let plane = plane();
    let token = shown(&plane, &["create", "token", "default"]);
    let folder = tempfile::tempdir().unwrap();
    let (by_text, by_file) = (folder.path().join("text"), folder.path().join("file"));
    std::fs::write(&by_text, plane.kubeconfig_with_token(token.trim())).unwrap();
    std::fs::write(folder.path().join("token"), token).unwrap();
    std::fs::write(&by_file, plane.kubeconfig_with_token_file(&folder.path().join("token"))).unwrap();
    let may = |kubeconfig: &std::path::Path| {
        let mut kubectl = plane.kubectl();
        kubectl.env("KUBECONFIG", kubeconfig).args(["get", "services"]).output().unwrap()
    };

    for kubeconfig in [&by_text, &by_file] {
        let refused = String::from_utf8(may(kubeconfig).stderr).unwrap();
        assert!(refused.contains("system:serviceaccount:default:default"), "{refused}");
    }
    shown(
        &plane,
        &["create", "clusterrolebinding", "see", "--clusterrole=view", "--serviceaccount=default:default"],
    );
    let deadline = Instant::now() + LIMIT;
    while !may(&by_file).status.success() {
        assert!(Instant::now() < deadline, "the authorizer never heard of the binding: {:?}", may(&by_file));
    }
}

#[test]
fn a_resource_version_from_before_compact_is_gone() {
    let plane = plane();
    let newest = ["get", "--raw=/api/v1/services?limit=1"];
    let list = shown(&plane, &newest);
    let (_, version) = list.split_once(r#""resourceVersion":""#).unwrap();
    let (version, _) = version.split_once('"').unwrap();
    let resume = format!("--raw=/api/v1/services?watch=1&timeoutSeconds=1&resourceVersion={version}");

    let before = shown(&plane, &["get", &resume]);
    assert!(!before.contains("410"), "{before}");
    plane.compact().unwrap();
    let after = shown(&plane, &["get", &resume]);
    assert!(after.contains(r#""code":410"#), "{after}");
}

#[test]
fn servers_come_back_with_what_they_had_and_a_wiped_store_with_nothing() {
    let plane = plane();
    shown(&plane, &["create", "configmap", "kept"]);
    let kept = ["get", "configmap", "kept", "--output=name", "--ignore-not-found"];

    plane.apiserver().pause().unwrap();
    assert!(!kubectl(&plane, &["get", "--raw=/livez", "--request-timeout=1s"]).status.success());
    plane.apiserver().resume().unwrap();
    assert_eq!(shown(&plane, &kept), "configmap/kept\n");

    plane.apiserver().kill().unwrap();
    assert!(!kubectl(&plane, &["get", "--raw=/livez"]).status.success());
    assert!(plane.apiserver().pause().is_err(), "there is nothing to pause");
    plane.etcd().kill().unwrap();
    plane.etcd().start().unwrap();
    plane.apiserver().start().unwrap();
    assert_eq!(shown(&plane, &kept), "configmap/kept\n");

    plane.wipe().unwrap();
    assert_eq!(shown(&plane, &kept), "");
}
