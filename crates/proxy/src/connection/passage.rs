//! A connection that is passed on to an endpoint as it is: which endpoint, and what is recorded of it.
//!
//! Like any tunnel it is in flight until it ends: nothing that is published touches it, and a drain lets it be for as long as it
//! can.

use std::num::NonZeroU16;
use std::rc::Rc;
use std::time::{Duration, Instant};

use model::Balance;
use tokio::net::TcpStream;

use crate::access_log::Line;
use crate::client::{Carrier, Client};
use crate::error::Refusal;
use crate::tunnel::{self, End, Talked};
use crate::upstream::{BackendPool, EndpointPool, Lease, Reuse, connect_socket};

/// How long others are preferred to an endpoint that refused a connection.
const AVOID: Duration = Duration::from_secs(1);

/// How an endpoint is found.
pub(super) struct Search<P> {
    /// The endpoints as they are now.
    pub(super) pool: P,
    /// How they share connections.
    pub(super) balance: Balance,
    /// How many are tried; if nothing is said, as many as the worker's limit.
    pub(super) attempts: Option<NonZeroU16>,
    /// How long each may take; if nothing is said, as long as the worker's limit.
    pub(super) connect: Option<Duration>,
    /// How long after the beginning another one may be tried.
    pub(super) within: Option<Duration>,
}

/// Who the connection is for, in the words of the access log.
pub(super) trait Named {
    /// What is spoken on it.
    const PROTOCOL: &'static str;

    /// Adds its own fields.
    fn write(&self, line: &mut Line<'_>);
}

/// A connection that is passed on, for metrics and the access log. It is counted like a request.
pub(super) struct Passage<N: Named> {
    client: Rc<Client>,
    name: N,
    began: Instant,
    endpoint: Option<Rc<EndpointPool>>,
    talked: Talked,
    refused: Option<Refusal>,
}

impl<N: Named> Passage<N> {
    pub(super) fn begin(name: N, client: &Rc<Client>) -> Passage<N> {
        client.worker.cells.requests_in_flight.add(1);
        let (began, talked) = (Instant::now(), Talked::default());
        Passage { client: Rc::clone(client), name, began, endpoint: None, talked, refused: None }
    }

    /// Records that it cannot be passed on.
    pub(super) fn refuse(&mut self, why: Refusal) {
        self.refused = Some(why);
    }

    /// Lets the client and an endpoint talk, to the end. Tells how it ended; nothing if it did not come to that.
    pub(super) async fn pass<P: Fn() -> Option<Rc<BackendPool>>>(
        &mut self,
        socket: &mut TcpStream,
        search: Search<P>,
        idle: Duration,
    ) -> Option<End> {
        match self.connect(search).await {
            Ok((mut upstream, lease)) => {
                let carrier = Carrier::next_on(&self.client);
                let talked = &mut self.talked;
                let end = tunnel::talk(&carrier, socket, &mut upstream, &[], idle, talked).await;
                if end == End::Broken {
                    tunnel::reset_on_close(&upstream);
                }
                drop(lease);
                Some(end)
            }
            Err(why) => {
                self.refused = Some(why);
                None
            }
        }
    }

    /// A connection to an endpoint. Nothing was said yet: each may be tried.
    async fn connect<P: Fn() -> Option<Rc<BackendPool>>>(
        &mut self,
        search: Search<P>,
    ) -> Result<(TcpStream, Lease), Refusal> {
        let client = Rc::clone(&self.client);
        let (worker, limits) = (&client.worker, &client.worker.config.upstream);
        worker.overload.check_memory()?;
        if worker.cells.requests_in_flight.get() > worker.requests_max {
            return Err(Refusal::Requests);
        }
        let time = search.connect.unwrap_or(limits.connect_timeout);
        let attempts = search.attempts.map_or(limits.attempts_max, |attempts| attempts.get().into());
        let (mut tried, mut failure): (Vec<Rc<EndpointPool>>, _) = (Vec::new(), Refusal::NoEndpoint);
        for _ in 0..attempts {
            if !tried.is_empty() && search.within.is_some_and(|within| self.began.elapsed() >= within) {
                break;
            }
            let pool = (search.pool)().ok_or(Refusal::NoEndpoint)?;
            let untried = |it: &Rc<EndpointPool>| !tried.iter().any(|tried| tried.key == it.key);
            let Some(endpoint) = pool.pick(search.balance, untried, client.now()) else { break };
            self.endpoint = Some(Rc::clone(&endpoint));
            let lease = endpoint.lease(&client, Reuse::No, client.now());
            match connect_socket(&client, &endpoint, time).await {
                Ok(socket) => return Ok((socket, lease)),
                Err(Refusal::Files) => return Err(Refusal::Files),
                Err(why) => failure = why,
            }
            endpoint.avoid_until(worker.timers.after(AVOID));
            tried.push(endpoint);
        }
        Err(failure)
    }
}

impl<N: Named> Drop for Passage<N> {
    fn drop(&mut self) {
        let worker = &self.client.worker;
        worker.cells.requests_in_flight.sub(1);
        worker.cells.connections_passed.add(1);
        worker.cells.cut.add(u64::from(worker.stopping.get()));
        if let Some(why) = self.refused {
            worker.cells.refusals.of(why).add(1);
        }
        let Some(draft) = worker.log.draft(|line| line.text("protocol", N::PROTOCOL)) else { return };
        worker.log.finish(draft, |line| {
            line.text("client", &self.client.peer().ip().to_string());
            line.number("bytes", self.talked.sent);
            line.number("bytes_received", self.talked.received);
            line.number("duration_us", u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX));
            self.name.write(line);
            if let Some(endpoint) = &self.endpoint {
                line.text("upstream", &endpoint.address);
            }
            if let Some(why) = self.refused {
                line.text("error", why.as_str());
            }
        });
    }
}
