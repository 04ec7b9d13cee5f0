//! Which protocols each listener speaks.

use std::sync::Arc;

use controller::Live;
use proxy::{Listener, Protocol, Tls};
use tls::{HTTP_1_1, HTTP_2};

use super::listen::BoundSocket;
use crate::config::Protocols;

/// The listeners of the data plane. With TLS the client chooses its HTTP, the newer one first.
pub(super) fn listeners(
    protocols: &Protocols,
    live: &Live,
    http: Vec<BoundSocket>,
    https: Vec<BoundSocket>,
) -> Vec<Listener> {
    let plain = Arc::new(Protocol {
        proxy_header_from: protocols.proxy_header_from.clone(),
        http2_cleartext: protocols.http2_cleartext,
        ..Protocol::default()
    });
    let tls = Tls::new(live.certificates.clone(), live.tickets.clone(), &[HTTP_2, HTTP_1_1]);
    let tls = Tls { client_cas: live.client_cas.clone(), ..tls };
    let secure = Arc::new(Protocol { tls: Some(Arc::new(tls)), http2_cleartext: false, ..(*plain).clone() });
    let listener = |protocol: &Arc<Protocol>| {
        let protocol = Arc::clone(protocol);
        move |socket: BoundSocket| {
            let (socket, given_up) = (socket.listener, socket.given_up);
            Listener { socket, protocol: Arc::clone(&protocol), given_up }
        }
    };
    http.into_iter().map(listener(&plain)).chain(https.into_iter().map(listener(&secure))).collect()
}
