//! A pool as a classic load balancer keeps it: connections that are opened ahead of need, used at random, closed by this
//! side after a minute of silence, and not looked at before a request is written to one. So a proxy that closes an idle
//! connection at any other time costs a request.

use std::cell::RefCell;
use std::rc::Rc;

use super::{AFTER_LOSS, IDLE_MAX, Site, at_rate};
use crate::connection::Connection;
use crate::tally::Kind;

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    /// Connections that are idle, at work or about to be open.
    size: u32,
}

/// Keeps `size` connections and sends `rate` requests a second into them.
pub(super) async fn run(site: Rc<Site>, size: u32, rate: u32) {
    let pool: Rc<RefCell<Pool>> = Rc::default();
    at_rate(&site, rate, |due| {
        fill(&site, &pool, size);
        let Some(connection) = choose(&pool) else { return };
        let (site, pool) = (Rc::clone(&site), Rc::clone(&pool));
        tokio::task::spawn_local(async move {
            let request = site.request(false);
            let kept = site.ask(Kind::Balancer, connection, request, due, true).await;
            let mut pool = pool.borrow_mut();
            pool.size -= u32::from(kept.is_none());
            pool.idle.extend(kept);
        });
    })
    .await;
}

/// Closes what was idle for too long and opens what is missing.
fn fill(site: &Rc<Site>, pool: &Rc<RefCell<Pool>>, size: u32) {
    let mut now = pool.borrow_mut();
    let before = now.idle.len();
    now.idle.retain(|connection| connection.idle_since.elapsed() < IDLE_MAX);
    now.size -= u32::try_from(before - now.idle.len()).expect("no more than there were");
    while now.size < size {
        now.size += 1;
        let (site, pool) = (Rc::clone(site), Rc::clone(pool));
        tokio::task::spawn_local(async move {
            match Connection::open(&site.doors.plain).await {
                Ok(connection) => pool.borrow_mut().idle.push(connection),
                Err(failure) => {
                    site.tally.lock().lost(Kind::Balancer, failure, false, "no connection ahead of need");
                    tokio::time::sleep(AFTER_LOSS).await;
                    pool.borrow_mut().size -= 1;
                }
            }
        });
    }
}

/// An idle connection, any; none if all are at work, as a balancer would then queue.
fn choose(pool: &RefCell<Pool>) -> Option<Connection> {
    let idle = &mut pool.borrow_mut().idle;
    (!idle.is_empty()).then(|| idle.swap_remove(fastrand::usize(..idle.len())))
}
