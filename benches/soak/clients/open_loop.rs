//! Clients that ask when their time has come, whatever became of the requests before. So a proxy that stalls for a
//! moment is asked no less, and the time that it stalled is in the latency.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use super::{IDLE_MAX, Site, at_rate};
use crate::connection::Connection;
use crate::tally::Kind;

/// Asks on the connection that became idle last, if one is open.
pub(super) async fn steady(site: Rc<Site>, rate: u32) {
    let pool: Rc<RefCell<Vec<Connection>>> = Rc::default();
    at_rate(&site, rate, |due| {
        let (site, pool) = (Rc::clone(&site), Rc::clone(&pool));
        tokio::task::spawn_local(async move {
            let idle = take(&site, &pool);
            let (request, waited) = (site.request(false), idle.is_some());
            let connection = match idle {
                Some(connection) => Some(connection),
                None => site.open(Kind::Steady, &request).await,
            };
            let Some(connection) = connection else { return };
            let kept = site.ask(Kind::Steady, connection, request, due, waited).await;
            pool.borrow_mut().extend(kept);
        });
    })
    .await;
}

/// The connection that became idle last and is still open. Those that were not needed for long are closed.
fn take(site: &Site, pool: &RefCell<Vec<Connection>>) -> Option<Connection> {
    let too_long = |connection: &Connection| connection.idle_since.elapsed() >= IDLE_MAX;
    let unneeded = pool.borrow().iter().take_while(|connection| too_long(connection)).count();
    pool.borrow_mut().drain(..unneeded);
    loop {
        let last = pool.borrow_mut().pop()?;
        if let Some(open) = site.look(Kind::Steady, last) {
            return Some(open);
        }
    }
}

/// Asks each time on a new connection. Every other one says so beforehand; the rest just close it afterwards.
pub(super) async fn newcomers(site: Rc<Site>, rate: u32) {
    let mut says_so = false;
    at_rate(&site, rate, |due: Instant| {
        says_so = !says_so;
        let (site, says_so) = (Rc::clone(&site), says_so);
        tokio::task::spawn_local(async move {
            let request = site.request(says_so);
            if let Some(connection) = site.open(Kind::Newcomer, &request).await {
                site.ask(Kind::Newcomer, connection, request, due, false).await;
            }
        });
    })
    .await;
}
