//! Clients that share HTTP/2 connections and think before each request, so that a connection is busy and idle by turns.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use tokio::sync::Mutex;

use super::{AFTER_LOSS, Site, think};
use crate::failure::Failure;
use crate::http2::Http2;
use crate::request::Request;
use crate::tally::{GivenUp, Kind};

/// Clients that share one connection.
const SHARED_BY: u32 = 16;

/// The connection that some clients share at present.
#[derive(Default)]
struct Present {
    connection: RefCell<Option<Rc<Http2>>>,
    /// The client that holds it opens the next one, for all.
    opening: Mutex<()>,
}

/// That many clients, on as few connections as they need.
pub(super) async fn run(site: Rc<Site>, count: u32) {
    let mut clients = Vec::new();
    for number in 0..count {
        if number % SHARED_BY == 0 {
            clients.push((Rc::new(Present::default()), Vec::new()));
        }
        let (present, tasks) = clients.last_mut().expect("the first one has made it");
        tasks.push(tokio::task::spawn_local(client(Rc::clone(&site), Rc::clone(present))));
    }
    for task in clients.into_iter().flat_map(|(_, tasks)| tasks) {
        task.await.expect("no client panics");
    }
}

async fn client(site: Rc<Site>, present: Rc<Present>) {
    while !site.has_ended() {
        think().await;
        let (request, begun) = (site.request(false), Instant::now());
        match ask(&site, &present, &request).await {
            Ok(()) => site.tally.lock().answered(Kind::Stream, begun.elapsed()),
            Err((failure, waited)) => {
                let story = format!("request {} on a stream", request.id);
                site.tally.lock().lost(Kind::Stream, failure, waited, &story);
                tokio::time::sleep(AFTER_LOSS).await;
            }
        }
    }
}

/// Asks on the present connection, or on the next one if that one takes nothing more. With the failure comes whether the
/// connection had been there before.
async fn ask(site: &Site, present: &Present, request: &Request) -> Result<(), (Failure, bool)> {
    loop {
        let (connection, waited) = take(site, present).await.map_err(|failure| (failure, false))?;
        if connection.ask(request).await.map_err(|failure| (failure, waited))?.is_some() {
            return Ok(());
        }
        give_up(site, present, &connection);
    }
}

/// The present connection; opens one if there is none.
async fn take(site: &Site, present: &Present) -> Result<(Rc<Http2>, bool), Failure> {
    let known = || present.connection.borrow().clone();
    if let Some(over) = known().filter(|connection| connection.is_over()) {
        give_up(site, present, &over);
    }
    if let Some(connection) = known() {
        return Ok((connection, true));
    }
    let _opening = present.opening.lock().await;
    if let Some(connection) = known() {
        return Ok((connection, true));
    }
    let connection = Rc::new(Http2::open(&site.doors.http2).await?);
    *present.connection.borrow_mut() = Some(Rc::clone(&connection));
    Ok((connection, false))
}

/// Counts it once, whichever of its clients was first to see that it is over.
fn give_up(site: &Site, present: &Present, over: &Rc<Http2>) {
    let mut connection = present.connection.borrow_mut();
    if connection.as_ref().is_some_and(|connection| Rc::ptr_eq(connection, over)) {
        *connection = None;
        site.tally.lock().given_up(Kind::Stream, GivenUp::Told);
    }
}
