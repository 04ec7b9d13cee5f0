//! TLS that is not ours: a client whose server name (SNI) is that of a host which passes TLS on talks with an endpoint, and
//! not a byte of that is read here.
//!
//! Like any tunnel it is in flight until it ends: nothing that is published touches it, and a drain lets it be for as long as it
//! can. Of what applies to its route, only what concerns connections does: addresses, endpoints and times.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{RequestFilter, Route, Target};
use tokio::net::TcpStream;
use tokio_rustls::rustls::server::Acceptor;

use super::{Server, peek};
use crate::client::{Carrier, Client};
use crate::error::Refusal;
use crate::tunnel;
use crate::upstream::{BackendPool, EndpointPool, Lease, Reuse, connect_socket};

/// The longest first message that is waited for. It has to wait in the kernel as a whole; browsers' take two kilobytes.
const HELLO_BYTES_MAX: usize = 16 << 10;
/// What stands before the payload of a record (RFC 8446 §5.1).
const RECORD_HEAD_BYTES: usize = 5;
/// How long others are preferred to an endpoint that refused a connection.
const AVOID: Duration = Duration::from_secs(1);

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
    let mut passage = Passage::begin(route, client);
    match connect(route, server, client, &mut passage).await {
        Ok((mut upstream, lease)) => {
            let carrier = Carrier::next_on(client);
            let idle = client.limits().tunnel_idle_timeout;
            passage.sent = tunnel::talk(&carrier, &mut socket, &mut upstream, &[], idle).await;
            drop(lease);
        }
        Err(why) => passage.refused = Some(why),
    }
}

/// A connection to an endpoint of the route. Nothing was said yet: each may be tried.
async fn connect(
    route: &Route,
    server: &Server,
    client: &Client,
    passage: &mut Passage,
) -> Result<(TcpStream, Lease), Refusal> {
    let (worker, limits) = (&client.worker, &client.worker.config.upstream);
    worker.overload.check_memory()?;
    if worker.cells.requests_in_flight.get() > worker.requests_max {
        return Err(Refusal::Requests);
    }
    admit(route, client)?;
    let time = route.policy.timeouts.connect.unwrap_or(limits.connect_timeout);
    let attempts = route.policy.retry.attempts.map_or(limits.attempts_max, |attempts| attempts.get().into());
    let (mut tried, mut failure): (Vec<Rc<EndpointPool>>, _) = (Vec::new(), Refusal::NoEndpoint);
    for _ in 0..attempts {
        let pool = pool(route, server).ok_or(Refusal::NoEndpoint)?;
        let untried = |it: &Rc<EndpointPool>| !tried.iter().any(|tried| tried.key == it.key);
        let Some(endpoint) = pool.pick(route.policy.balance, untried, client.now()) else { break };
        passage.endpoint = Some(Rc::clone(&endpoint));
        let lease = endpoint.lease(client, Reuse::No, client.now());
        match connect_socket(client, &endpoint, time).await {
            Ok(socket) => return Ok((socket, lease)),
            Err(Refusal::Files) => return Err(Refusal::Files),
            Err(why) => failure = why,
        }
        endpoint.avoid_until(worker.timers.after(AVOID));
        tried.push(endpoint);
    }
    Err(failure)
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

/// A connection that is passed on, for metrics and the access log. It is counted like a request.
struct Passage {
    client: Rc<Client>,
    route: Arc<Route>,
    began: Instant,
    endpoint: Option<Rc<EndpointPool>>,
    sent: u64,
    refused: Option<Refusal>,
}

impl Passage {
    fn begin(route: &Arc<Route>, client: &Rc<Client>) -> Passage {
        client.worker.cells.requests_in_flight.add(1);
        let (client, route) = (Rc::clone(client), Arc::clone(route));
        Passage { client, route, began: Instant::now(), endpoint: None, sent: 0, refused: None }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        let worker = &self.client.worker;
        worker.cells.requests_in_flight.sub(1);
        worker.cells.cut.add(u64::from(worker.stopping.get()));
        if let Some(why) = self.refused {
            worker.cells.refusals.of(why).add(1);
        }
        let Some(draft) = worker.log.draft(|line| line.text("protocol", "TLS")) else { return };
        worker.log.finish(draft, |line| {
            line.text("client", &self.client.peer().ip().to_string());
            line.number("bytes", self.sent);
            line.number("duration_us", u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX));
            line.text("namespace", &self.route.origin.object.namespace);
            line.text("ingress", &self.route.origin.object.name);
            if let Some(endpoint) = &self.endpoint {
                line.text("upstream", &endpoint.address);
            }
            if let Some(why) = self.refused {
                line.text("error", why.as_str());
            }
        });
    }
}
