//! What the program may do: no more than `deploy` gives it, and sometimes less.

mod roles;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::Ingress;
use tempfile::NamedTempFile;

use crate::support::{Cluster, Gate, Handshakes, Issued, Traffic, block_on, eventually, output};

/// A token file is read again every minute, or a little earlier.
const TOKEN_READ_EVERY: Duration = Duration::from_secs(60);

/// Rights are asked for every half minute or so, a watch lasts up to 40 s, and a Secret is read again a second later.
const RIGHTS_LEARNT: Duration = Duration::from_secs(120);

/// Longer than a watch without errors and without news is doubted.
const QUIET_FOR: Duration = Duration::from_secs(40);

fn deployed(file: &str) -> String {
    std::fs::read_to_string(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy")).join(file))
        .unwrap()
}

/// What kubectl prints; it may fail.
fn kubectl(cluster: &Cluster, args: &[&str]) -> String {
    let output = cluster.plane.kubectl().args(args).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().into()
}

fn give_all_rights(cluster: &Cluster) {
    cluster.plane.apply(&deployed("base/namespace.yaml")).unwrap();
    cluster.plane.apply(&deployed("base/rbac.yaml")).unwrap();
}

fn token(cluster: &Cluster, namespace: &str) -> String {
    let token = eventually("a token", || {
        let token = kubectl(cluster, &["create", "token", "sluicegate", "--namespace", namespace]);
        (!token.is_empty()).then_some(token)
    });
    assert!(token.is_ascii());
    token
}

fn written(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(&file, text).unwrap();
    file
}

/// Secrets are read often, and their deletion is believed soon.
const IN_HASTE: [&str; 4] = ["--secret-read-interval", "1s", "--secret-grace-period", "1s"];

/// The program as the ServiceAccount of a namespace.
fn gate(cluster: &Cluster, namespace: &str, more: &[&str]) -> (Gate, NamedTempFile) {
    let kubeconfig = written(&cluster.plane.kubeconfig_with_token(&token(cluster, namespace)));
    let lease = format!("{namespace}/sluicegate-sluicegate");
    let args = [&["--lease", &lease, "--publish-address", "192.0.2.10"], &IN_HASTE[..], more].concat();
    (cluster.gate_with(kubeconfig.path().to_str().unwrap(), &args).ready(), kubeconfig)
}

/// Creates, changes and deletes one of each kind, and looks at what comes of it.
fn follows_everything(cluster: &Cluster, gate: &Gate) {
    let (one, two) = (cluster.upstream("one"), cluster.upstream("two"));
    cluster.apply(&cluster.service("web", &[one.address]));
    let tls = "spec: {tls: [{secretName: certificate}], ";
    cluster.apply(&cluster.ingress("web", "rights.example", "web").replacen("spec: {", tls, 1));
    gate.answers("rights.example", 200, "one");
    gate.tells("dangling-reference", "certificate");
    cluster.apply(
        "{apiVersion: v1, kind: Secret, metadata: {name: certificate}, stringData: {tls.crt: a, tls.key: b}}",
    );
    gate.tells_no_more("dangling-reference", "certificate");
    let status = || {
        let ingress = block_on(cluster.api::<Ingress>().get("web")).unwrap();
        ingress.status?.load_balancer?.ingress?.first()?.ip.clone()
    };
    eventually("a status", || (status().as_deref() == Some("192.0.2.10")).then_some(()));
    cluster.apply(&cluster.slice("web", &[two.address]));
    gate.answers("rights.example", 200, "two");
    cluster.delete::<Secret>("certificate");
    gate.tells("dangling-reference", "certificate");
    cluster.delete::<EndpointSlice>("web-1");
    gate.answers("rights.example", 503, "");
    cluster.delete::<Service>("web");
    gate.tells("dangling-reference", "/web");
    cluster.delete::<Ingress>("web");
    gate.answers("rights.example", 404, "");
    assert!(!gate.log().contains("orbidden"), "{}", gate.log());
}

#[test]
fn the_rights_that_are_deployed_are_enough_and_no_secret_can_be_listed() {
    let cluster = Cluster::shared("rights-all");
    give_all_rights(&cluster);
    let (gate, _kubeconfig) = gate(&cluster, "sluicegate", &[]);
    follows_everything(&cluster, &gate);
    let may = |verb: &str| {
        let account = "--as=system:serviceaccount:sluicegate:sluicegate";
        kubectl(&cluster, &["auth", "can-i", verb, "secrets", "--all-namespaces", account])
    };
    assert_eq!(["get", "list", "watch", "delete"].map(may), ["yes", "no", "no", "no"]);
}

/// The rights of the overlay, for as long as this lives.
struct SecretWatch<'a>(&'a Cluster);

impl SecretWatch<'_> {
    fn give(cluster: &Cluster) -> SecretWatch<'_> {
        cluster.plane.apply(&deployed("secret-watch/rbac.yaml")).unwrap();
        SecretWatch(cluster)
    }
}

impl Drop for SecretWatch<'_> {
    fn drop(&mut self) {
        kubectl(self.0, &["delete", "clusterrole,clusterrolebinding", "sluicegate-secret-watch"]);
    }
}

/// How many Secrets are watched, once that is so many.
fn watches(gate: &Gate, secrets: f64) {
    let since = Instant::now();
    while gate.metric("sluicegate_secrets{followed_by=\"watch\"}") != Some(secrets) {
        assert!(since.elapsed() < RIGHTS_LEARNT, "{}", gate.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn certificates_are_renewed_with_the_right_to_get_alone_and_at_once_with_the_overlay() {
    let cluster = Cluster::own("rights-secrets");
    give_all_rights(&cluster);
    let [one, two, three, four] = [(); 4].map(|()| Issued::to("secrets.example"));
    let tls = "spec: {tls: [{hosts: [secrets.example], secretName: certificate}], ";
    cluster.apply(&one.secret("certificate"));
    cluster.apply(&cluster.ingress("web", "secrets.example", "web").replacen("spec: {", tls, 1));
    let (reading, kubeconfig) = gate(&cluster, "sluicegate", &["--https", "127.0.0.1:0"]);
    one.comes_to_be_served(reading.https());
    let handshakes = Handshakes::start(reading.https(), &[&one, &two, &three, &four]);
    cluster.apply(&two.secret("certificate"));
    two.comes_to_be_served(reading.https());

    for verb in [
        &["get", "secrets", "--all-namespaces"][..],
        &["get", "secrets", "--watch", "--namespace", "default"],
    ] {
        let mut listed = Command::new(cluster.plane.kubectl().get_program());
        let listed = output(listed.arg("--kubeconfig").arg(kubeconfig.path()).args(verb));
        let said = String::from_utf8_lossy(&listed.stderr);
        assert!(!listed.status.success() && said.contains("Forbidden"), "{said}");
    }

    let overlay = SecretWatch::give(&cluster);
    watches(&reading, 1.0);
    // One that reads once in an hour sees what it is told alone.
    let hourly = ["--https", "127.0.0.1:0", "--secret-read-interval", "1h"];
    let watching = cluster.gate_with(kubeconfig.path().to_str().unwrap(), &hourly).ready();
    watches(&watching, 1.0);
    cluster.apply(&three.secret("certificate"));
    three.comes_to_be_served(watching.https());
    three.comes_to_be_served(reading.https());

    drop(overlay);
    // Watches that have begun go on until the API server ends them.
    watches(&reading, 0.0);
    cluster.apply(&four.secret("certificate"));
    four.comes_to_be_served(reading.https());
    handshakes.end();
    assert!(!reading.has_problem("unreadable-object", ""), "{}", reading.page("/problems").1);
}

#[test]
fn the_rights_in_one_namespace_are_enough_to_serve_it() {
    let cluster = Cluster::shared("rights-few");
    let name = cluster.namespace.clone();
    cluster.apply("{apiVersion: v1, kind: ServiceAccount, metadata: {name: sluicegate}}");
    let here = format!("namespace: {name}}}]");
    let give = |file: &str| cluster.apply(&deployed(file).replace("namespace: sluicegate}]", &here));
    give("namespaced/rbac.yaml");
    let verbs = "verbs: [create, get, patch]";
    cluster.apply(&format!(
        "{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: lease}}, rules: [{{apiGroups: \
         [coordination.k8s.io], resources: [leases], {verbs}}}]}}\n---\n{{apiVersion: rbac.authorization.k8s.io/v1, \
         kind: RoleBinding, metadata: {{name: lease}}, roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, \
         name: lease}}, subjects: [{{kind: ServiceAccount, name: sluicegate, {here}}}"
    ));
    let (gate, _kubeconfig) = gate(&cluster, &name, &["--watch-namespace", &name]);
    follows_everything(&cluster, &gate);
    assert!(!gate.has_problem("watch-failed", ""), "{}", gate.page("/problems").1);

    let tls = "spec: {tls: [{secretName: certificate}], ";
    cluster.apply(&cluster.ingress("web", "rights.example", "web").replacen("spec: {", tls, 1));
    give("secret-watch/namespaced.yaml");
    watches(&gate, 1.0);
}

#[test]
fn routes_stay_when_the_rights_are_taken_away_and_are_followed_again_when_they_are_given_back() {
    let cluster = Cluster::own("rights-revoked");
    give_all_rights(&cluster);
    let (gate, _kubeconfig) = gate(&cluster, "sluicegate", &[]);
    let (one, two) = (cluster.upstream("one"), cluster.upstream("two"));
    cluster.apply(&cluster.service("web", &[one.address]));
    cluster.apply(&cluster.ingress("web", "revoked.example", "web"));
    gate.answers("revoked.example", 200, "one");
    let traffic = Traffic::start(gate.http, "revoked.example");

    kubectl(&cluster, &["delete", "clusterrolebinding", "sluicegate"]);
    // Watches that have begun go on until their connections end.
    cluster.plane.apiserver().kill().unwrap();
    cluster.plane.apiserver().start().unwrap();
    gate.tells("watch-failed", "\"kind\":\"Ingress\"");
    eventually("what to do", || {
        gate.page("/problems").1.contains("ClusterRole in deploy/base").then_some(())
    });
    cluster.apply(&cluster.slice("web", &[two.address]));
    traffic.go_on();
    assert!(gate.gives("revoked.example", 200, "one") && gate.is_ready());

    give_all_rights(&cluster);
    gate.answers("revoked.example", 200, "two");
    gate.tells_no_more("watch-failed", "\"kind\":\"EndpointSlice\"");
    // A watch that has nothing to tell is believed to work only after a while without errors.
    let restored = Instant::now();
    while gate.has_problem("watch-failed", "") {
        assert!(restored.elapsed() < QUIET_FOR, "{}", gate.page("/problems").1);
        traffic.go_on();
    }
    traffic.end();
}

#[test]
fn a_token_that_is_replaced_in_its_file_is_used_within_a_minute() {
    let cluster = Cluster::own("rights-token");
    give_all_rights(&cluster);
    let file = written(&token(&cluster, "sluicegate"));
    let kubeconfig = written(&cluster.plane.kubeconfig_with_token_file(file.path()));
    let gate = cluster.gate_with(kubeconfig.path().to_str().unwrap(), &[]).ready();
    let (one, two) = (cluster.upstream("one"), cluster.upstream("two"));
    cluster.apply(&cluster.service("web", &[one.address]));
    cluster.apply(&cluster.ingress("web", "token.example", "web"));
    gate.answers("token.example", 200, "one");
    let traffic = Traffic::start(gate.http, "token.example");

    // The tokens of an account that was deleted are worth nothing, even if it is created again.
    kubectl(&cluster, &["delete", "serviceaccount", "sluicegate", "--namespace", "sluicegate"]);
    give_all_rights(&cluster);
    std::fs::write(&file, token(&cluster, "sluicegate")).unwrap();
    let replaced = Instant::now();
    cluster.plane.apiserver().kill().unwrap();
    cluster.plane.apiserver().start().unwrap();
    gate.tells("watch-failed", "give it a token that the API server accepts");
    cluster.apply(&cluster.slice("web", &[two.address]));
    while !gate.gives("token.example", 200, "two") {
        assert!(replaced.elapsed() < TOKEN_READ_EVERY, "{}", gate.log());
        traffic.go_on();
    }
    gate.tells_no_more("watch-failed", "\"kind\":\"EndpointSlice\"");
    traffic.end();
}
