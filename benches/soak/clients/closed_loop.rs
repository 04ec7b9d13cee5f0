//! Clients that wait for each answer before they ask again, each on a connection that it keeps.

use std::rc::Rc;
use std::time::Instant;

use super::{Site, think};
use crate::tally::Kind;

/// One client. All but the busy ones think between an answer and the next request. It looks whether its connection was
/// closed meanwhile; then it opens another one.
pub(super) async fn run(site: Rc<Site>, kind: Kind) {
    let mut kept = None;
    while !site.has_ended() {
        if kind != Kind::Busy {
            think().await;
        }
        kept = kept.and_then(|connection| site.look(kind, connection));
        let (request, waited, begun) = (site.request(false), kept.is_some(), Instant::now());
        let connection = match kept.take() {
            Some(connection) => Some(connection),
            None => site.open(kind, &request).await,
        };
        if let Some(connection) = connection {
            kept = site.ask(kind, connection, request, begun, waited).await;
        }
    }
}
