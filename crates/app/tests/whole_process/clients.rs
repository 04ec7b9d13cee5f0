//! Clients that have to show a certificate, as an Ingress and a Secret say.

use crate::support::{Client, Folder, Gate, Issued, Upstream, eventually, ingress, service, slice};

const HOST: &str = "web.example";

#[test]
fn a_host_demands_the_certificates_that_its_ingress_and_its_secret_say_and_others_follow_at_once() {
    let (upstream, [host, one, two]) = (Upstream::start("web"), [HOST, "one", "two"].map(Issued::to));
    let annotations =
        "metadata: { annotations: { nginx.ingress.kubernetes.io/auth-tls-secret: shop/clients },";
    let guarded = ingress("web", HOST, "/", "web").replace("metadata: {", annotations);
    let guarded = guarded.replace("rules:", "tls: [{ secretName: web }]\n  rules:");
    let secret = host.secret("web, namespace: shop");
    let folder = Folder::new(&[
        ("web.yaml", guarded),
        ("other.yaml", [service("web"), slice("web", upstream.address, true), secret].join("---\n")),
        ("clients.yaml", one.bundle("clients")),
    ]);
    let gate = Gate::start(&folder, &["--https", "127.0.0.1:0"]);
    let at = gate.https();
    let statuses = || [host.status(at, None), host.status(at, Some(&one)), host.status(at, Some(&two))];
    assert_eq!(statuses(), [400, 200, 400]);
    assert_eq!(
        Client::connect(gate.http).get(HOST, "/").status,
        308,
        "what is asked in clear text is sent to TLS"
    );

    folder.write("clients.yaml", &two.bundle("clients"));
    eventually("the other bundle", || (statuses() == [400, 400, 200]).then_some(()));
    folder.remove("clients.yaml");
    eventually("no bundle", || (statuses() == [403, 403, 403]).then_some(()));
    assert!(
        gate.page("/problems").1.contains("shop/clients, which does not exist"),
        "{}",
        gate.page("/problems").1
    );
    folder.write("clients.yaml", &one.bundle("clients"));
    eventually("the first bundle", || (statuses() == [400, 200, 400]).then_some(()));
}
