//! One attempt at an endpoint: a connection to it, and the request on that.

use std::rc::Rc;

use super::attempts::{Attempts, Failed};
use crate::client::Carrier;
use crate::error::Refusal;
use crate::exchange::Exchange;
use crate::upstream::{Answered, EndpointPool, Lease, Reuse, Unanswered, connect, take_slot};

/// On a pooled connection where that is safe, else on a fresh one.
pub(super) async fn on_http1(
    exchange: &Exchange,
    endpoint: &Rc<EndpointPool>,
    attempts: &mut Attempts,
) -> Result<(Lease, Answered), Failed> {
    let carrier = &exchange.carrier;
    let worker = carrier.worker();
    let mut lease = endpoint.lease(carrier.client(), attempts.reuse(), worker.timers.now());
    let connection = match &mut lease.connection {
        Some(connection) => {
            worker.cells.upstream_reuses.add(1);
            connection
        }
        // Boxed, because few requests need the room.
        none => match Box::pin(connect(carrier, endpoint, exchange.connect_timeout())).await {
            Ok(connection) => none.insert(connection),
            Err(why) => return Err(Failed::unsent(why)),
        },
    };
    carrier.await_head();
    let (head, body) = attempts.for_http1();
    match connection.send(carrier, head, body).await {
        Ok(answered) => Ok((lease, answered)),
        Err(mut unanswered) => {
            let unsent = unanswered.unsent.take();
            let failed = failed(carrier, &unanswered, unsent.is_none(), lease.reused);
            unsent.into_iter().for_each(|body| attempts.keep_body(body));
            Err(failed)
        }
    }
}

/// On a connection that others share.
pub(super) async fn on_http2(
    exchange: &Exchange,
    endpoint: &Rc<EndpointPool>,
    attempts: &mut Attempts,
) -> Result<(Lease, Answered), Failed> {
    let carrier = &exchange.carrier;
    let (worker, reuse, time) = (carrier.worker(), attempts.reuse(), exchange.connect_timeout());
    let mut lease = endpoint.lease(carrier.client(), Reuse::No, worker.timers.now());
    let slot = take_slot(carrier, endpoint, reuse, time).await.map_err(Failed::unsent)?;
    worker.cells.upstream_reuses.add(u64::from(slot.reused));
    lease.reused = !slot.fresh;
    carrier.await_head();
    let request = attempts.for_http2().ok_or(Failed::unsent(Refusal::Connect))?;
    match slot.send(carrier, request).await {
        Ok(answered) => {
            lease.slot = Some(slot);
            Ok((lease, answered))
        }
        Err(mut unanswered) => {
            let unsent = unanswered.unsent.take();
            let failed = failed(carrier, &unanswered, unsent.is_none(), lease.reused);
            unsent.into_iter().for_each(|request| attempts.keep(request));
            Err(failed)
        }
    }
}

fn failed<R>(carrier: &Carrier, unanswered: &Unanswered<R>, sent: bool, reused: bool) -> Failed {
    let Unanswered { why, answered, unseen, .. } = *unanswered;
    Failed { why: carrier.fault().unwrap_or(why), sent, answered, reused, unseen }
}
