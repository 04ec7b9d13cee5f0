//! TLS that is not ours: a client whose server name (SNI) is that of a host which passes TLS on talks with an endpoint, and
//! not a byte of that is read here.
//! Of what applies to its route, only what concerns connections does: addresses, endpoints and times.

use std::rc::Rc;
use std::sync::Arc;

use model::{RequestFilter, Route, Target};
use tokio::net::TcpStream;
use tokio_rustls::rustls::server::Acceptor;

use super::passage::{Named, Passage, Search};
use super::{Server, peek};
use crate::access_log::Line;
use crate::client::Client;
use crate::error::Refusal;
use crate::upstream::BackendPool;

/// The longest first message that is waited for. It has to wait in the kernel as a whole; browsers' take two kilobytes.
const HELLO_BYTES_MAX: usize = 16 << 10;
/// What stands before the payload of a record (RFC 8446 §5.1).
const RECORD_HEAD_BYTES: usize = 5;
/// The route that the connection is to be passed on by, if it is: what the client says first is only looked at.
pub(super) async fn route(socket: &TcpStream, server: &Server, client: &Client) -> Option<Arc<Route>> {
    if !server.upstreams.view().table.passes_any() {
        return None;
    }
    let name = peek::until::<HELLO_BYTES_MAX, Option<Box<str>>>(socket, client, server_name).await??;
    server.upstreams.view().table.passed(&name).map(Arc::clone)
}

/// The name in a client's first message, if there is one; nothing while more of it is to come.
fn server_name(bytes: &[u8], all: bool) -> Option<Option<Box<str>>> {
    let record = bytes.first_chunk::<RECORD_HEAD_BYTES>();
    let length = record.map(|[.., high, low]| usize::from(u16::from_be_bytes([*high, *low])));
    // To parse each time that a byte comes would be a way to keep a worker busy.
    if !all && length.is_none_or(|length| bytes.len() < RECORD_HEAD_BYTES + length) {
        return None;
    }
    let (mut acceptor, mut rest) = (Acceptor::default(), bytes);
    loop {
        match acceptor.accept() {
            Ok(Some(accepted)) => return Some(accepted.client_hello().server_name().map(Box::from)),
            Ok(None) if rest.is_empty() => return if all { Some(None) } else { None },
            Ok(None) => {}
            Err(_) => return Some(None),
        }
        if acceptor.read_tls(&mut rest).is_err() {
            return Some(None);
        }
    }
}

/// Passes the connection on, to its end.
pub(super) async fn pass(mut socket: TcpStream, route: &Arc<Route>, server: &Server, client: &Rc<Client>) {
    let mut passage = Passage::begin(Arc::clone(route), client);
    if let Err(why) = admit(route, client) {
        return passage.refuse(why);
    }
    let search = Search {
        pool: || pool(route, server),
        balance: route.policy.balance,
        attempts: route.policy.retry.attempts,
        connect: route.policy.timeouts.connect,
        within: None,
    };
    passage.pass(&mut socket, search, client.limits().tunnel_idle_timeout).await;
}

/// What of the route's guards can be asked of a connection.
fn admit(route: &Route, client: &Client) -> Result<(), Refusal> {
    route.policy.guards().try_for_each(|guard| match guard {
        RequestFilter::Deny => Err(Refusal::Denied),
        RequestFilter::Addresses(rules) if !rules.allows(client.peer().ip()) => Err(Refusal::Address),
        _ => Ok(()),
    })
}

/// The endpoints as they are now.
fn pool(route: &Route, server: &Server) -> Option<Rc<BackendPool>> {
    let view = server.upstreams.view();
    // The table may be a newer one than that in which the route was found.
    let route = view.table.rule(&route.host, &route.path).or_else(|| view.table.default_of(&route.host))?;
    // No condition can be asked of a connection.
    let backend = match &route.target {
        Target::Backend(backend) => *backend,
        Target::Nothing => return None,
        Target::Split(split) => split.shares().iter().max_by_key(|share| share.weight)?.backend,
    };
    Some(server.upstreams.pool(&view, backend))
}

impl Named for Arc<Route> {
    const PROTOCOL: &'static str = "TLS";

    fn write(&self, line: &mut Line<'_>) {
        line.text("namespace", &self.origin.object.namespace);
        line.text("ingress", &self.origin.object.name);
    }
}
