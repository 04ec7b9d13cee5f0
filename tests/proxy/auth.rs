//! Which requests may use a route, by password and by another server's word.

mod external;
mod password;

use std::sync::Arc;

use model::{
    AddressRules, Auth, AuthServer, BackendKey, Endpoint, ExternalAuth, Filters, PasswordAuth, PasswordHash,
    Policy, RequestFilter, Route, RouteTable, RouteTableBuilder, Target, Template, Transport, Users,
};
use system_tests::sluice;

/// Users with these passwords as they are kept.
fn users(entries: &[(&str, &str)]) -> Arc<Users> {
    let entry =
        |(name, hash): &(&str, &str)| (name.as_bytes().into(), PasswordHash::read(hash).expect("a hash"));
    Arc::new(Users::new(entries.iter().map(entry).collect()))
}

fn password(entries: &[(&str, &str)]) -> PasswordAuth {
    PasswordAuth { realm: "the shop".into(), users: users(entries) }
}

fn template(text: &str) -> Template {
    Template::parse(text).expect("a template")
}

/// The server of this name, which is asked for this target.
pub(crate) fn external(target: &str) -> ExternalAuth {
    ExternalAuth {
        server: AuthServer::Backend(server()),
        target: template(target),
        host: template("auth.example"),
        method: None,
        sign_in: None,
        request_redirect: None,
        response_headers: Arc::default(),
        request_headers: Arc::default(),
        cache: None,
        always_set_cookie: false,
    }
}

fn server() -> BackendKey {
    BackendKey {
        namespace: "test".into(),
        service: "auth".into(),
        port: "80".into(),
        transport: Arc::new(Transport::default()),
    }
}

fn of_password(entries: &[(&str, &str)]) -> Auth {
    Auth { password: Some(password(entries)), ..Auth::default() }
}

pub(crate) fn of_external(external: ExternalAuth) -> Auth {
    Auth { external: Some(external), ..Auth::default() }
}

fn addresses(allow: &str) -> AddressRules {
    AddressRules { deny: Vec::new(), allow: vec![allow.parse().expect("a network")] }
}

/// A table whose only route asks for this, and which has the server that is asked.
fn table(generation: u64, auth: Auth, endpoints: &[Endpoint], servers: &[Endpoint]) -> RouteTable {
    let filters = Filters::new(vec![RequestFilter::Auth(Box::new(auth))], Vec::new());
    let policy = Policy { filters, ..Policy::default() };
    let mut builder = RouteTableBuilder::default();
    let web = sluice::add_backend(&mut builder, "web", Transport::default(), endpoints);
    sluice::add_backend(&mut builder, "auth", Transport::default(), servers);
    let route = sluice::route("", "/", "web", Target::Backend(web));
    builder.route(Route { policy: Arc::new(policy), ..route });
    builder.build(generation)
}
