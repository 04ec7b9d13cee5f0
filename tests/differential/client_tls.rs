//! What becomes of clients' certificates, with us and with nginx set up as ingress-nginx does: status, and what the endpoint is
//! told.

mod first_version;
mod visitors;

use std::fs;
use std::sync::Arc;

use model::{
    ClientTls, ClientVerify, Filters, Pattern, Policy, Published, RequestFilter, RouteTableBuilder, Transport,
};
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConnection, RootCertStore, StreamOwned};
use system_tests::message::Reader;
use system_tests::{Authority, Upstream, sluice};
use tls::{AllClientCas, Certificate, Certificates, ClientCa, Entry, HTTP_1_1, Tickets};

use crate::gates::{Folder, Gate, Nginx, Ours};

const FIELDS: [&str; 4] =
    ["ssl-client-verify", "ssl-client-subject-dn", "ssl-client-issuer-dn", "ssl-client-cert"];

/// A host and what it demands.
struct Site {
    name: &'static str,
    demands: ClientTls,
}

fn site(name: &'static str, verify: ClientVerify) -> Site {
    let ca = Some("test/ca".into());
    Site { name, demands: ClientTls { ca, verify, depth: 1, subject: None, pass: false, error_page: None } }
}

fn sites() -> Vec<Site> {
    let mut sites = vec![
        site("on.test", ClientVerify::Required),
        site("optional.test", ClientVerify::Optional),
        site("any.test", ClientVerify::AnyIssuer),
        site("off.test", ClientVerify::Off),
        site("deep.test", ClientVerify::Required),
        site("named.test", ClientVerify::Required),
        site("named-optional.test", ClientVerify::Optional),
        site("paged.test", ClientVerify::Required),
        site("passed.test", ClientVerify::AnyIssuer),
    ];
    for site in &mut sites {
        match site.name {
            "deep.test" => site.demands.depth = 3,
            "named.test" | "named-optional.test" => {
                site.demands.subject = Some(Pattern::of_value("CN=(good|one .*|expired)").unwrap());
            }
            "paged.test" => site.demands.error_page = Some("https://login.test/no".into()),
            "passed.test" => site.demands.pass = true,
            _ => {}
        }
    }
    sites
}

/// As ingress-nginx' template has it.
fn server(site: &Site, upstream: &Upstream) -> String {
    let demands = &site.demands;
    let subject = demands.subject.as_ref().map(|pattern| {
        format!(
            "if ( $ssl_client_s_dn !~ {:?} ) {{ return 403 \"client certificate unauthorized\"; }}",
            pattern.as_str()
        )
    });
    let page = demands.error_page.as_ref().map(|page| format!("error_page 495 496 = {page};"));
    let pass = demands.pass.then_some("proxy_set_header ssl-client-cert $ssl_client_escaped_cert;");
    format!(
        "server {{
        listen unix:nginx.sock ssl;
        server_name {};
        ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate server.pem; ssl_certificate_key server.key;
        {}
        ssl_client_certificate ca.pem; ssl_verify_client {}; ssl_verify_depth {};
        {}
        location / {{
            proxy_pass http://{};
            {}
            proxy_set_header ssl-client-verify $ssl_client_verify;
            proxy_set_header ssl-client-subject-dn $ssl_client_s_dn;
            proxy_set_header ssl-client-issuer-dn $ssl_client_i_dn;
        }}
    }}\n",
        site.name,
        subject.unwrap_or_default(),
        demands.verify.as_str(),
        demands.depth,
        page.unwrap_or_default(),
        upstream.address,
        pass.unwrap_or_default(),
    )
}

fn ours(sites: &[Site], bundle: &str, (chain, key): (&str, &str), upstream: &Upstream) -> Ours {
    let certificate = Certificate::parse(chain.as_bytes(), key.as_bytes()).unwrap();
    let entry = Entry::new("test/host", vec![Arc::new(certificate)]).unwrap();
    let live = Published::new(Certificates::new([(entry, vec![model::HostMatch::Any])]));
    let ca = Arc::new(ClientCa::parse(bundle.as_bytes(), None).unwrap());
    let tls = proxy::Tls::new(live, Tickets::default(), &[HTTP_1_1]);
    tls.client_cas.publish(AllClientCas::new([("test/ca".to_owned(), ca)]));
    let mut table = RouteTableBuilder::default();
    for site in sites {
        let filter = RequestFilter::ClientTls(Arc::new(site.demands.clone()));
        let policy = Policy { filters: Filters::new(vec![filter], Vec::new()), ..Policy::default() };
        let endpoints = [sluice::ready(upstream.address)];
        sluice::add_route_to(&mut table, site.name, "/", "web", Transport::default(), policy, &endpoints);
    }
    Ours::speaking(tls, table.build(2))
}

/// Answers with what it was told of the client.
fn telling() -> Upstream {
    Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let told = FIELDS.map(|name| request.field(name).unwrap_or_else(|| "-".into()));
            let _ = peer.respond(&told.join("\n"));
        }
    })
}

/// The status, and where to or what the endpoint was told. The client says of itself that it was verified.
fn ask(gate: &dyn Gate, config: rustls::ClientConfig, name: &str, host: &str) -> (u16, String) {
    let session =
        ClientConnection::new(Arc::new(config), ServerName::try_from(name.to_owned()).unwrap()).unwrap();
    let mut stream = StreamOwned::new(session, gate.connect());
    // What nginx does not set it passes on; we do not.
    let lies = ["ssl-client-verify", "ssl-client-subject-dn", "ssl-client-issuer-dn"]
        .map(|name| format!("{name}: lie\r\n"))
        .concat();
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n{lies}\r\n");
    if let Err(error) = std::io::Write::write_all(&mut stream, request.as_bytes()) {
        return (0, error.to_string());
    }
    let mut reader = Reader::default();
    let mut answer = match reader.head(&mut stream) {
        Ok(answer) => answer,
        Err(error) => return (0, error.to_string()),
    };
    let text = match answer.status() {
        200 => reader.body(&mut stream, &mut answer, true).map(|()| answer.text()).unwrap(),
        _ => answer.field("location").unwrap_or_default(),
    };
    (answer.status(), text)
}

#[test]
fn clients_certificates_come_to_the_same_as_with_nginx() {
    let (authority, folder, sites) = (Authority::new(), Folder::new("client-tls"), sites());
    let names: Vec<&str> = sites.iter().map(|site| site.name).collect();
    let (chain, key) = authority.certify(&names);
    let (bundle, visitors) = visitors::all();
    for (name, text) in [("server.pem", &chain), ("server.key", &key), ("ca.pem", &bundle)] {
        fs::write(folder.0.join(name), text).unwrap();
    }
    let upstreams = [telling(), telling()];
    let ours = ours(&sites, &bundle, (&chain, &key), &upstreams[0]);
    let servers: String = sites.iter().map(|site| server(site, &upstreams[1])).collect();
    let nginx = Nginx::serving(&folder, &servers);
    let mut roots = RootCertStore::empty();
    roots
        .add(rustls::pki_types::pem::PemObject::from_pem_slice(authority.pem().as_bytes()).unwrap())
        .unwrap();
    let mut surprises = String::new();
    for (visitor, version) in visitors.iter().flat_map(|visitor| [(visitor, &TLS12), (visitor, &TLS13)]) {
        for (place, site) in sites.iter().enumerate() {
            let other = names[(place + 1) % names.len()];
            for host in [site.name, other] {
                let ask = |gate: &dyn Gate| ask(gate, visitor.config(&roots, version), site.name, host);
                let (ours, theirs) = (ask(&ours), ask(&nginx));
                // Of a connection that was opened for another host, nginx tells what that one demanded.
                if ours.0 != theirs.0 || (host == site.name && ours.1 != theirs.1) {
                    let name = visitor.name;
                    surprises += &format!("{name} at {} for {host}: {ours:?}, nginx {theirs:?}\n", site.name);
                }
            }
        }
    }
    assert!(surprises.is_empty(), "\n{surprises}");
}
