//! Programs that stand beside an ingress controller and that it has to get along with: what each writes into the cluster and
//! reads from it, and a round of what it is there for.

mod oauth2_proxy;

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::Ingress;
use kube::api::ListParams;
use serde_json::json;

use crate::applications::{Request, endpoint};
use crate::support::{Cluster, Gate, Issued, block_on, eventually, pod_address};

use oauth2_proxy::StandIn;

/// A login of the Secret `users`: foo, bar.
const USERS: &str = "{apiVersion: v1, kind: Secret, metadata: {name: users}, stringData: {auth: \"foo:{SHA}Ys23Ag/5IOWqZCw9QGaVDdHwH00=\"}}";

/// An Ingress of this class for one path, as a document of YAML.
fn ingress(cluster: &Cluster, name: &str, host: &str, path: &str, service: &str, more: &str) -> String {
    let class = &cluster.namespace;
    let annotations = more.split_once('|').map_or(more, |(annotations, _)| annotations);
    let tls = more.split_once('|').map_or("", |(_, tls)| tls);
    format!(
        "{{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {{name: {name}, annotations: {{{annotations}}}}}, spec: \
         {{ingressClassName: {class}, {tls} rules: [{{host: {host}, http: {{paths: [{{path: \"{path}\", pathType: Prefix, \
         backend: {{service: {{name: {service}, port: {{number: 80}}}}}}}}]}}}}]}}}}"
    )
}

/// Asks until the answer is as it is to be.
fn comes(gate: &Gate, request: serde_json::Value) {
    let request = Request::read(&request);
    let mut last = Vec::new();
    eventually(&request.line.clone(), || match request.send(gate.http) {
        Ok(()) => Some(()),
        Err(differences) => {
            if differences != last {
                println!("{}: {differences:?}", request.line);
                last = differences;
            }
            None
        }
    });
}

/// cert-manager writes an Ingress of its own for the time in which a CA asks, beside that of the application, whatever guards
/// and redirects that has. With ingress-nginx it goes by itself: its location is another one, its list of addresses its own, and
/// `no-tls-redirect-locations` names the path.
#[test]
fn a_ca_gets_its_answer_from_cert_managers_solver_over_plain_http_whatever_guards_the_host() {
    let cluster = Cluster::shared("beside-cert-manager");
    let app = endpoint::start_at(pod_address(), "app".into());
    let solver = endpoint::start_at(pod_address(), "solver".into());
    cluster.apply(USERS);
    cluster.apply(&Issued::to("solved.example").secret("shop-tls"));
    cluster.apply(&cluster.service("app", &[app]));
    let guards = "nginx.ingress.kubernetes.io/force-ssl-redirect: \"true\", \
                  nginx.ingress.kubernetes.io/whitelist-source-range: 192.0.2.0/24, \
                  nginx.ingress.kubernetes.io/auth-type: basic, nginx.ingress.kubernetes.io/auth-secret: users, \
                  cert-manager.io/cluster-issuer: letsencrypt|tls: [{hosts: [solved.example], secretName: shop-tls}],";
    cluster.apply(&ingress(&cluster, "shop", "solved.example", "/", "app", guards));
    let gate = cluster.gate(&[]);
    let challenge = "http://solved.example/.well-known/acme-challenge/Vf0k3y";
    let to_https = json!({"get": challenge, "status": 308, "gives": {"location": challenge.replacen("http", "https", 1)}});
    comes(&gate, to_https.clone());
    // As cert-manager v1.18 writes it for an issuer with `class`; its Service has the pod's port.
    let class = &cluster.namespace;
    cluster.apply(&cluster.service("cm-acme-http-solver-x2r4t", &[solver]));
    cluster.apply(&format!(
        "{{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {{name: cm-acme-http-solver-8zxkq, labels: \
         {{acme.cert-manager.io/http-domain: \"1234\", acme.cert-manager.io/http-token: \"5678\", \
         acme.cert-manager.io/http01-solver: \"true\"}}, annotations: {{kubernetes.io/ingress.class: {class}, \
         nginx.ingress.kubernetes.io/whitelist-source-range: \"0.0.0.0/0,::/0\"}}}}, spec: {{rules: [{{host: solved.example, \
         http: {{paths: [{{path: /.well-known/acme-challenge/Vf0k3y, pathType: Exact, backend: {{service: {{name: \
         cm-acme-http-solver-x2r4t, port: {{number: 80}}}}}}}}]}}}}]}}}}"
    ));
    comes(&gate, json!({"get": challenge, "to": "solver"}));
    // Nothing else has opened.
    comes(
        &gate,
        json!({"get": "http://solved.example/cart", "status": 308, "gives": {"location": "https://solved.example/cart"}}),
    );
    comes(&gate, json!({"get": format!("{challenge}/more"), "status": 308}));
    cluster.delete::<Ingress>("cm-acme-http-solver-8zxkq");
    comes(&gate, to_https);
}

/// The documented pair: the application's Ingress asks on its own host, and another one serves `/oauth2` there. A whole login as
/// a browser makes it, with its cookies.
#[test]
fn a_browser_logs_in_by_oauth2_proxy_and_comes_back_to_where_it_wanted_to_go() {
    let cluster = Cluster::shared("beside-oauth2-proxy");
    let app = endpoint::start_at(pod_address(), "app".into());
    let proxy = StandIn::start(pod_address());
    cluster.apply(&cluster.service("app", &[app]));
    cluster.apply(&cluster.service("oauth2-proxy", &[proxy.address]));
    let asks = "nginx.ingress.kubernetes.io/auth-url: \"https://$host/oauth2/auth\", \
                nginx.ingress.kubernetes.io/auth-signin: \"https://$host/oauth2/start?rd=$escaped_request_uri\", \
                nginx.ingress.kubernetes.io/auth-response-headers: \"X-Auth-Request-User, X-Auth-Request-Email\"";
    cluster.apply(&ingress(&cluster, "app", "wiki.example", "/", "app", asks));
    cluster.apply(&ingress(&cluster, "login", "wiki.example", "/oauth2", "oauth2-proxy", ""));
    let gate = cluster.gate(&[]);
    let page = "http://wiki.example/page?x=1";
    let start = "/oauth2/start?rd=%2Fpage%3Fx%3D1";
    comes(
        &gate,
        json!({"get": page, "status": 302, "gives": {"location": format!("https://wiki.example{start}")}}),
    );
    comes(
        &gate,
        json!({
            "get": format!("http://wiki.example{start}"), "status": 302,
            "gives": {"location": "~https://idp.example/authorize?", "set-cookie": "~_oauth2_proxy_csrf="},
        }),
    );
    // The provider has let it in and sends it back, with what it was given.
    let back = "http://wiki.example/oauth2/callback?code=c0de&state=n0nce%3A%2Fpage%3Fx%3D1";
    comes(&gate, json!({"get": back, "status": 403}));
    comes(
        &gate,
        json!({
            "get": back, "with": {"Cookie": "_oauth2_proxy_csrf=n0nce"}, "status": 302,
            "gives": {"location": "/page?x=1", "set-cookie": "~_oauth2_proxy=session-1;"},
        }),
    );
    comes(
        &gate,
        json!({
            "get": page,
            "with": {"Cookie": "a=b; _oauth2_proxy=session-1", "X-Auth-Request-User": "mallory", "X-Auth-Request-Email": "m@x"},
            "to": "app", "as": "/page?x=1",
            "sends": {"x-auth-request-user": "ada", "x-auth-request-email": "ada@example.org"},
            // It renews the session, which the browser is to keep.
            "gives": {"set-cookie": "~_oauth2_proxy=session-2"},
        }),
    );
    comes(&gate, json!({"get": page, "with": {"Cookie": "_oauth2_proxy=forged"}, "status": 302}));
    comes(
        &gate,
        json!({
            "get": "http://wiki.example/oauth2/sign_out?rd=%2F", "with": {"Cookie": "_oauth2_proxy=session-2"}, "status": 302,
            "gives": {"location": "/", "set-cookie": "~_oauth2_proxy=;"},
        }),
    );
    assert!(proxy.was_told("GET", "/page?x=1", "wiki.example"), "{:?}", proxy.questions());
}

/// What external-dns makes of an Ingress (its source `ingress`): a record for each host of a rule, of `tls` and of its
/// annotation, each to the targets of another annotation, or to the addresses and names in the status.
fn records(ingress: &Ingress) -> BTreeMap<String, Vec<String>> {
    let annotation = |name: &str| {
        let name = format!("external-dns.alpha.kubernetes.io/{name}");
        ingress.metadata.annotations.as_ref().and_then(|all| all.get(&name)).cloned()
    };
    let split = |text: String| text.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>();
    let status = ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref()?.ingress.clone());
    let of_status = || {
        let entries = status.clone().unwrap_or_default().into_iter();
        entries.flat_map(|entry| entry.ip.into_iter().chain(entry.hostname)).collect()
    };
    let targets: Vec<String> = annotation("target").map_or_else(of_status, split);
    let spec = ingress.spec.clone().unwrap_or_default();
    let of_rules = spec.rules.into_iter().flatten().filter_map(|rule| rule.host);
    let of_tls = spec.tls.into_iter().flatten().flat_map(|tls| tls.hosts.into_iter().flatten());
    let hosts = of_rules.chain(of_tls).chain(annotation("hostname").into_iter().flat_map(split));
    hosts.filter(|_| !targets.is_empty()).map(|host| (host, targets.clone())).collect()
}

#[test]
fn external_dns_finds_each_host_and_where_it_leads_in_what_we_write() {
    let cluster = Cluster::shared("beside-external-dns");
    cluster.apply(&cluster.service("web", &[]));
    cluster.apply(&ingress(
        &cluster,
        "web",
        "web.example",
        "/",
        "web",
        "|tls: [{hosts: [web.example, tls.example]}],",
    ));
    let elsewhere = "external-dns.alpha.kubernetes.io/target: cdn.example, \
                     external-dns.alpha.kubernetes.io/hostname: \"a.example, b.example\"";
    cluster.apply(&ingress(&cluster, "cdn", "cdn-web.example", "/", "web", elsewhere));
    let foreign = ingress(&cluster, "foreign", "foreign.example", "/", "web", "");
    // Its class exists: without, every gate on this cluster would tell of it.
    cluster.apply(&cluster.class().replace("beside-external-dns", "beside-others"));
    cluster.apply(&foreign.replacen(
        "ingressClassName: beside-external-dns",
        "ingressClassName: beside-others",
        1,
    ));
    let all = || -> BTreeMap<String, Vec<String>> {
        let list = block_on(cluster.api::<Ingress>().list(&ListParams::default())).unwrap();
        list.items.iter().flat_map(records).collect()
    };
    let record = |host: &str, to: &str| (host.to_owned(), vec![to.to_owned()]);
    let of_others = ["a.example", "b.example", "cdn-web.example"].map(|host| record(host, "cdn.example"));
    for to in ["192.0.2.10", "lb-1234.elb.eu-west-1.amazonaws.com"] {
        let lease = format!("{}/leader", cluster.namespace);
        let gate = cluster.gate(&["--publish-address", to, "--lease", &lease]);
        let of_ours = ["web.example", "tls.example"].map(|host| record(host, to));
        let expected: BTreeMap<_, _> = of_others.iter().cloned().chain(of_ours).collect();
        eventually("the records", || (all() == expected).then_some(()));
        drop(gate);
    }
}
