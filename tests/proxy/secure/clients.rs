//! Hosts whose clients have to show a certificate. What becomes of each kind of certificate is compared with nginx
//! (`tests/differential/client_tls.rs`); here it is what connections, sessions and changes make of it.

use std::sync::Arc;

use model::{ClientTls, ClientVerify, Filters, HostMatch, Policy, Published, RequestFilter, RouteTable};
use model::{RouteTableBuilder, Transport};
use proxy::{Protocol, Tls};
use rustls::ClientConfig;
use system_tests::{Authority, Client, Http2, Secure, Sluice, Upstream, sluice};
use tls::{AllClientCas, Certificate, Certificates, ClientCa, Entry, HTTP_1_1, HTTP_2, Tickets};

/// The names and values of what endpoints are told of a client.
const FIELDS: [&str; 4] =
    ["ssl-client-verify", "ssl-client-subject-dn", "ssl-client-issuer-dn", "ssl-client-cert"];

struct World {
    sluice: Sluice,
    upstream: Upstream,
    /// Of the hosts' certificate.
    authority: Authority,
    client_cas: Published<AllClientCas>,
}

/// What a host demands.
fn demand(secret: &str, verify: ClientVerify) -> ClientTls {
    let ca = Some(secret.into());
    ClientTls { ca, verify, depth: 1, subject: None, pass: false, error_page: None }
}

fn policy(demands: Option<ClientTls>) -> Policy {
    let required = demands.as_ref().is_some_and(|demands| demands.verify == ClientVerify::Required);
    let filters = demands.map(|demands| RequestFilter::ClientTls(Arc::new(demands)));
    let filters = filters.into_iter().chain(required.then_some(RequestFilter::TlsOnly)).collect();
    Policy { filters: Filters::new(filters, Vec::new()), ..Policy::default() }
}

/// Hosts and what each demands.
fn table(hosts: &[(&str, Option<ClientTls>)], upstream: &Upstream) -> RouteTable {
    let (mut table, endpoints) = (RouteTableBuilder::default(), [sluice::ready(upstream.address)]);
    for (host, demands) in hosts {
        let policy = policy(demands.clone());
        sluice::add_route_to(&mut table, host, "/", "web", Transport::default(), policy, &endpoints);
    }
    table.build(2)
}

/// Answers with what it was told of the client.
fn telling() -> Upstream {
    Upstream::scripted(|peer| {
        while let Ok(request) = peer.request() {
            let told = request.fields.iter().filter(|(name, _)| name.contains("client"));
            let told: Vec<String> = told.map(|(name, value)| format!("{name}: {value}")).collect();
            let _ = peer.respond(&told.join("\n"));
        }
    })
}

impl World {
    /// With a certificate that all hosts share, and these bundles of clients' authorities.
    fn new(hosts: &[(&str, Option<ClientTls>)], bundles: &[(&str, &Authority)]) -> World {
        let (authority, upstream) = (Authority::new(), telling());
        let (chain, key) = authority.certify(&["a.test", "b.test", "d.test", "open.test", "127.0.0.1"]);
        let certificate = Certificate::parse(chain.as_bytes(), key.as_bytes()).unwrap();
        let entry = Entry::new("test/all", vec![Arc::new(certificate)]).unwrap();
        let live = Published::new(Certificates::new([(entry, vec![HostMatch::Any])]));
        let tls = Tls::new(live, Tickets::default(), &[HTTP_2, HTTP_1_1]);
        let client_cas = tls.client_cas.clone();
        let protocol = Protocol { tls: Some(Arc::new(tls)), ..Protocol::default() };
        let sluice = Sluice::speaking(protocol, |_| {}, &[]);
        let world = World { sluice, upstream, authority, client_cas };
        world.trust(bundles);
        world.demand(hosts);
        world
    }

    fn trust(&self, bundles: &[(&str, &Authority)]) {
        let read = |(secret, authority): &(&str, &Authority)| {
            let ca = ClientCa::parse(authority.pem().as_bytes(), None).unwrap();
            ((*secret).to_owned(), Arc::new(ca))
        };
        self.client_cas.publish(AllClientCas::new(bundles.iter().map(read)));
    }

    fn demand(&self, hosts: &[(&str, Option<ClientTls>)]) {
        self.sluice.publish_table(table(hosts, &self.upstream));
    }

    /// A client with a certificate of this authority.
    fn visitor(&self, of: &Authority) -> Arc<ClientConfig> {
        let (chain, key) = of.certify(&["visitor"]);
        self.authority.client_showing(&chain, &key)
    }

    fn connect(&self, name: &str, config: &Arc<ClientConfig>) -> Secure {
        Secure::connect(self.sluice.address, name, config)
    }

    /// The status of a request on a connection of its own.
    fn status(&self, name: &str, host: &str, config: &Arc<ClientConfig>) -> u16 {
        self.connect(name, config).get(host, "/").unwrap().status()
    }
}

#[test]
fn a_new_bundle_counts_at_once_for_connections_and_sessions_of_before_it() {
    let (old, new) = (Authority::new(), Authority::new());
    let world =
        World::new(&[("a.test", Some(demand("test/ca", ClientVerify::Required)))], &[("test/ca", &old)]);
    let (of_old, of_new) = (world.visitor(&old), world.visitor(&new));
    let mut open = world.connect("a.test", &of_old);
    assert_eq!(open.get("a.test", "/").unwrap().status(), 200);
    let mut resumed = world.connect("a.test", &of_old);
    assert_eq!(resumed.get("a.test", "/").unwrap().status(), 200);
    assert!(resumed.is_resumed());
    assert_eq!(world.status("a.test", "a.test", &of_new), 400);

    world.trust(&[("test/ca", &new)]);
    let answer = open.get("a.test", "/").unwrap();
    assert_eq!((answer.status(), answer.closes()), (421, true), "another connection may do better");
    let mut again = world.connect("a.test", &of_old);
    assert_eq!(again.get("a.test", "/").unwrap().status(), 400);
    assert!(!again.is_resumed());
    assert_eq!(world.status("a.test", "a.test", &of_new), 200);
}

#[test]
fn a_host_that_begins_to_ask_asks_those_that_came_before() {
    let ca = Authority::new();
    let world = World::new(&[("a.test", None)], &[("test/ca", &ca)]);
    let config = world.visitor(&ca);
    let mut open = world.connect("a.test", &config);
    assert_eq!(open.get("a.test", "/").unwrap().text(), "");
    world.demand(&[("a.test", Some(demand("test/ca", ClientVerify::Required)))]);
    assert_eq!(open.get("a.test", "/").unwrap().status(), 421);
    let mut next = world.connect("a.test", &config);
    assert!(next.get("a.test", "/").unwrap().text().contains("ssl-client-verify: SUCCESS"));
    assert!(!next.is_resumed(), "nothing was asked in that session");
    assert_eq!(world.status("a.test", "a.test", &world.authority.client()), 400);
}

#[test]
fn a_connection_of_one_host_is_no_way_into_another() {
    let (of_a, of_b) = (Authority::new(), Authority::new());
    let hosts = [
        ("a.test", Some(demand("test/a", ClientVerify::Required))),
        ("b.test", Some(demand("test/b", ClientVerify::Optional))),
        ("d.test", Some(demand("test/a", ClientVerify::Required))),
        ("open.test", None),
    ];
    let world = World::new(&hosts, &[("test/a", &of_a), ("test/b", &of_b)]);
    let config = world.visitor(&of_a);
    for (name, host, status) in [
        ("a.test", "a.test", 200),
        ("a.test", "A.test:443", 200),
        ("a.test", "b.test", 421),
        ("a.test", "d.test", 421),
        ("a.test", "open.test", 200),
        ("open.test", "a.test", 421),
        ("b.test", "b.test", 400),
        // It says no name, and is asked for nothing.
        ("127.0.0.1", "a.test", 400),
        ("127.0.0.1", "b.test", 200),
    ] {
        assert_eq!(world.status(name, host, &config), status, "{name} for {host}");
    }
    let mut http2 = Http2::secure(world.sluice.address, "a.test", &config);
    let mut status = |host: &str| http2.get(host, "/").unwrap().head.status().as_u16();
    assert_eq!(
        [status("a.test"), status("b.test"), status("open.test"), status("a.test")],
        [200, 421, 200, 200]
    );
}

#[test]
fn where_there_is_no_bundle_no_client_is_let_in() {
    let ca = Authority::new();
    let nothing = ClientTls { ca: None, ..demand("", ClientVerify::Optional) };
    let hosts = [("a.test", Some(demand("test/gone", ClientVerify::Optional))), ("b.test", Some(nothing))];
    let world = World::new(&hosts, &[]);
    for (host, config) in [("a.test", world.visitor(&ca)), ("b.test", world.authority.client())] {
        assert_eq!(world.status(host, host, &config), 403, "{host}");
    }
    assert_eq!(world.upstream.connections(), 0);
}

#[test]
fn without_tls_no_client_reaches_a_host_that_demands_a_certificate() {
    let upstream = telling();
    let none = ClientTls { ca: None, ..demand("", ClientVerify::Optional) };
    for (demands, status) in [
        (demand("test/ca", ClientVerify::Required), 400),
        (demand("test/ca", ClientVerify::Optional), 200),
        (none, 403),
        (
            ClientTls { subject: model::Pattern::of_value("CN=a").ok(), ..demand("x/y", ClientVerify::Off) },
            403,
        ),
    ] {
        let sluice = Sluice::start(&[]);
        sluice.publish_table(table(&[("a.test", Some(demands.clone()))], &upstream));
        let answer = Client::connect(sluice.address)
            .send("GET / HTTP/1.1\r\nHost: a.test\r\nSSL-Client-Verify: SUCCESS\r\n\r\n")
            .response();
        assert_eq!(answer.status(), status, "{demands}");
        if status == 200 {
            assert_eq!(answer.text(), "", "the endpoint is told nothing");
        }
    }
}

#[test]
fn no_client_says_of_itself_that_it_was_verified_in_any_spelling_on_any_route() {
    let upstream = telling();
    for underscores in [false, true] {
        let sluice = Sluice::with(|config| config.downstream.underscores = underscores, &[upstream.address]);
        let fields = FIELDS.map(|name| {
            let spellings =
                [name.to_owned(), name.to_uppercase(), name.replace('-', "_"), name.replace('-', ".")];
            spellings.map(|name| format!("{name}: SUCCESS\r\n")).concat()
        });
        let request = format!("GET / HTTP/1.1\r\nHost: a.test\r\n{}\r\n", fields.concat());
        assert_eq!(Client::connect(sluice.address).send(request).response().text(), "");
    }
}

#[test]
fn a_client_without_the_key_of_the_certificate_that_it_shows_is_not_let_in() {
    use rustls::crypto::aws_lc_rs::sign::any_supported_type;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::sign::{CertifiedKey, SingleCertAndKey};

    let ca = Authority::new();
    let world =
        World::new(&[("a.test", Some(demand("test/ca", ClientVerify::AnyIssuer)))], &[("test/ca", &ca)]);
    let ((chain, _), (_, other_key)) = (ca.certify(&["visitor"]), ca.certify(&["thief"]));
    let chain = vec![CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()];
    let key = any_supported_type(&PrivateKeyDer::from_pem_slice(other_key.as_bytes()).unwrap()).unwrap();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .with_protocol_versions(&[version])
                .unwrap()
                .with_root_certificates(world.authority.roots())
                .with_no_client_auth();
        let stolen = CertifiedKey::new(chain.clone(), Arc::clone(&key));
        config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(stolen));
        let answered = world.connect("a.test", &Arc::new(config)).get("a.test", "/");
        assert!(answered.is_err(), "{answered:?}");
    }
    assert_eq!(world.upstream.connections(), 0);
}
