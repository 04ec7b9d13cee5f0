//! A connection to a port that is passed on: not a byte of it is read here, but a PROXY header where there is one.
//!
//! An endpoint is connected to at once, since in some protocols (SMTP, MySQL) it is the server that speaks first.

use std::rc::Rc;

use model::BackendKey;
use tokio::net::TcpStream;

use super::Server;
use super::passage::{Named, Passage, Search};
use super::proxy_header;
use crate::access_log::Line;
use crate::client::Client;
use crate::error::Refusal;
use crate::tunnel::{End, reset_on_close};
use crate::upstream::BackendPool;
use crate::worker::Accepted;

/// Serves a connection to this port to its end.
pub(crate) async fn serve(server: &Rc<Server>, accepted: Accepted, port: u16) {
    let Accepted { stream, peer, .. } = accepted;
    let mut socket = match TcpStream::from_std(stream) {
        Ok(socket) => socket,
        Err(error) => {
            tracing::warn!(%error, "an accepted connection cannot be watched; it is closed");
            return;
        }
    };
    let local = socket.local_addr().unwrap_or(peer);
    let client = Rc::new(Client::new(&server.worker, peer, local));
    if pass(&mut socket, port, server, &client).await != Some(End::Ended) {
        // What was broken off for one side is for the other: the end of a connection may be taken for that of what is sent.
        reset_on_close(&socket);
    }
}

async fn pass(socket: &mut TcpStream, port: u16, server: &Server, client: &Rc<Client>) -> Option<End> {
    let view = server.upstreams.view();
    // It may have been taken out of the table in this moment.
    let service = view.table.tcp_service(port)?;
    let backend = view.table.backend_at(service.backend).key.clone();
    let (search, idle) = (search(service, server), service.idle_timeout);
    let mut passage = Passage::begin(Service { port, backend }, client);
    if service.reads_proxy_header {
        match proxy_header::read(socket, client).await {
            Ok(origin) => origin.into_iter().for_each(|origin| client.is_proxied_from(origin)),
            Err(proxy_header::Malformed) => {
                passage.refuse(Refusal::ProxyHeader);
                return None;
            }
        }
    }
    if let Err(why) = client.admit() {
        passage.refuse(why);
        return None;
    }
    drop(view);
    passage.pass(socket, search, idle).await
}

/// Among the endpoints of whatever the port is passed on to by then.
fn search<'s>(
    service: &model::TcpService,
    server: &'s Server,
) -> Search<impl Fn() -> Option<Rc<BackendPool>> + use<'s>> {
    let port = service.port;
    let pool = move || {
        let view = server.upstreams.view();
        let backend = view.table.tcp_service(port)?.backend;
        Some(server.upstreams.pool(&view, backend))
    };
    let model::TcpService { balance, attempts, try_for, .. } = *service;
    Search { pool, balance, attempts, connect: None, within: try_for }
}

/// What it is called in the access log.
struct Service {
    port: u16,
    backend: BackendKey,
}

impl Named for Service {
    const PROTOCOL: &'static str = "TCP";

    fn write(&self, line: &mut Line<'_>) {
        line.number("port", self.port.into());
        line.text("namespace", &self.backend.namespace);
        line.text("service", &self.backend.service);
        line.text("service_port", &self.backend.port);
    }
}
